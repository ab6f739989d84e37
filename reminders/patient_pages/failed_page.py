"""What goes wrong under /p/ is said to patients in their own words, elsewhere to staff."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views import defaults

from appointments.links import Closed, LinkClosed
from clinic import reader_language
from clinic.models import Site
from clinic.views import signing_in
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import closed_page
from reminders.wording.care_words import WORDS

UNDER = "/p/"
# What programs ask is answered in their own way.
OF_PROGRAMS = ("/api/", "/webhooks/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that no page has."""
    if not request.path.startswith(UNDER):
        reader_language.speak_to(request.user)
        return defaults.page_not_found(request, exception)
    answer = closed_page(request, "", LinkClosed(Closed.UNKNOWN))
    answer["Cache-Control"] = "no-store"
    return answer


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours; asks the database for nothing, which may be what broke."""
    again = request.get_full_path() if request.method == "GET" else ""
    if request.path.startswith(UNDER):
        return _said(request, "unopened" if again else "broken", status=500, again=again)
    return HttpResponse(render_to_string("500.html", {"again": again}), status=500)


def unread(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What was sent makes no sense; it may be so early that nobody knows yet who asks."""
    if request.path.startswith(UNDER):
        return _said(request, "unread", status=400)
    return HttpResponse(render_to_string("400.html"), status=400)


def for_forms_alone(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: opening an address that only takes a form is answered with nothing at all, of
    which browsers make an error of their own. Patients come to their page instead."""

    def answer(request: HttpRequest) -> HttpResponse:
        given = get_response(request)
        if given.status_code != 405 or request.method != "GET":
            return given
        if request.path.startswith(OF_PROGRAMS):
            return given
        if request.path.startswith(UNDER):
            return redirect("care-page", request.path.removeprefix(UNDER).split("/")[0])
        # The view may be for anybody, and then the reader's own language was not asked for.
        reader_language.speak_to(request.user)
        page = render(request, "405.html", status=405)
        page["Allow"] = given["Allow"]
        return page

    return answer


def unsent(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the secret of its page: too old, or of a browser that keeps no cookies."""
    if not request.path.startswith(UNDER):
        return signing_in.older_page(request, reason)
    return _said(request, "unsent", status=403)


def too_large(request: HttpRequest, most: str) -> HttpResponse:
    """A body larger than its page takes, of which nothing was read. It is refused before anything
    else is asked, such as in which language staff read."""
    if request.path.startswith(OF_PROGRAMS):
        return HttpResponse(status=413)
    again = request.get_full_path()
    if request.path.startswith(UNDER):
        sites = Site.objects.order_by("name")
        return _said(request, "too_large", status=413, again=again, most=most, sites=sites)
    reader_language.speak_to(request.user)
    return render(request, "413.html", {"most": most, "again": again}, status=413)


def _said(
    request: HttpRequest,
    what: str,
    *,
    status: int,
    again: str = "",
    most: str = "",
    sites: Iterable[Site] = (),
) -> HttpResponse:
    language = language_of(request, None)
    words = WORDS[language]
    context = {
        "language": language,
        "words": words,
        "title": words[f"{what}_title"],
        "sentence": words[what].format(most=most),
        "again": again,
        "sites": sites,
    }
    return render(request, "reminders/care/closed.html", context, status=status)
