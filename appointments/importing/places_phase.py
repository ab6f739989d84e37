"""The phase of places: visits to come, the earliest first, some hundred at a time.

What fits is placed with its allocations; what collides is kept as work: its series has the session,
and a task says when it was and why it has no place.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from appointments.claiming import allocating
from appointments.claiming.allocating import Held
from appointments.finding import ticks
from appointments.finding.needs import PATIENT, PROVIDER, need_of
from appointments.importing import clearing, copying, history, placing, rows
from appointments.importing.deciding import Outcome
from appointments.importing.people import Act
from appointments.importing.placing import Place, Taken, Wanted
from appointments.importing.visiting import Told
from appointments.lifecycle import TO_COME, Move, State
from appointments.models import (
    Appointment,
    Import,
    ImportRow,
    StatusChange,
    Task,
    TaskKind,
    TreatmentSeries,
)
from appointments.models.importing import SENTENCE_LENGTH
from appointments.proposing import loading
from clinic.models import ProtocolVersion, ProviderHours, Resource, Site
from clinic.periods import Period
from clinic.protocols import loading as protocols
from clinic.retelling import kept, moment, together
from clinic.retelling import text as quoted
from clinic.saying import noop
from clinic.wall_time import local
from patients.models import Patient

BATCH = 200
DAY = timedelta(days=1)


@dataclass(slots=True)
class Batch:
    """`last` says where the next one goes on, empty when there was nothing."""

    last: str = ""
    visits: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def count(source: Import) -> int:
    return ImportRow.objects.filter(source=source, waits=True).count()


def step(act: Act, *, dry: bool) -> Batch:
    """Place the next visits after the import's cursor, or see what would become of them."""
    waiting = _next_rows(act.source)
    if not waiting:
        return Batch()
    ours = _lock_visits(waiting) if not dry else {}
    wanted = _wanted(act.source.site, waiting)
    patients = {row.patient_id: key for row in waiting for key in [wanted[row.visit_key].patient]}
    if not dry:
        pools = {pk for each in wanted.values() for pool in each.pools.values() for pk in pool}
        allocating.lock([*pools, *(key for key in patients.values() if isinstance(key, int))])
    names = dict(Resource.objects.exclude(kind=PATIENT).values_list("pk", "name"))
    taken = _taken(act, waiting, wanted, dry=dry)
    places = placing.place(wanted.values(), taken, names)
    if not dry:
        places = _clear(act, places, wanted, waiting)
    batch = Batch(last=_cursor(waiting[-1]), visits=len(waiting))
    lines = [_Line(row, wanted[row.visit_key], places[row.visit_key]) for row in waiting]
    if not dry:
        _write(act, lines, ours)
    placed = [line.row for line in lines if line.place.held]
    barred = clearing.barred(act, placed)
    if not dry:
        clearing.keep_as_work(act, placed, barred)
    for line in lines:
        _tell(line, act.source.site, barred.get(line.row.number, ()))
        batch.counts["placed" if line.place.held else "waiting"] += 1
    _store(waiting)
    return batch


@dataclass(frozen=True, slots=True)
class _Line:
    row: ImportRow
    wanted: Wanted
    place: Place


def _next_rows(source: Import) -> list[ImportRow]:
    found = ImportRow.objects.filter(source=source, waits=True)
    if source.cursor:
        at, key = source.cursor.split("|")
        then = datetime.fromisoformat(at)
        found = found.filter(Q(starts_at__gt=then) | Q(starts_at=then, visit_key__gt=key))
    return list(found.order_by("starts_at", "visit_key")[:BATCH])


def _cursor(row: ImportRow) -> str:
    assert row.starts_at is not None
    return f"{row.starts_at.astimezone(UTC).isoformat()}|{row.visit_key}"


def _lock_visits(waiting: Sequence[ImportRow]) -> dict[int, Appointment]:
    """Those that have a place already, under their locks, as long as nobody touched them."""
    ids = [row.appointment for row in waiting if row.appointment]
    found = Appointment.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in found if row.version == 1 and row.state in TO_COME}


# --- What is wanted, and what is taken ------------------------------------------------------------


def _wanted(site: Site, waiting: Sequence[ImportRow]) -> dict[str, Wanted]:
    versions = ProtocolVersion.objects.in_bulk({row.visit["version"] for row in waiting})
    pools = {pk: _pools(site, version) for pk, version in versions.items()}
    patients = Patient.objects.filter(pk__in=[row.patient_id for row in waiting])
    resources = dict(patients.values_list("pk", "resource_id"))
    weeks = _weeks(site)
    found = {}
    for row in waiting:
        assert row.starts_at is not None
        version = row.visit["version"]
        need = need_of(protocols.get(versions[version]), row.visit["areas"])
        named = {kind: row.visit[kind] for kind in history.KINDS if row.visit.get(kind)}
        suit = dict(pools[version])
        if PROVIDER not in named:
            held = need.held(PROVIDER, row.starts_at)
            suit[PROVIDER] = [pk for pk in suit[PROVIDER] if _works(weeks.get(pk, ()), held, site)]
        found[row.visit_key] = Wanted(
            key=row.visit_key,
            starts_at=row.starts_at.astimezone(UTC),
            need=need,
            patient=resources.get(row.patient_id or 0, row.person_key),
            named=named,
            pools=suit,
        )
    return found


