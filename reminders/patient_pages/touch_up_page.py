"""/p/<token>/ of a touch-up: three times that fit, one press each. GET changes nothing.

Whoever holds the link reads times and the place, no treatment.
"""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments import links
from appointments.by_link import touching_up
from appointments.by_link.refusals import NotByLink, Why
from appointments.clearance import Barred
from appointments.lifecycle import Move
from appointments.models import PatientLink
from appointments.refusals import Refused
from clinic import saying_days
from reminders.patient_pages import own_visit
from reminders.patient_pages.self_service import for_patients
from reminders.views.book_series import draft as drafts


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def touch_up(request: HttpRequest, token: str) -> HttpResponse:
    """POST books the time `at`; pressing twice books once."""
    now = timezone.now()
    link = links.open(token, now=now, purpose=PatientLink.Purpose.TOUCH_UP)
    if link.acted is not None and link.acted.move == Move.BOOK:
        return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)
    try:
        if request.method != "POST":
            return _shown(request, link, now=now)
        at = _instant(request.POST.get("at", ""))
        try:
            if at is not None:
                touching_up.take(link=link, starts_at=at, now=now)
                return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)
        except (NotByLink, Barred):
            raise
        except Refused:
            pass  # somebody was faster, and the page shows what is left
        return _shown(request, link, now=now, is_lost=True)
    except Barred:
        return _asking(request, link, "barred")
    except NotByLink as refusal:
        return _ended(request, link, refusal)


def _shown(
    request: HttpRequest, link: PatientLink, *, now: datetime, is_lost: bool = False
) -> HttpResponse:
    due = touching_up.due(link, now=now)
    site, window = due.treatment.site, due.times.window
    context = own_visit.base(request, link, site)
    words, language = context["words"], context["language"]
    first = due.first()
    if not first:
        return _asking(request, link, "touch_up_none")
    days = [saying_days.format_day(day, language) for day in (window.earliest, window.latest)]
    context |= {
        "title": words["touch_up_title"],
        "lead": words["touch_up_taken"] if is_lost else words["touch_up"].format(*days),
        "is_lost": is_lost,
        "slots": [
            {
                "at": drafts.moment(at),
                "day": saying_days.format_day(at.date(), language),
                "time": f"{at:%H:%M}",
            }
            for at in first
        ],
    }
    return render(request, "reminders/care/touch_up.html", context, status=409 if is_lost else 200)


def _asking(request: HttpRequest, link: PatientLink, sentence: str) -> HttpResponse:
    """No time to press: ask us, or call."""
    assert link.appointment is not None
    context = own_visit.base(request, link, link.appointment.series.site)
    words = context["words"]
    context |= {"title": words["touch_up_title"], "lead": words[sentence], "slots": []}
    return render(request, "reminders/care/touch_up.html", context)


def _ended(request: HttpRequest, link: PatientLink, refusal: NotByLink) -> HttpResponse:
    """Too late, or booked already: then when."""
    assert link.appointment is not None
    site = link.appointment.series.site
    visit = touching_up.booked_since(link.appointment)
    if refusal.why is not Why.BOOKED or visit is None:
        return own_visit.cannot(request, link, site, refusal, back="")
    context = own_visit.base(request, link, visit.site)
    context |= {
        "title": context["words"]["already_booked"],
        "sentence": own_visit.when(visit.starts_at, visit.site, link.patient, context["language"]),
        "back": "",
    }
    return render(request, "reminders/care/cannot.html", context, status=409)


def _instant(text: str) -> datetime | None:
    try:
        return drafts.instant(text)
    except (ValueError, OverflowError):
        return None
