"""Which single question of ours is open to a number or address: what a digit answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from appointments.lifecycle import State
from appointments.models import Appointment
from reminders.catalogue import CATALOGUE, Channel, Kind, MessageState
from reminders.inbound.grammar import Question
from reminders.models import InboundMessage, Message, MessageItem

_TOLD = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Asked:
    """The one question that is open, the message that asked, and the visit that it was about.

    All are empty when none is open, or more than one: then no digit is an answer, and `patients`
    are those whom we asked.
    """

    question: Question | None = None
    message: Message | None = None
    visit: Appointment | None = None
    patients: frozenset[int] = frozenset()


def open_to(*, channel: Channel, address: str, patients: Collection[int], now: datetime) -> Asked:
    """What the people behind an address were asked there and have not answered."""
    asked = [
        *_confirmations(channel, address, patients, now),
        *_checkins(channel, address, patients, now),
    ]
    if len(asked) == 1:
        return asked[0]
    return Asked(patients=frozenset().union(*(each.patients for each in asked)))


def _confirmations(
    channel: Channel, address: str, patients: Collection[int], now: datetime
) -> list[Asked]:
    """One for each visit to come that is not confirmed and whose present time we asked about."""
    items = (
        MessageItem.objects.filter(
            message__patient__in=patients,
            message__channel=channel,
            message__kind=Kind.REMINDER_CONFIRM,
            message__state__in=_TOLD,
            message__content__address=address,
            anchor__startswith="visit:",
            live=True,
        )
        .select_related("message")
        .order_by("id")
    )
    told = {(item.anchor, item.schedule_version): item.message for item in items}
    visits = Appointment.objects.filter(
        pk__in={int(anchor.removeprefix("visit:")) for anchor, _ in told},
        state=State.BOOKED,
        starts_at__gt=now,
    ).select_related("series")
    return [
        Asked(Question.CONFIRM, message, visit, frozenset({visit.series.patient_id}))
        for visit in visits
        if (message := told.get((f"visit:{visit.pk}", visit.schedule_version)))
    ]


def _checkins(
    channel: Channel, address: str, patients: Collection[int], now: datetime
) -> list[Asked]:
    """For each patient the latest check-in that is still of use and was not answered."""
    life = CATALOGUE[Kind.CHECKIN].life
    assert life is not None
    answered = InboundMessage.objects.filter(question=Question.CHECKIN, answers__isnull=False)
    latest = (
        Message.objects.filter(
            patient__in=patients,
            channel=channel,
            kind=Kind.CHECKIN,
            state__in=_TOLD,
            content__address=address,
            accepted_at__gt=now - life,
        )
        .exclude(pk__in=answered.values("answers"))
        .order_by("patient_id", "-accepted_at", "-id")
        .distinct("patient_id")
    )
    return [
        Asked(Question.CHECKIN, message, None, frozenset({message.patient_id}))
        for message in latest
        if message.patient_id is not None
    ]