def _pools(site: Site, version: ProtocolVersion) -> dict[str, list[int]]:
    pools: dict[str, list[int]] = {kind: [] for kind in history.KINDS}
    suit = Resource.objects.filter(
        loading.eligible_at(site, protocols.get(version)), is_active=True
    ).order_by("name", "pk")
    for pk, kind in suit.values_list("pk", "kind"):
        pools[kind].append(pk)
    return pools


def _weeks(site: Site) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    hours = ProviderHours.objects.filter(site=site)
    for provider, *stretch in hours.values_list("provider_id", "weekday", "starts", "ends"):
        found.setdefault(provider, []).append((stretch[0], stretch[1], stretch[2]))
    return found


def _works(week: Iterable[tuple[int, int, int]], held: Period, site: Site) -> bool:
    """Whether somebody whom the file does not name is at work then, by their usual week."""
    begins = local(held.starts_at, site.zone)
    first = begins.hour * 60 + begins.minute
    end = first + (held.ends_at - held.starts_at) // timedelta(minutes=1)
    return any(
        day == begins.weekday() and starts <= first and end <= ends for day, starts, ends in week
    )


def _taken(
    act: Act, waiting: Sequence[ImportRow], wanted: Mapping[str, Wanted], *, dry: bool
) -> Taken:
    """What is taken around these visits; of a check also what it gave to earlier ones."""
    first, last = (wanted[row.visit_key].starts_at for row in (waiting[0], waiting[-1]))
    span = Period(first - DAY, last + DAY)
    ids = {pk for each in wanted.values() for pool in each.pools.values() for pk in pool}
    ids |= {pk for each in wanted.values() for pk in each.named.values()}
    ids |= {each.patient for each in wanted.values() if isinstance(each.patient, int)}
    moving = [row.appointment for row in waiting if row.appointment]
    taken = Taken()
    for resource, spans in loading.busy(sorted(ids), span, act.now, without=moving).items():
        for begins, ends in spans.tolist():
            taken.add(resource, begins, ends)
    if dry:
        before = ImportRow.objects.filter(
            source=act.source, waits=True, starts_at__gte=first - DAY, starts_at__lt=first + DAY
        ).exclude(held={})
        _add_given(taken, act.source.site, [row for row in before if row.visit_key not in wanted])
    return taken


def _add_given(taken: Taken, site: Site, given: Sequence[ImportRow]) -> None:
    if not given:
        return
    for row, each in zip(given, _wanted(site, given).values(), strict=True):
        for kind, resource in {**row.held, PATIENT: each.patient}.items():
            held = each.need.held(kind, each.starts_at)
            taken.add(resource, ticks.floor(held.starts_at), ticks.ceil(held.ends_at))


def _clear(
    act: Act,
    places: Mapping[str, Place],
    wanted: Mapping[str, Wanted],
    waiting: Sequence[ImportRow],
) -> dict[str, Place]:
    """The places without those that a block stands over; holds that ran out are cleared away."""
    keys = [key for key, place in places.items() if place.held]
    held = [
        each for number, key in enumerate(keys) for each in _held(wanted[key], places[key], number)
    ]
    moving = Appointment.objects.filter(
        pk__in=[row.appointment for row in waiting if row.appointment]
    )
    lost = {
        keys[each.held.visit]
        for each in allocating.clear_the_way(held, now=act.now, without=list(moving))
    }
    blocked = Place(problem=noop("Who or what it needs is blocked then."))
    return {key: blocked if key in lost else place for key, place in places.items()}


def _held(wanted: Wanted, place: Place, number: int) -> list[Held]:
    resources: dict[str, Any] = {**place.held, PATIENT: wanted.patient}
    return [
        Held(resource, wanted.need.held(kind, wanted.starts_at), number)
        for kind, resource in resources.items()
    ]


# --- Writing --------------------------------------------------------------------------------------


def _write(act: Act, lines: Sequence[_Line], ours: Mapping[int, Appointment]) -> None:
    placed = [line for line in lines if line.place.held]
    new = [line for line in placed if not line.row.appointment]
    moved = [line for line in placed if line.row.appointment in ours]
    rows_new = [_appointment(act, line) for line in new]
    copying.store(rows_new)
    history.begin(act, rows_new)
    rows_moved = [_moved(act, line, ours[line.row.appointment or 0]) for line in moved]
    pairs = [*zip(new, rows_new, strict=True), *zip(moved, rows_moved, strict=True)]
    held = [
        (each, appointment)
        for line, appointment in pairs
        for each in _held(line.wanted, line.place, 0)
    ]
    allocating.hold([each for each, _ in held], [appointment for _, appointment in held])
    for line, appointment in pairs:
        line.row.appointment = appointment.pk
    history.remember(
        act,
        [
            (_told(line.row), line.row.patient_id or 0, line.row.appointment)
            for line in lines
            if line.place.held or not line.row.appointment
        ],
    )
    _tasks(act, lines)
    Patient.objects.filter(pk__in={line.row.patient_id for line in placed}).raise_revision()


