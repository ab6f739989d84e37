"""Writing series and the visits that are over. Imported history holds nothing: what it held is kept
as inactive allocations, so that who treated where is known and nobody's time is taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appointments.importing import arranging, copying, remembering, rows
from appointments.importing.people import Act
from appointments.importing.visiting import KnownVisit, Told
from appointments.lifecycle import Move, State
from appointments.models import Allocation, Appointment, BroughtOver, StatusChange, TreatmentSeries
from appointments.models.series import SeriesState
from clinic.saying import noop

KINDS = ("provider", "room", "device")


@dataclass(frozen=True, slots=True)
class Course:
    """A series of a patient with the visits of a file that are new or changed in it."""

    key: str
    patient_id: int
    visits: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Arranged:
    """By row, the (series id, session) of a visit, or the sentence why it cannot have one. Without
    writing the id is None for a new series."""

    places: Mapping[int, tuple[int | None, int]]
    refused: Mapping[int, str]


def courses(visits: Iterable[Told], patient_id: int) -> list[Course]:
    """The visits of a patient by their series."""
    found = defaultdict(list)
    for visit in visits:
        found[visit.series_key].append(visit)
    return [Course(key, patient_id, several) for key, several in sorted(found.items())]


def arrange(
    act: Act, wanted: Sequence[Course], before: Mapping[str, KnownVisit], *, dry: bool
) -> tuple[Arranged, int]:
    """Give every visit its session, and write the series that are new; how many those were. The
    sessions of visits known from `before` are free for themselves."""
    series = _series_known(act, wanted)
    taken = _sessions_of([row.pk for row in series.values()])
    places: dict[int, tuple[int | None, int]] = {}
    refused: dict[int, str] = {}
    new = []
    for course in wanted:
        row = series.get(course.key)
        if row is not None and row.state != SeriesState.OPEN:
            refused |= {each.number: noop("Its series is closed here.") for each in course.visits}
            continue
        moving = {before[each.key].appointment for each in course.visits if each.key in before}
        sessions = [n for visit, n in taken[row.pk] if visit not in moving] if row else []
        found = arranging.arranged([_as_arranged(each) for each in course.visits], sessions)
        here = {each.number: found.sessions.get(each.key, 0) for each in course.visits}
        places |= {number: (row.pk if row else None, n) for number, n in here.items() if n}
        refused |= {
            each.number: found.refused[each.key] for each in course.visits if not here[each.number]
        }
        if row is None and any(here.values()):
            new.append(course)
        elif row is not None and not dry:
            _grow(row, max(here.values()))
    if new and not dry:
        ids = _write_series(act, new, places)
        for course in new:
            for visit in course.visits:
                if visit.number in places:
                    places[visit.number] = (ids[course.key], places[visit.number][1])
    return Arranged(places, refused), len(new)


def _series_known(act: Act, wanted: Sequence[Course]) -> dict[str, TreatmentSeries]:
    """The series among the wanted that a file brought before, by key."""
    records = BroughtOver.objects.filter(
        site=act.source.site, kind=BroughtOver.Kind.SERIES, key__in=[each.key for each in wanted]
    )
    subjects = dict(records.values_list("key", "subject"))
    rows = TreatmentSeries.objects.in_bulk([pk for pk in subjects.values() if pk])
    return {key: rows[pk] for key, pk in subjects.items() if pk in rows}


def _sessions_of(series: Collection[int]) -> Mapping[int, Collection[tuple[int, int]]]:
    """By series, the (visit, session) that stand."""
    taken = defaultdict[int, set[tuple[int, int]]](set)
    standing = Appointment.objects.filter(series__in=series).exclude(state=State.CANCELLED)
    for pk, visit, session in standing.values_list("series_id", "pk", "session"):
        taken[pk].add((visit, session))
    return taken


def _as_arranged(visit: Told) -> arranging.Visit:
    return arranging.Visit(
        visit.key,
        visit.starts_at,
        is_cancelled=visit.values["state"] == State.CANCELLED,
        session=visit.values.get("session", 0),
    )


def _grow(series: TreatmentSeries, most: int) -> None:
    if most > series.sessions:
        TreatmentSeries.objects.filter(pk=series.pk).update(sessions=most)


def _write_series(
    act: Act, new: Sequence[Course], places: Mapping[int, tuple[int | None, int]]
) -> dict[str, int]:
    made = []
    for course in new:
        visits = [each for each in course.visits if each.number in places]
        made.append(_series(act, course, visits, [places[each.number][1] for each in visits]))
    copying.store(made)
    told: list[remembering.Said] = [
        (each.key, each.patient_id, row.pk, {}) for each, row in zip(new, made, strict=True)
    ]
    remembering.keep(act.source, BroughtOver.Kind.SERIES, told)
    return {course.key: series.pk for course, series in zip(new, made, strict=True)}


def _series(
    act: Act, course: Course, visits: Sequence[Told], sessions: Sequence[int]
) -> TreatmentSeries:
    """A series goes on while a visit is to come or the file says that more were agreed."""
    agreed = max([*(each.values.get("sessions", 0) for each in visits), *sessions])
    over = [each for each in visits if not each.is_to_come]
    done = [each for each in over if each.values["state"] == State.DONE]
    treated = len({session for each, session in zip(visits, sessions, strict=True) if each in done})
    runs = len(over) < len(visits) or (
        treated < agreed and any(each.values.get("sessions") for each in visits)
    )
    booked = min(rows.booked_at(each.values, each.starts_at, act.now) for each in visits)
    ends = max((_ended(act, each) for each in (done or over)), default=act.now)
    return TreatmentSeries(
        patient_id=course.patient_id,
        site=act.source.site,
        protocol_version_id=visits[0].values["version"],
        areas=sorted({area for each in visits for area in each.values["areas"]}),
        sessions=agreed,
        state=SeriesState.OPEN if runs else (SeriesState.COMPLETED if done else SeriesState.ENDED),
        booked_at=booked,
        booked_by=act.by,
        closed_at=None if runs else max(ends, booked),
        closed_reason="" if runs or done else noop("It was ended in the former system."),
    )


def write(
    act: Act, visits: Sequence[tuple[Told, int]], places: Mapping[int, tuple[int | None, int]]
) -> dict[int, int]:
    """Write visits that are over, each with the id of its patient; the ids of the rows they
    became, by row of the file."""
    made = [_appointment(act, told, places[told.number]) for told, _ in visits]
    copying.store(made)
    begin(act, made)
    copying.store(
        [
            Allocation(
                resource_id=told.values[kind],
                appointment=appointment,
                starts_at=appointment.starts_at,
                ends_at=min(appointment.ends_at, appointment.starts_at + timedelta(days=1)),
                active=False,
            )
            for (told, _), appointment in zip(visits, made, strict=True)
            for kind in KINDS
            if told.values.get(kind)
        ]
    )
    remember(
        act, [(told, patient, row.pk) for (told, patient), row in zip(visits, made, strict=True)]
    )
    return {told.number: row.pk for (told, _), row in zip(visits, made, strict=True)}


def _ended(act: Act, told: Told) -> datetime:
    return min(told.starts_at + timedelta(minutes=told.values["minutes"]), act.now)


def _appointment(act: Act, told: Told, place: tuple[int | None, int]) -> Appointment:
    state = told.values["state"]
    series_id, session = place
    assert series_id is not None
    booked = rows.booked_at(told.values, told.starts_at, act.now)
    return Appointment(
        series_id=series_id,
        site=act.source.site,
        protocol_version_id=told.values["version"],
        session=session,
        state=state,
        starts_at=told.starts_at,
        ends_at=told.starts_at + timedelta(minutes=told.values["minutes"]),
        booked_at=booked,
        scheduled_at=booked,
        done_at=_ended(act, told) if state == State.DONE else None,
        closed_at=min(told.starts_at, act.now)
        if state in (State.CANCELLED, State.NO_SHOW)
        else None,
        imported_at=act.now,
        imported_start=told.starts_at,
    )


def begin(act: Act, appointments: Iterable[Appointment]) -> None:
    """The entry in the history of visits that were brought over."""
    copying.store(
        [
            StatusChange(
                appointment=appointment,
                at=act.now,
                by=act.by,
                move=Move.IMPORT,
                state_after=appointment.state,
                starts_after=appointment.starts_at,
            )
            for appointment in appointments
        ]
    )


def remember(act: Act, visits: Iterable[tuple[Told, int, int | None]]) -> None:
    """Keep what the file said of visits: (told, patient, appointment or None)."""
    said = [(told.key, patient, row, {"visit": told.said}) for told, patient, row in visits]
    remembering.keep(act.source, BroughtOver.Kind.VISIT, said)
