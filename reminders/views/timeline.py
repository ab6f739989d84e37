"""The journey of one patient as rows in order of time: visits with their logs, messages, tasks,
photos and signed forms, and on their own the entries of the audit trail.

What is to come stands above now, farthest first; what happened below it. Withdrawn messages and
cancelled visits are kept apart, so that they are there and do not stand in the way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from appointments.lifecycle import TO_COME, State
from appointments.models import Appointment, Photo, Task
from appointments.visits import holdings
from clinic.models import Site, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from patients.models import Patient, SignedForm
from patients.trail import rows as trail_rows
from patients.trail import searching
from reminders.catalogue import MessageState
from reminders.models import Message
from reminders.views import message_rows, timeline_record
from reminders.views.message_rows import MessageRow
from reminders.views.timeline_record import LogLine
from reminders.views.visits_shown import with_patients

# So many rows the page shows first of either side of now, and so many more of each with every
# press; visits that are to come are always shown.
NEXT, LAST, FURTHER = 8, 20, 60
AT_HAND = (State.ARRIVED, State.IN_TREATMENT)


class Kind(StrEnum):
    """What the page can show alone. `LOG` are the visits of which a log is written."""

    VISITS = "visits"
    MESSAGES = "messages"
    TASKS = "tasks"
    PHOTOS = "photos"
    FORMS = "forms"
    LOG = "log"
    AUDIT = "audit"


# A visit tells of its log itself, and looks at the record would drown what happened.
TOGETHER = (Kind.VISITS, Kind.MESSAGES, Kind.TASKS, Kind.PHOTOS, Kind.FORMS)


@dataclass(slots=True)
class Entry:
    """One row: exactly one of `visit` (with its `log`, if there is one), `message` (with its `row`,
    once it is to be shown), `task`, `photos` taken on one day, `form` and `trail`."""

    at: datetime
    site: Site
    is_planned: bool
    visit: Appointment | None = None
    treatment: str = ""
    message: Message | None = None
    row: MessageRow | None = None
    task: Task | None = None
    log: LogLine | None = None
    photos: tuple[Photo, ...] = ()
    form: tuple[SignedForm, str] | None = None
    trail: trail_rows.Line | None = None
    held: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Timeline:
    """`later` and `earlier` count what is left out; `dropped` is what was taken back. `counts` is
    how many rows there are of each kind, what was taken back left out; of the trail nobody counts.
    """

    future: list[Entry]
    past: list[Entry]
    dropped: list[Entry]
    later: int = 0
    earlier: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.future or self.past or self.dropped)


def visits_of(patient: Patient) -> list[Appointment]:
    """All visits of a patient in order of time."""
    visits = Appointment.objects.filter(series__patient=patient)
    return list(with_patients(visits.select_related("site")))


def timeline(
    *,
    patient: Patient,
    visits: Sequence[Appointment],
    forms: Sequence[tuple[SignedForm, str]],
    staff: Staff,
    now: datetime,
    kinds: Collection[Kind] = TOGETHER,
    more: int = 0,
) -> Timeline:
    """The journey, of these kinds of rows, in a constant number of queries. `forms` are those that
    were signed, with their titles; `more` is how often more was asked for."""
    shown_visits = _visits(visits, staff, now)
    of_kind = {
        Kind.VISITS: shown_visits,
        Kind.LOG: [each for each in shown_visits if each.log is not None],
        Kind.TASKS: _tasks(patient, now),
        Kind.PHOTOS: _photos(patient),
        Kind.FORMS: [Entry(each.signed_at, each.site, False, form=(each, t)) for each, t in forms],
    }
    if Kind.MESSAGES in kinds:
        of_kind[Kind.MESSAGES] = _messages(patient, now)
    counts: dict[str, int] = {
        kind: sum(not _is_dropped(e) for e in rows) for kind, rows in of_kind.items()
    }
    counts[Kind.PHOTOS] = sum(len(entry.photos) for entry in of_kind[Kind.PHOTOS])
    if Kind.MESSAGES not in kinds:
        said = Message.objects.filter(patient=patient)
        counts[Kind.MESSAGES] = said.exclude(state=MessageState.WITHDRAWN).count()
    if Kind.AUDIT in kinds:
        of_kind[Kind.AUDIT] = _trail(patient, staff)
    entries = [entry for kind in kinds for entry in of_kind[kind]]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = _cut([e for e in entries if not _is_dropped(e)], more * FURTHER)
    shown.dropped = [entry for entry in entries if _is_dropped(entry)]
    shown.counts = counts
    _tell(shown, staff, now)
    return shown


def _visits(visits: Sequence[Appointment], staff: Staff, now: datetime) -> list[Entry]:
    entries, logs, held_by = [], timeline_record.logs_of(visits, staff), holdings.of(visits)
    for visit in visits:
        protocol = protocols.get(visit.protocol_version)
        entries.append(
            Entry(
                visit.starts_at,
                visit.site,
                visit.state in AT_HAND or (visit.state in TO_COME and visit.ends_at > now),
                visit=visit,
                log=logs.get(visit.pk),
                treatment=protocol.treatment_in_words(visit.series.areas, reader_language()),
                held=holdings.names(held_by[visit.pk]),
            )
        )
    return entries


def _messages(patient: Patient, now: datetime) -> list[Entry]:
    messages = patient.messages.select_related("site").order_by("due_at", "id")
    return [
        Entry(message_rows.moment_of(each), each.site, _is_planned(each, now), message=each)
        for each in messages
    ]


def _is_planned(message: Message, now: datetime) -> bool:
    unsaid = message.state in (MessageState.SKIPPED, MessageState.WITHDRAWN)
    return message.state in message_rows.ON_ITS_WAY or (
        unsaid and message_rows.moment_of(message) > now
    )


def _tell(shown: Timeline, staff: Staff, now: datetime) -> None:
    """Add what is said of the messages that are shown, and the words of those that stand: a series
    has a hundred messages, of which most are left out."""
    standing = [*shown.future, *shown.past]
    told = [(each, each.message) for each in (*standing, *shown.dropped) if each.message]
    rows = message_rows.rows_of([message for _, message in told], staff=staff, now=now)
    for (entry, _), row in zip(told, rows, strict=True):
        entry.row = row
    message_rows.add_words([each.row for each in standing if each.row], now)


def _tasks(patient: Patient, now: datetime) -> list[Entry]:
    tasks = Task.objects.filter(patient=patient).select_related("site", "owner", "closed_by")
    return [
        Entry(task.closed_at or task.due_at, task.site, task.closed_at is None, task=task)
        for task in tasks
    ]


def _photos(patient: Patient) -> list[Entry]:
    taken = timeline_record.photos_by_day(patient)
    return [Entry(each[0].taken_at, each[0].site, False, photos=each) for each in taken]


def _trail(patient: Patient, staff: Staff) -> list[Entry]:
    """The latest entries about the patient, of what `staff` may see; looks in a row are one."""
    site = patient.sites.first()
    assert site is not None  # every patient has one
    asked = searching.Asked(patient=patient.pk)
    found = searching.found(staff, asked)
    latest, _ = searching.lines(found, None, folds=asked.folds, zone=site.zone)
    return [
        Entry(line.row.entry.at, line.row.entry.site or site, False, trail=line)
        for line in trail_rows.lines_of(latest, staff, zone=site.zone)
    ]


def _is_dropped(entry: Entry) -> bool:
    if entry.visit is not None:
        return entry.visit.state == State.CANCELLED
    return entry.message is not None and entry.message.state == MessageState.WITHDRAWN


def _cut(entries: Sequence[Entry], further: int) -> Timeline:
    future = [entry for entry in entries if entry.is_planned]
    past = [entry for entry in entries if not entry.is_planned]
    nearest = [entry for entry in future if entry.visit is None][-NEXT - further :]
    kept = {id(entry) for entry in nearest}
    shown = [entry for entry in future if entry.visit is not None or id(entry) in kept]
    last = LAST + further
    return Timeline(
        shown, past[:last], [], later=len(future) - len(shown), earlier=len(past[last:])
    )
