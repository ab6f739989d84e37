"""A visit of whoever holds the link, its moments in words, and the page that asks to call."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from appointments import links
from appointments.by_link import times
from appointments.by_link.refusals import NotByLink, Why
from appointments.links import Closed, LinkClosed
from appointments.models import Appointment, PatientLink
from clinic import saying_times, wall_time
from clinic.models import Site
from patients.models import Patient
from reminders.patient_pages.language import language_of
from reminders.wording.care_words import WORDS
from reminders.wording.change_words import CHANGE_WORDS

# Why something cannot be done here, by the name of its words.
SAID = {
    Why.CANCELLED: "gone",
    Why.BOOKED: "already_booked",
    Why.TAKEN_BACK_TOO_LATE: "undo_too_late",
}


def opened(token: str, pk: int, *, now: datetime) -> tuple[PatientLink, Appointment]:
    """The link, and the visit of its patient. Raises LinkClosed, also for a visit of others."""
    link = links.open(token, now=now)
    visit = (
        Appointment.objects.select_related(
            *("site", "series__patient", "series__site", "series__protocol_version"),
            "protocol_version__modality",
        )
        .filter(series__patient=link.patient_id, pk=pk)
        .first()
    )
    if visit is None:
        raise LinkClosed(Closed.UNKNOWN)
    return link, visit


def opened_for_either(token: str, *, now: datetime, after_own_act: bool = False) -> PatientLink:
    """A link to the visits or to a touch-up. Raises LinkClosed."""
    care, touch_up = PatientLink.Purpose.CARE, PatientLink.Purpose.TOUCH_UP
    purpose = touch_up if links.purpose_of(token) == touch_up else care
    return links.open(token, now=now, purpose=purpose, after_own_act=after_own_act)


def when(at: datetime, site: Site, patient: Patient, language: str) -> str:
    """A moment on the site's clock, with its zone when the patient lives by another."""
    abroad = bool(patient.zone) and patient.zone != site.zone
    return saying_times.format_when(at, site.zone, language, with_zone=abroad)


def clock(at: datetime, site: Site) -> str:
    return f"{wall_time.local(at, site.zone):%H:%M}"


def base(request: HttpRequest, link: PatientLink, site: Site) -> dict[str, Any]:
    """What every page about changing a visit shows."""
    language = language_of(request, link.patient)
    return {
        "language": language,
        "words": CHANGE_WORDS[language],
        "care_words": WORDS[language],
        "site": site,
        "home": reverse("care-page", args=[token_of(request)]),
        "map_url": map_url(site),
    }


def token_of(request: HttpRequest) -> str:
    """The token in the address that was asked for."""
    match = request.resolver_match
    assert match is not None
    return str(match.kwargs["token"])


def map_url(site: Site) -> str:
    query = urlencode({"query": f"{site.name}, {site.address}"})
    return f"https://www.openstreetmap.org/search?{query}"


def cannot(
    request: HttpRequest, link: PatientLink, site: Site, refusal: NotByLink, *, back: str
) -> HttpResponse:
    """The page that says the rule, with the number to call."""
    context = base(request, link, site)
    words = context["words"]
    notice = int(times.notice_of(site).total_seconds()) // 3600
    sentence = words[SAID.get(refusal.why, refusal.why.value)].format(notice)
    context |= {"title": words["cannot_title"], "sentence": sentence, "back": back}
    return render(request, "reminders/care/cannot.html", context, status=409)
