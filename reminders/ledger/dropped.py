"""A critical step that reaches the patient by no channel becomes work for staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments.models import Task, TaskKind
from clinic.saying import noop
from reminders.catalogue import CATALOGUE, REASONS, Kind
from reminders.ledger.fallback import CALL_UP_TO_PRIORITY, UNHEARD
from reminders.models import Message, MessageItem


def ask_about(messages: Sequence[int], *, now: datetime) -> None:
    """One call for each of these skipped messages that was about a critical step and whose words
    no other message says; `messages` are ids, already stored as skipped."""
    rows = Message.objects.filter(pk__in=messages, priority__lte=CALL_UP_TO_PRIORITY)
    critical = [
        (row, row.patient_id)
        for row in rows
        if row.patient_id is not None and CATALOGUE[Kind(row.kind)].priority > row.priority
    ]
    if not critical:
        return
    items = list(MessageItem.objects.filter(message__in=[row for row, _ in critical]))
    said = set(
        MessageItem.objects.filter(anchor__in={item.anchor for item in items}, live=True)
        .exclude(message__state__in=UNHEARD)
        .values_list("anchor", "schedule_version", "step")
    )
    unsaid = {
        item.message_id: item
        for item in items
        if (item.anchor, item.schedule_version, item.step) not in said
    }
    Task.objects.bulk_create(
        [
            _task(row, patient, unsaid[row.pk], now=now)
            for row, patient in critical
            if row.pk in unsaid
        ],
        ignore_conflicts=True,
    )


def _task(message: Message, patient_id: int, item: MessageItem, *, now: datetime) -> Task:
    # Not of the message: the two channels that say the same ask for one call.
    key = f"dropped:{patient_id}:{item.anchor}:{item.schedule_version}:{item.step}"
    return Task(
        key=key[:120],
        site_id=message.site_id,
        patient_id=patient_id,
        appointment_id=int(item.anchor[6:]) if item.anchor.startswith("visit:") else None,
        kind=TaskKind.CALL,
        title=noop("Call the patient: something that matters was not said"),
        detail=noop(
            "A critical step of the protocol reached the patient by no message. Tell them."
        ),
        why=[REASONS.get(message.reason, message.reason)],
        due_at=now,
        created_at=now,
    )
