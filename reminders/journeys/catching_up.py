"""Never a burst: several messages that became late beside each other are planned anew as one.

Planning does not look at the clock, so it cannot know that nothing could be sent for a while: an
outage, a night, a cap. Whoever is about to send sees it, stores the moment as a fact of the patient
(`catch_up_at`), and planning then merges what was late by the way in which it merges everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.db.models import F

from patients.models import Patient
from reminders.catalogue import ALONE, SAID_NOW, MessageState
from reminders.journeys.traffic import Judged
from reminders.ledger.claiming import Due
from reminders.models import Message

# From then on a window may have cut off what is late besides, so the ledger is asked.
LATE = timedelta(hours=1)


class Waiting(Judged, Protocol):
    """What is asked of a due message here."""

    @property
    def patient_id(self) -> int | None: ...
    @property
    def site_id(self) -> int: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def needs(self) -> Sequence[str]: ...


def held_back(messages: Sequence[Due], *, now: datetime) -> set[int]:
    """The ids of those that do not leave now, because their patients are planned anew to catch up.

    The caller's transaction holds the patients and leaves these messages as they are. Planning
    makes one message of a group, due at `now`, so the same group never asks for it twice.
    """
    caught_up = {each.patient_id: each.patient.catch_up_at for each in messages if each.patient}
    waiting: list[Waiting] = [*messages, *_cut_off(messages, now=now)]
    groups: defaultdict[tuple[object, ...], list[Waiting]] = defaultdict(list)
    for each in waiting:
        if each.patient_id is not None and _may_join(each, now=now):
            alike = (each.patient_id, each.channel, each.purpose, each.site_id, *each.needs)
            groups[alike].append(each)
    late = [group for group in groups.values() if _is_burst(group, caught_up[group[0].patient_id])]
    if not late:
        return set()
    patients = {group[0].patient_id for group in late if group[0].patient_id}
    Patient.objects.filter(pk__in=patients).update(catch_up_at=now, revision=F("revision") + 1)
    return {each.pk for group in late for each in group}


def _may_join(message: Waiting, *, now: datetime) -> bool:
    alone = message.priority == 0 or message.kind in ALONE or message.kind in SAID_NOW
    return not alone and message.expires_at > now


def _is_burst(group: Sequence[Waiting], caught_up_at: datetime | None) -> bool:
    """Several of a kind that planning merges, some of them due since the last time it did."""
    if len(group) == 1:
        return False
    return caught_up_at is None or max(each.due_at for each in group) > caught_up_at


def _cut_off(messages: Sequence[Due], *, now: datetime) -> list[Message]:
    """What is due beside the late ones of these and is not among them: a window has an end."""
    late = {
        each.patient_id
        for each in messages
        if each.patient_id is not None and each.due_at <= now - LATE and _may_join(each, now=now)
    }
    if not late:
        return []
    rest = Message.objects.filter(
        patient__in=late, state=MessageState.SCHEDULED, wake_at__lte=now, priority__gt=0
    )
    return list(rest.exclude(pk__in=[each.pk for each in messages]))
