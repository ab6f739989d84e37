"""/p/<token>/new-link/: a new link for who opens one that ran out, sent to the number or address
that we have. The page tells nobody whether, and where."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from appointments import links
from appointments.links import LinkClosed
from appointments.models import PatientLink
from reminders.catalogue import Kind
from reminders.ledger import saying_now
from reminders.patient_pages import preferring
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import RENEWABLE, site_of
from reminders.wording.care_words import WORDS


@login_not_required
@never_cache
@require_POST
def send(request: HttpRequest, token: str) -> HttpResponse:
    """Send it, at most once a day for one link."""
    now = timezone.now()
    link: PatientLink | None = None
    try:
        links.open(token, now=now)
    except LinkClosed as closed:
        link = closed.link
        if link is not None and closed.reason in RENEWABLE:
            _say(link, now=now)
    patient = link.patient if link is not None else None
    language = language_of(request, patient)
    context = {
        "language": language,
        "words": WORDS[language],
        "title": WORDS[language]["new_link_title"],
        "sentence": WORDS[language]["new_link_sent"],
        "site": site_of(link, link.appointment) if link is not None else None,
    }
    return render(request, "reminders/care/closed.html", context)


def _say(link: PatientLink, *, now: datetime) -> None:
    way = next((each for each in preferring.ways(link.patient) if not each.is_closed), None)
    site = site_of(link, link.appointment)
    if way is None or site is None:
        return
    saying_now.say(
        site=site,
        kind=Kind.NEW_LINK,
        channel=way.channel,
        to_address="",
        key=f"new-link:{link.pk}:{now:%Y-%m-%d}",
        now=now,
        patient=link.patient,
        why=["They opened a link that had run out and asked for a new one."],
    )
