"""What is to be done before a visit, by the patient and by staff, and whether the patient knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appointments.lifecycle import OPEN, State
from appointments.models import Appointment, Task
from clinic.reader_language import reader_language
from patients import consent
from reminders.catalogue import MessageState
from reminders.journeys import gathering
from reminders.models import Message
from reminders.patient_pages.advice import (
    Advice,
    advice_of,
    series_and_visit,
    steps_before,
    that_holds,
)

# Whatever is under way may still arrive.
_TO_BE_SAID = (MessageState.SCHEDULED, MessageState.SUBMITTING, MessageState.UNKNOWN)
_NOT_HEARD = (MessageState.FAILED, MessageState.UNDELIVERED)


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that the patient does or leaves before the visit. They were told it at `told_at`,
    or will be at `due_at`; with neither, nobody has said it in writing."""

    advice: Advice
    told_at: datetime | None
    due_at: datetime | None


def context(
    shown: Appointment, said: Sequence[Message], tasks: Sequence[Task], now: datetime
) -> dict[str, Any]:
    """`asked` of the patient and `to_prepare` by staff before a visit that is not over, by its
    messages and tasks; `untold` counts what nobody has said."""
    if State(shown.state) not in OPEN:
        return {"asked": [], "to_prepare": [], "untold": 0}
    asked = _asked(shown, said, now)
    return {
        "asked": asked,
        "to_prepare": [task for task in tasks if task.due_at <= shown.starts_at],
        "untold": sum(each.told_at is None and each.due_at is None for each in asked),
    }


def _asked(shown: Appointment, said: Sequence[Message], now: datetime) -> list[Asked]:
    patient_id = shown.series.patient_id
    facts = gathering.facts_of([patient_id])[patient_id]
    series, visit = series_and_visit(facts, shown.pk)
    photos = ("photos", "any") in consent.standing([patient_id])[patient_id]
    holding = that_holds(facts, series, visit, steps_before(series, visit), photos=photos)
    # What holds up to the visit is still to be looked at once the visit has begun.
    at = min(now, shown.starts_at - timedelta(seconds=1))
    dated = ((step, advice_of(series, step, visit, reader_language(), at)) for step in holding)
    return [Asked(advice, *said_of(step.id, said)) for step, advice in dated if advice]


def said_of(step: str, said: Sequence[Message]) -> tuple[datetime | None, datetime | None]:
    """When the patient was first told a step, else when they will be."""
    of_step = [message for message in said if step in message.steps]
    told = [
        message.accepted_at
        for message in of_step
        if message.accepted_at is not None and message.state not in _NOT_HEARD
    ]
    due = [message.due_at for message in of_step if message.state in _TO_BE_SAID]
    return min(told, default=None), None if told else min(due, default=None)
