"""/p/<token>/visits/<visit>/cancel/ and confirm/: what cancelling comes to, said before the press;
and the press that says “I will come”. GET changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from appointments.by_link import cancelling, confirming, times
from appointments.by_link.cancelling import Terms
from appointments.by_link.refusals import NotByLink
from appointments.lifecycle import Move
from appointments.models import Appointment
from appointments.refusals import Refused
from appointments.visits.attendance import REASON_LENGTH
from reminders.patient_pages import own_visit
from reminders.patient_pages.self_service import for_patients


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, token: str, visit: int) -> HttpResponse:
    """POST cancels; pressing twice cancels once."""
    now = timezone.now()
    if request.method == "POST" and _is_done(token, visit, now=now):
        return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)
    link, shown = own_visit.opened(token, visit, now=now)
    context = own_visit.base(request, link, shown.site)
    try:
        if request.method == "POST":
            reason = request.POST.get("reason", "")
            cancelling.cancel(link=link, visit=shown, reason=reason, now=now)
            return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)
        terms = cancelling.terms(shown, language=context["language"], now=now)
    except NotByLink as refusal:
        back = reverse("care-page", args=[token])
        return own_visit.cannot(request, link, shown.site, refusal, back=back)
    except Refused:
        # It changed at this moment; pressed twice, it is cancelled.
        return HttpResponseRedirect(reverse("patient-done", args=[token]), status=303)
    context |= {
        "visit": shown,
        "present": own_visit.when(shown.starts_at, shown.site, link.patient, context["language"]),
        "terms": terms,
        "late": _late(terms, context["words"]),
        "free_until": _free_until(terms, shown, context),
        "may_move": not terms.is_late and not shown.is_locked,
        "reason_length": REASON_LENGTH,
    }
    return render(request, "reminders/care/cancel.html", context)


@for_patients
@require_POST
def confirm(request: HttpRequest, token: str, visit: int) -> HttpResponse:
    """The patient will come; pressing twice says it once."""
    now = timezone.now()
    link, shown = own_visit.opened(token, visit, now=now)
    back = reverse("care-page", args=[token])
    try:
        confirming.confirm(link=link, visit=shown, now=now)
    except NotByLink as refusal:
        return own_visit.cannot(request, link, shown.site, refusal, back=back)
    except Refused:
        pass  # it changed at this moment, and the page shows how it stands
    return HttpResponseRedirect(back, status=303)


def _is_done(token: str, visit: int, *, now: datetime) -> bool:
    """Whether this link has cancelled the visit already."""
    link = own_visit.opened_for_either(token, now=now, after_own_act=True)
    act = link.acted
    return act is not None and act.appointment_id == visit and act.move == Move.CANCEL


def _late(terms: Terms, words: Any) -> str:
    if not terms.is_late:
        return ""
    if terms.notice_hours == 1:
        return str(words["is_late_one"])
    return str(words["is_late"].format(terms.notice_hours))


def _free_until(terms: Terms, shown: Appointment, context: dict[str, Any]) -> str:
    """Until when nothing is asked of who cancels; said where the clinic asks something later."""
    if terms.is_late or not terms.words:
        return ""
    ends = shown.starts_at - times.notice_of(shown.site)
    said = own_visit.when(ends, shown.site, shown.series.patient, context["language"])
    return str(context["words"]["free_until"].format(said))
