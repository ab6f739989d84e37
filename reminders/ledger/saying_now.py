"""Saying something at once that no plan wanted: answers, pages to staff, test messages.

It becomes a message of the ledger like any other and takes the road of every message, the gate
included. Refuses to send anything itself and to say anything that planning owns.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import IntegrityError, transaction

from clinic.models import Site
from patients.models import Patient
from reminders.catalogue import CATALOGUE, SAID_NOW, Channel, Kind, MessageState
from reminders.models import DraftText, Message


@transaction.atomic
def say(
    *,
    site: Site,
    kind: Kind,
    channel: Channel,
    to_address: str,
    key: str,
    now: datetime,
    patient: Patient | None = None,
    text: str = "",
    why: Sequence[str] = (),
    language: str = "",
    since: datetime | None = None,
) -> Message | None:
    """Put one message in the ledger, due at once and of use for the life of its kind.

    `to_address` is the number or address that it goes to; empty, with a patient, for the patient's
    own. `key` is what makes it one and the same: None comes back when it is there already. `text`
    is for the kinds whose words a person gives. `language` is what it is written in: if empty, the
    patient's, else English. `since` is when what it answers came, if that was before `now`: its
    life counts from then, and when that is over nothing is said.

    A patient whose facts just moved is planned before anything leaves to them; an answer to a
    number leaves sooner without a patient.
    """
    if kind not in SAID_NOW:
        raise ValueError(f"{kind} is said by the plan")
    if not (patient or to_address):
        raise ValueError("a message needs a patient or an address")
    entry = CATALOGUE[kind]
    assert entry.life is not None
    expires_at = min(since or now, now) + entry.life
    if expires_at <= now:
        return None
    try:
        with transaction.atomic():
            message = Message.objects.create(
                key=key,
                reference=uuid4(),
                patient=patient,
                to_address=to_address,
                site=site,
                kind=kind,
                channel=channel,
                purpose=entry.purpose,
                priority=entry.priority,
                due_at=now,
                wake_at=now,
                expires_at=expires_at,
                state=MessageState.SCHEDULED,
                why=list(why),
                created_at=now,
            )
    except IntegrityError:
        if Message.objects.filter(key=key).exists():
            return None
        raise
    spoken = language or (patient.language if patient else "en")
    DraftText.objects.create(message=message, language=spoken, text=text)
    return message
