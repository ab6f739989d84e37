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
    """One row: exactly one of `visit` (with its `log`, if there is one), `message_id` (with its
    `message`, site and `row`, once it is to be shown), `task`, `photos` taken on one day, `form`
    and `trail`. `is_dropped`: it was taken back."""

    at: datetime
    site: Site | None
    is_planned: bool
    is_dropped: bool = False
    visit: Appointment | None = None
    treatment: str = ""
    message_id: int | None = None
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
        kind: sum(not each.is_dropped for each in rows) for kind, rows in of_kind.items()
    }
    counts[Kind.PHOTOS] = sum(len(entry.photos) for entry in of_kind[Kind.PHOTOS])
    if Kind.MESSAGES not in kinds:
        said = Message.objects.filter(patient=patient)
        counts[Kind.MESSAGES] = said.exclude(state=MessageState.WITHDRAWN).count()
    if Kind.AUDIT in kinds:
        of_kind[Kind.AUDIT] = _trail(patient, staff)
    entries = [entry for kind in kinds for entry in of_kind[kind]]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = _cut([entry for entry in entries if not entry.is_dropped], more * FURTHER)
    shown.dropped = [entry for entry in entries if entry.is_dropped]
    shown.counts = counts
    _tell(shown, patient, staff, now)
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
                visit.state == State.CANCELLED,
                visit=visit,
                log=logs.get(visit.pk),
                treatment=protocol.treatment_in_words(visit.series.areas, reader_language()),
                held=holdings.names(held_by[visit.pk]),
            )
        )
    return entries


def _messages(patient: Patient, now: datetime) -> list[Entry]:
    """Of each only what it takes to choose: a series has a hundred, of which most are left out."""
    facts = patient.messages.order_by("due_at", "id").values_list(
        "id", "state", "due_at", "accepted_at"
    )
    return [
        Entry(
            at := accepted_at or due_at,
            None,
            _is_planned(state, at, now),
            state == MessageState.WITHDRAWN,
            message_id=pk,
        )
        for pk, state, due_at, accepted_at in facts
    ]


def _is_planned(state: str, at: datetime, now: datetime) -> bool:
    is_unsaid = state in (MessageState.SKIPPED, MessageState.WITHDRAWN)
    return state in message_rows.ON_ITS_WAY or (is_unsaid and at > now)


def _tell(shown: Timeline, patient: Patient, staff: Staff, now: datetime) -> None:
    """Add the messages that are shown, what is said of them, and the words of those that stand."""
    sides = (shown.future, shown.past, shown.dropped)
    wanted = [each.message_id for side in sides for each in side if each.message_id]
    found = patient.messages.select_related("site").in_bulk(wanted)
    rows = message_rows.rows_of([*found.values()], staff=staff, now=now)
    by_id = {row.message.pk: row for row in rows}
    for side in sides:
        # One may just have been archived.
        side[:] = [each for each in side if each.message_id is None or each.message_id in by_id]
        for entry in side:
            if entry.message_id:
                entry.row = by_id[entry.message_id]
                entry.message, entry.site = entry.row.message, entry.row.message.site
    standing = (*shown.future, *shown.past)
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
