"""Whether the other channel says what a message says, for many at once: what a retry or a switch
would come to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from reminders.catalogue import MessageState
from reminders.ledger import skipping
from reminders.ledger.fallback import UNHEARD
from reminders.models import Message, MessageItem, SkipChoice


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Of one message: `is_said`, the other channel says all of it, or will; `is_unsaid`, it was to
    say some of it and does not; `is_switched`, staff let it go there, and the plan wants this one
    no more."""

    is_said: bool = False
    is_unsaid: bool = False
    is_switched: bool = False


NOWHERE = Elsewhere()


def elsewhere(messages: Collection[Message]) -> dict[int, Elsewhere]:
    """By id of each of these messages that says something; in a constant number of queries."""
    there = MessageItem.objects.filter(
        ~Q(channel=OuterRef("channel")),
        anchor=OuterRef("anchor"),
        schedule_version=OuterRef("schedule_version"),
        step=OuterRef("step"),
        live=True,
    )
    unsaid = {*UNHEARD} - {MessageState.WITHDRAWN}
    items = MessageItem.objects.filter(message__in=messages).values_list(
        "message_id",
        Exists(there.exclude(message__state__in=UNHEARD)),
        Exists(there.filter(message__state__in=unsaid)),
    )
    found: dict[int, list[tuple[bool, bool]]] = {}
    for pk, is_said, is_unsaid in items:
        found.setdefault(pk, []).append((is_said, is_unsaid))
    switched = _switched(messages)
    return {
        pk: Elsewhere(
            is_said=all(is_said for is_said, _ in of),
            is_unsaid=any(is_unsaid for _, is_unsaid in of),
            is_switched=pk in switched,
        )
        for pk, of in found.items()
    }


def _switched(messages: Collection[Message]) -> set[int]:
    """The ids of those of which staff let something go by the other channel."""
    patients = {message.patient_id for message in messages if message.patient_id is not None}
    chosen = SkipChoice.objects.filter(series__patient__in=patients).exclude(instead="")
    gone = set(chosen.values_list("series_id", "session", "step", "channel"))
    if not gone:
        return set()
    said = skipping.choices_by(messages)
    return {pk for pk, choices in said.items() if not gone.isdisjoint(choices)}
