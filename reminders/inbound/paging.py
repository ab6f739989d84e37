"""Calling whoever is on call, again and again until somebody takes what is urgent: a conversation,
or an adverse event.

A page says that there is something urgent and where; it never says what, or about whom.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from appointments.models import AdverseEvent
from clinic import audit, on_call
from clinic.models import Site
from reminders.catalogue import Channel, Kind
from reminders.ledger import saying_now
from reminders.models import Conversation

AGAIN_AFTER = timedelta(minutes=15)
# From this page on the site's own mailbox is told as well.
ALSO_THE_SITE = 2


def page(conversation: Conversation, *, now: datetime) -> int:
    """Page everybody who is on call at the site now, and the site itself when that is nobody or
    they did not answer; how many were paged. The caller holds the conversation.
    """
    conversation.pages += 1
    conversation.page_at = now + AGAIN_AFTER
    conversation.save(update_fields=["pages", "page_at"])
    number = conversation.pages
    return _call(
        conversation.site,
        number,
        key=f"page:{conversation.pk}",
        text=(
            f"Urgent reply from a patient (page {number}). Take it now:"
            f" {settings.PUBLIC_URL}/inbox/{conversation.pk}/"
        ),
        why="A reply names an urgent symptom, and nobody has taken it.",
        now=now,
    )


@transaction.atomic
def page_again(*, now: datetime) -> int:
    """Page for every conversation whose moment has come; how many there were.

    Any number of processes may call it at once.
    """
    waiting = Conversation.objects.filter(page_at__lte=now).order_by("pk")
    due = list(waiting.select_for_update(of=("self",), skip_locked=True).select_related("site"))
    for conversation in due:
        page(conversation, now=now)
    return len(due)


@transaction.atomic
def page_for_events(*, now: datetime) -> int:
    """Page for every adverse event that nobody has taken yet and whose moment has come; how many
    there were. Any number of processes may call it at once.
    """
    waiting = AdverseEvent.objects.filter(page_at__lte=now).order_by("pk")
    due = list(waiting.select_for_update(of=("self",), skip_locked=True).select_related("site"))
    for event in due:
        event.pages += 1
        event.page_at = now + AGAIN_AFTER
        event.save(update_fields=["pages", "page_at"])
        audit.record(
            action="event.page",
            subject=event,
            by=None,
            now=now,
            site=event.site,
            patient_id=event.patient_id,
            after={"pages": event.pages},
        )
        _call(
            event.site,
            event.pages,
            key=f"page:event:{event.pk}",
            text=(
                f"Adverse event reported (page {event.pages}). Take it now:"
                f" {settings.PUBLIC_URL}/events/{event.pk}/"
            ),
            why="An adverse event was reported, and nobody has taken it.",
            now=now,
        )
    return len(due)


def _call(site: Site, number: int, *, key: str, text: str, why: str, now: datetime) -> int:
    """Say it to everybody who is on call; to how many addresses."""
    shifts = on_call.at(site, now)
    points = [(Channel.SMS, shift.phone) for shift in shifts if shift.phone]
    points += [(Channel.EMAIL, shift.email) for shift in shifts if shift.email]
    if not points or number >= ALSO_THE_SITE:
        points.append((Channel.EMAIL, site.reply_to))
    for place, (channel, address) in enumerate(points):
        saying_now.say(
            site=site,
            kind=Kind.ON_CALL,
            channel=channel,
            to_address=address,
            key=f"{key}:{number}:{place}",
            now=now,
            text=text,
            why=[why],
        )
    return len(points)
