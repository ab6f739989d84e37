"""/p/<token>/ of an offer: the time, what it changes, and one press to take or leave it.

GET changes nothing. Whoever holds the link reads times and the place, no treatment; the page says
precisely when the time is gone, ran out or was taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from appointments import links
from appointments.lifecycle import TO_COME
from appointments.models import Answer, Appointment, Invitation, PatientLink
from appointments.refusals import Refused
from appointments.waitlist import accepting, offering
from appointments.waitlist.refusals import OfferClosed
from clinic import saying_times, wall_time
from reminders.patient_pages import self_service
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import for_patients
from reminders.wording.care_words import WORDS
from reminders.wording.offer_words import OFFER_WORDS

# The answers after which there is nothing left at this address.
OVER = (Answer.GONE, Answer.EXPIRED, Answer.WITHDRAWN)


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, token: str) -> HttpResponse:
    """POST takes the time or leaves it; posting twice is posting once."""
    now = timezone.now()
    link = links.open(token, now=now, purpose=PatientLink.Purpose.OFFER)
    invitation = link.invitation
    assert invitation is not None
    if request.method == "POST":
        act = offering.decline if request.POST.get("answer") == "decline" else offering.accept
        try:
            act(invitation=invitation, by=None, now=now)
        except OfferClosed:
            pass  # the page says how it ended
        except Refused:
            return _shown(request, invitation, "problem", {}, status=409)
        return HttpResponseRedirect(request.path, status=303)
    answer = offering.standing_of(invitation, now=now)
    if answer is None:
        return _open(request, invitation, now=now)
    more: dict[str, Any] = {}
    if answer == Answer.ACCEPTED:
        visits = _to_come(invitation, now=now)
        more["visits"] = [
            _when(invitation, visit.starts_at, _language(request, invitation)) for visit in visits
        ]
        more["calendar"] = WORDS[_language(request, invitation)]["calendar"]
    return _shown(request, invitation, answer.value, more, status=410 if answer in OVER else 200)


@for_patients
@require_safe
def taken_file(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    link = links.open(token, now=now, purpose=PatientLink.Purpose.OFFER)
    invitation = link.invitation
    assert invitation is not None
    accepted = offering.standing_of(invitation, now=now) == Answer.ACCEPTED
    visits = _to_come(invitation, now=now) if accepted else []
    if not visits:
        return HttpResponseRedirect(reverse("care-page", args=[token]))  # it says how it stands
    return self_service.calendar_file(visits, link.patient)


def _open(request: HttpRequest, invitation: Invitation, *, now: datetime) -> HttpResponse:
    """What the time is and what it changes."""
    entry, language = invitation.entry, _language(request, invitation)
    words = OFFER_WORDS[language]
    minutes = int((invitation.ends_at - invitation.starts_at).total_seconds()) // 60
    more: dict[str, Any] = {
        "when": _when(invitation, invitation.starts_at, language),
        "minutes": WORDS[language]["minutes"].format(minutes),
        "kept": words["kept"].format(_until(invitation, language, now=now)),
    }
    if entry.appointment is not None:
        try:
            plan = accepting.ripple(
                entry,
                accepting.wish_of(invitation),
                now=now,
                holding=invitation.offer.hold,
            )
        except Refused:
            return _shown(request, invitation, "problem", {}, status=409)
        more["present"] = _when(invitation, entry.appointment.starts_at, language)
        later = [line for line in plan.lines if line.appointment.pk != entry.appointment_id]
        more["has_later"] = bool(later)
        more["later"] = [
            words["was_to"].format(
                _when(invitation, line.after.starts_at, language),
                _when(invitation, line.before.starts_at, language),
            )
            for line in later
            if line.after.starts_at != line.before.starts_at
        ]
    return _shown(request, invitation, "open", more)


def _to_come(invitation: Invitation, *, now: datetime) -> list[Appointment]:
    """The visits of the series as they stand now, of whoever took the time."""
    visit = invitation.appointment
    if visit is None:
        return []
    to_come = visit.series.appointments.filter(state__in=TO_COME, ends_at__gt=now)
    return list(to_come.select_related("site").order_by("starts_at", "id"))


def _shown(
    request: HttpRequest,
    invitation: Invitation,
    state: str,
    more: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    entry, language = invitation.entry, _language(request, invitation)
    words = OFFER_WORDS[language]
    context = {
        "language": language,
        "words": words,
        "site": entry.site,
        "state": state,
        "title": words[f"{state}_title"],
        "sentence": words.get(state, ""),
        **more,
    }
    return render(request, "reminders/care/offer.html", context, status=status)


def _language(request: HttpRequest, invitation: Invitation) -> str:
    return language_of(request, invitation.entry.patient)


def _when(invitation: Invitation, at: datetime, language: str) -> str:
    """A moment on the site's clock, with its zone when the patient lives by another."""
    patient, zone = invitation.entry.patient, invitation.entry.site.zone
    abroad = bool(patient.zone) and patient.zone != zone
    return saying_times.format_when(at, zone, language, with_zone=abroad)


def _until(invitation: Invitation, language: str, *, now: datetime) -> str:
    """The end of the offer: the time alone while it is today."""
    ends, zone = invitation.offer.expires_at, invitation.entry.site.zone
    if wall_time.days_between(now, ends, zone):
        return _when(invitation, ends, language)
    return f"{wall_time.local(ends, zone):%H:%M}"
