"""The consent under which a message was sent: which rows stood at that very time."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from patients.models import ConsentChannel, ContactConsent
from reminders.catalogue import Purpose
from reminders.models import Message


def standing_for(message: Message, *, now: datetime) -> list[ContactConsent]:
    """The consents that allowed a message when its words were last handed to a provider, or that
    allow it at `now` if it was not sent yet; none for what asks for no consent.

    A consent row is closed, never edited, so this is the same however late it is asked.
    """
    if message.patient_id is None or message.purpose == Purpose.SYSTEM:
        return []
    sent = getattr(message, "content", None)
    at = sent.at if sent is not None else now
    wanted = Q(purpose=message.purpose, channel=message.channel)
    if message.needs:
        wanted |= Q(purpose__in=message.needs, channel=ConsentChannel.ANY)
    return list(
        ContactConsent.objects.filter(
            wanted,
            Q(closed_at=None) | Q(closed_at__gt=at),
            patient=message.patient_id,
            opened_at__lte=at,
        )
        .select_related("opened_by")
        .order_by("purpose", "id")
    )
