"""Calling whoever is on call, again and again until somebody takes what is urgent: a conversation,
or an adverse event.

A page says that there is something urgent and where; it never says what, or about whom.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation

from appointments.models import AdverseEvent
from clinic import audit, on_call
from clinic.models import Site
from clinic.retelling import kept, retold, text
from clinic.saying import noop
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
        sentence=kept(
            "Urgent reply from a patient (page %(number)s). Take it now: %(address)s",
            number=number,
            address=text(f"{settings.PUBLIC_URL}/inbox/{conversation.pk}/"),
        ),
        why=noop("A reply names an urgent symptom, and nobody has taken it."),
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
            sentence=kept(
                "Adverse event reported (page %(number)s). Take it now: %(address)s",
                number=event.pages,
                address=text(f"{settings.PUBLIC_URL}/events/{event.pk}/"),
            ),
            why=noop("An adverse event was reported, and nobody has taken it."),
            now=now,
        )
    return len(due)


def _call(site: Site, number: int, *, key: str, sentence: str, why: str, now: datetime) -> int:
    """Say it to everybody who is on call, each in their language; to how many addresses."""
    shifts = on_call.at(site, now)
    points = [(Channel.SMS, each.phone, each.staff.language) for each in shifts if each.phone]
    points += [(Channel.EMAIL, each.email, each.staff.language) for each in shifts if each.email]
    if not points or number >= ALSO_THE_SITE:
        points.append((Channel.EMAIL, site.reply_to, ""))
    for place, (channel, address, language) in enumerate(points):
        with translation.override(language or "en"):
            said = retold(sentence)
        saying_now.say(
            site=site,
            kind=Kind.ON_CALL,
            channel=channel,
            to_address=address,
            key=f"{key}:{number}:{place}",
            now=now,
            text=said,
            why=[why],
            language=language,
        )
    return len(points)
