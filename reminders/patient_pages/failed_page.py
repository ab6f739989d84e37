"""What goes wrong under /p/ is said to patients in their own words, elsewhere to staff."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from appointments.links import Closed, LinkClosed
from clinic import reader_language
from clinic.views import signing_in
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import closed_page
from reminders.wording.care_words import WORDS

UNDER = "/p/"


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
    if not request.path.startswith(UNDER):
        return defaults.server_error(request)
    return _said(request, "broken", status=500)


def unsent(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the secret of its page: too old, or of a browser that keeps no cookies."""
    if not request.path.startswith(UNDER):
        return signing_in.older_page(request, reason)
    return _said(request, "unsent", status=403)


def _said(request: HttpRequest, what: str, *, status: int) -> HttpResponse:
    language = language_of(request, None)
    words = WORDS[language]
    context = {
        "language": language,
        "words": words,
        "title": words[f"{what}_title"],
        "sentence": words[what],
    }
    return render(request, "reminders/care/closed.html", context, status=status)
