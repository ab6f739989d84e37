"""/p/<token>/done/: what the patient has just done, and for a few minutes the way back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from appointments.by_link import taking_back
from appointments.by_link.refusals import NotByLink
from appointments.lifecycle import Move, State
from appointments.models import PatientLink, StatusChange
from appointments.refusals import Refused
from reminders.patient_pages import own_visit
from reminders.patient_pages.self_service import for_patients

# What each act is called on the page.
_SAID = {
    Move.MOVE: "moved",
    Move.CANCEL: "cancelled",
    Move.BOOK: "booked",
    Move.UNDO: "taken_back",  # also a booking that was cancelled again
}


@for_patients
@require_safe
def done(request: HttpRequest, token: str) -> HttpResponse:
    """Of the last act by this link; the page of the visits when there is none to tell."""
    now = timezone.now()
    link = own_visit.opened_for_either(token, now=now, after_own_act=True)
    if link.acted is None or link.acted.move not in _SAID:
        return HttpResponseRedirect(reverse("care-page", args=[token]))
    return _shown(request, link, link.acted, now=now)


@for_patients
@require_POST
def take_back(request: HttpRequest, token: str) -> HttpResponse:
    """Take it back; pressing twice takes it back once."""
    now = timezone.now()
    link = own_visit.opened_for_either(token, now=now, after_own_act=True)
    problem = ""
    try:
        taking_back.take_back(link=link, now=now)
    except NotByLink:
        problem = "undo_too_late"
    except Refused:
        problem = "undo_gone"
    done_url = reverse("patient-done", args=[token])
    if not problem:
        return HttpResponseRedirect(done_url, status=303)
    if link.acted is None:
        return HttpResponseRedirect(reverse("care-page", args=[token]), status=303)
    return _shown(request, link, link.acted, now=now, problem=problem)


def _shown(
    request: HttpRequest,
    link: PatientLink,
    act: StatusChange,
    *,
    now: datetime,
    problem: str = "",
) -> HttpResponse:
    visit = act.appointment
    site = visit.site
    context = own_visit.base(request, link, site)
    words, language = context["words"], context["language"]

    def said(at: datetime) -> str:
        return own_visit.when(at, site, link.patient, language)

    ends = taking_back.until(link)
    what = "taken_back" if taking_back.is_taken_back(link) else _SAID[Move(act.move)]
    before = act.starts_before if act.move == Move.MOVE else None
    stands = what in ("moved", "booked", "taken_back") and not _is_gone(act)
    context |= {
        "state": what,
        "title": words[f"{what}_title"],
        "sentence": words[what].format(said(before or visit.starts_at)),
        "when": said(visit.starts_at) if stands else "",
        "also": [
            words["was_to"].format(said(each.starts_after), said(each.starts_before))
            for each in _along(act)
            if each.starts_before is not None
        ],
        "message_follows": what in ("moved", "cancelled", "booked"),
        "undo": words["undo_until"].format(own_visit.clock(ends, site))
        if ends is not None and now < ends
        else "",
        "problem": words[problem] if problem else "",
        "is_care": link.purpose == PatientLink.Purpose.CARE and _opens(link, act),
    }
    return render(request, "reminders/care/done.html", context, status=409 if problem else 200)


def _is_gone(act: StatusChange) -> bool:
    return act.appointment.state == State.CANCELLED


def _opens(link: PatientLink, act: StatusChange) -> bool:
    """Whether the page of the visits opens by this link, whose visit may be cancelled."""
    return not (_is_gone(act) and link.appointment_id == act.appointment_id)


def _along(act: StatusChange) -> Any:
    """The later visits that moved along."""
    if act.move != Move.MOVE:
        return ()
    others = StatusChange.objects.filter(
        appointment__series=act.appointment.series_id, at=act.at, move=Move.MOVE, by=None
    )
    return others.exclude(pk=act.pk).order_by("starts_after")
