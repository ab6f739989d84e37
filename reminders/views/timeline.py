"""The journey of one patient as rows in order of time: visits, messages and tasks.

What is to come stands above now, farthest first; what happened below it. Withdrawn messages and
cancelled visits are kept apart, so that they are there and do not stand in the way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from appointments.lifecycle import TO_COME, State
from appointments.models import Allocation, Appointment, Task
from clinic.models import Site, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.models import Message
from reminders.views import message_rows
from reminders.views.message_rows import MessageRow
from reminders.views.visits_shown import with_what_they_hold

# Without `everything` the page shows so many messages and tasks of either side of now; visits
# that are to come are always shown.
NEXT, LAST = 8, 20
VISITS, MESSAGES, TASKS = "visits", "messages", "tasks"
AT_HAND = (State.ARRIVED, State.IN_TREATMENT)


@dataclass(slots=True)
class Entry:
    """One row: exactly one of `visit`, `row` (a message) and `task`."""

    at: datetime
    site: Site
    is_planned: bool
    visit: Appointment | None = None
    treatment: str = ""
    row: MessageRow | None = None
    task: Task | None = None
    held: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Timeline:
    """`later` and `earlier` count what is left out; `dropped` is what was taken back."""

    future: list[Entry]
    past: list[Entry]
    dropped: list[Entry]
    later: int = 0
    earlier: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.future or self.past or self.dropped)


def visits_of(patient: Patient) -> list[Appointment]:
    """All visits of a patient in order of time, with what each holds, or held elsewhere."""
    visits = Appointment.objects.filter(series__patient=patient)
    return list(with_what_they_hold(visits.select_related("site")))


def timeline(
    *,
    patient: Patient,
    visits: Sequence[Appointment],
    staff: Staff,
    now: datetime,
    kinds: Collection[str] = (VISITS, MESSAGES, TASKS),
    everything: bool = False,
) -> Timeline:
    """The journey, of these kinds of rows, in a constant number of queries."""
    entries: list[Entry] = []
    if VISITS in kinds:
        entries += _visits(visits, now)
    if MESSAGES in kinds:
        entries += _messages(patient, staff, now)
    if TASKS in kinds:
        entries += _tasks(patient, now)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = _cut([e for e in entries if not _is_dropped(e)], everything)
    shown.dropped = [entry for entry in entries if _is_dropped(entry)]
    # The words of the messages that are shown, and only of these.
    message_rows.add_words([e.row for e in (*shown.future, *shown.past) if e.row], now)
    return shown


def _visits(visits: Sequence[Appointment], now: datetime) -> list[Entry]:
    entries = []
    for visit in visits:
        protocol = protocols.get(visit.protocol_version)
        entries.append(
            Entry(
                visit.starts_at,
                visit.site,
                visit.state in AT_HAND or (visit.state in TO_COME and visit.ends_at > now),
                visit=visit,
                treatment=protocol.treatment_in_words(visit.series.areas, reader_language()),
                held={
                    each.resource.kind: each.resource.name for each in Allocation.shown_of(visit)
                },
            )
        )
    return entries


def _messages(patient: Patient, staff: Staff, now: datetime) -> list[Entry]:
    messages = (
        Message.objects.filter(patient=patient)
        .select_related("site", "patient")
        .order_by("due_at", "id")
    )
    rows = message_rows.rows_of(list(messages), staff=staff, now=now)
    return [Entry(row.at, row.message.site, _is_planned(row, now), row=row) for row in rows]


def _is_planned(row: MessageRow, now: datetime) -> bool:
    unsaid = row.message.state in (MessageState.SKIPPED, MessageState.WITHDRAWN)
    return row.is_to_come or (unsaid and row.at > now)


def _tasks(patient: Patient, now: datetime) -> list[Entry]:
    tasks = Task.objects.filter(patient=patient).select_related("site", "owner", "closed_by")
    return [
        Entry(task.closed_at or task.due_at, task.site, task.closed_at is None, task=task)
        for task in tasks
    ]


def _is_dropped(entry: Entry) -> bool:
    if entry.visit is not None:
        return entry.visit.state == State.CANCELLED
    return entry.row is not None and entry.row.message.state == MessageState.WITHDRAWN


def _cut(entries: Sequence[Entry], everything: bool) -> Timeline:
    future = [entry for entry in entries if entry.is_planned]
    past = [entry for entry in entries if not entry.is_planned]
    if everything:
        return Timeline(future, past, [])
    nearest = [entry for entry in future if entry.visit is None][-NEXT:]
    kept = {id(entry) for entry in nearest}
    shown = [entry for entry in future if entry.visit is not None or id(entry) in kept]
    return Timeline(
        shown, past[:LAST], [], later=len(future) - len(shown), earlier=len(past[LAST:])
    )