def _appointment(act: Act, line: _Line) -> Appointment:
    starts_at, series, session = line.wanted.starts_at, line.row.series, line.row.session
    assert series is not None
    assert session is not None
    booked = rows.booked_at(line.row.visit, starts_at, act.now)
    return Appointment(
        series_id=series,
        site=act.source.site,
        protocol_version_id=line.row.visit["version"],
        session=session,
        state=State.BOOKED,
        starts_at=starts_at,
        ends_at=placing.ends_at(line.wanted),
        booked_at=booked,
        scheduled_at=booked,
        imported_at=act.now,
        imported_start=starts_at,
    )


def _moved(act: Act, line: _Line, visit: Appointment) -> Appointment:
    """A visit that nobody touched, at the time that the corrected file gives it. The patient was
    told of it there, so it is the same schedule version."""
    allocating.release(visit)
    before = visit.starts_at, visit.ends_at
    visit.starts_at, visit.ends_at = line.wanted.starts_at, placing.ends_at(line.wanted)
    visit.imported_start = visit.starts_at
    visit.save(update_fields=["starts_at", "ends_at", "imported_start"])
    StatusChange.objects.create(
        appointment=visit,
        at=act.now,
        by=act.by,
        move=Move.IMPORT,
        state_before=visit.state,
        state_after=visit.state,
        starts_before=before[0],
        ends_before=before[1],
        starts_after=visit.starts_at,
    )
    return visit


def _told(row: ImportRow) -> Told:
    assert row.starts_at is not None
    return Told(row.number, row.visit_key, row.series_key, row.starts_at.astimezone(UTC), row.visit)


def _tasks(act: Act, lines: Sequence[_Line]) -> None:
    """Work for those without a place; what has one now is closed."""
    site = act.source.site
    found = [f"import.place.{site.pk}.{line.row.visit_key}" for line in lines if line.place.held]
    Task.objects.filter(key__in=found).open().update(
        closed_at=act.now, closed_by=act.by, outcome=noop("It has its place now.")
    )
    without = [line for line in lines if not line.place.held and not line.row.appointment]
    series = TreatmentSeries.objects.filter(pk__in=[line.row.series for line in without])
    names = dict(series.values_list("pk", "protocol_version__name"))
    Task.objects.bulk_create(
        [
            Task(
                key=f"import.place.{site.pk}.{line.row.visit_key}",
                site=site,
                patient_id=line.row.patient_id,
                kind=TaskKind.CHECK,
                title=kept("Find a place for session %(session)s", session=line.row.session or 0),
                detail=together(
                    (
                        kept(
                            "%(protocol)s: in the former system it was on %(when)s.",
                            protocol=quoted(names[line.row.series or 0]),
                            when=moment(line.wanted.starts_at, site.zone),
                        ),
                        line.place.problem,
                        noop("Book the next session of the series, then close this."),
                    )
                ),
                why=[noop("It was brought over and collides with what is in the diary.")],
                due_at=act.now,
                created_at=act.now,
            )
            for line in without
        ],
        ignore_conflicts=True,
    )


_STORE = """
UPDATE appointments_importrow stored
   SET outcome = line.outcome, sentence = line.sentence, appointment = line.appointment,
       held = line.held
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::jsonb[])
       AS line (id, outcome, sentence, appointment, held)
 WHERE stored.id = line.id
"""


def _store(rows: Sequence[ImportRow]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            [
                [row.pk for row in rows],
                [str(row.outcome) for row in rows],
                [row.sentence for row in rows],
                [row.appointment for row in rows],
                [json.dumps(row.held) for row in rows],
            ],
        )


def _tell(line: _Line, site: Site, barred: Sequence[str]) -> None:
    row, place = line.row, line.place
    row.held = dict(place.held)
    said: tuple[str, ...]
    if place.held:
        said = (
            kept("Visit on %(when)s.", when=moment(line.wanted.starts_at, site.zone)),
            *barred,
        )
    elif row.outcome == Outcome.UPDATE and row.appointment:
        row.outcome = Outcome.CONFLICT
        said = place.problem, noop("The visit stays at the time that it has here.")
    else:
        row.outcome = Outcome.PLACE
        said = place.problem, noop("A task keeps the visit until it has a place.")
    row.sentence = together((row.sentence, *said), most=SENTENCE_LENGTH)
