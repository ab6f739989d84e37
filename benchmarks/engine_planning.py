"""Planning, against the same rows copied by the database alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from django.db.models import F

from appointments.models import Appointment, TreatmentSeries
from benchmarks import engine_load, house
from benchmarks.engine_load import CONNECTIONS
from benchmarks.engine_sending import worker
from benchmarks.figures import Figure
from benchmarks.house import NOW, House
from config.processes import wait_until
from patients.models import Patient
from reminders.journeys import replanning
from reminders.models import Message, MessageItem

GROUP = "engine"
SIZES = (200, 800)
# Planned first: the workers' first connections and plans.
FIRST = 80
OF_COPIES = 0.5
DAY = timedelta(days=1)
TABLES = ("reminders_message", "reminders_messageitem")
FOREIGN_KEYS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'f'
"""


def figures(built: House, step: Callable[[str], None]) -> Iterator[Figure]:
    """Planning series of three visits for the first time and after each moved, at two sizes, by
    real workers: two as a house has them, and one."""
    step("registering patients")
    patients = house.patients(built, FIRST + 2 * sum(SIZES))
    replanning.sync_stale(now=NOW, limit=len(patients))
    with worker("benchmarks.engine_worker:app", "bench"):
        some, patients = patients[:FIRST], patients[FIRST:]
        _book(built, some)
        _plan(some, planners=CONNECTIONS)
        for planners in (1, CONNECTIONS):
            yield from _planned(built, patients, planners, step)
            patients = patients[sum(SIZES) :]


def _planned(
    built: House, patients: Sequence[Patient], planners: int, step: Callable[[str], None]
) -> Iterator[Figure]:
    least, few = 0.0, 0.0
    by = f"by {planners}"
    for size in SIZES:
        step(f"planning {size} booked series {by}")
        some, patients = patients[:size], patients[size:]
        before = _rows()
        _book(built, some)
        taken = _plan(some, planners=planners)
        rate = (_rows() - before) / taken
        # The goal is for what a house plans, with all of its workers.
        target = 1 / OF_COPIES if planners == CONNECTIONS else None
        yield Figure(GROUP, f"plan {size} series {by}", rate, "rows/s", _copies(), target)
        name = f"plan {size} series {by}, against a copy without foreign keys and log"
        yield Figure(GROUP, name, rate, "rows/s", _copies(bare=True))
        least = least or rate
        yield Figure(GROUP, f"plan {size} series {by} against {SIZES[0]}", rate, "rows/s", least)
        moved = Appointment.objects.filter(series__patient__in=some)
        moved.update(
            starts_at=F("starts_at") + 7 * DAY,
            ends_at=F("ends_at") + 7 * DAY,
            schedule_version=F("schedule_version") + 1,
        )
        replanned = size / _plan(some, planners=planners)
        few = few or replanned
        name = f"replan {size} moved series {by}, against {SIZES[0]}"
        yield Figure(GROUP, name, replanned, "series/s", few)


def _plan(patients: Sequence[Patient], *, planners: int) -> float:
    """Seconds from the doorbells until nobody is stale."""
    from benchmarks.engine_worker import plan

    Patient.objects.filter(pk__in=[each.pk for each in patients]).raise_revision()
    began = time.perf_counter()
    for _ in range(planners):
        plan.apply_async((NOW.isoformat(),), queue="bench")
    if not wait_until(lambda: not Patient.objects.stale().exists(), seconds=300, every=0.01):
        raise RuntimeError("not everybody was planned")
    return time.perf_counter() - began


def _rows() -> int:
    return Message.objects.count() + MessageItem.objects.count()


def _book(built: House, patients: Sequence[Patient]) -> None:
    """A series of three for each patient, without the places that planning does not look at."""
    for patient in patients:
        series = TreatmentSeries.objects.create(
            patient=patient,
            site=built.site,
            protocol_version=built.version,
            areas=["face"],
            sessions=3,
            booked_at=NOW,
        )
        Appointment.objects.bulk_create(
            Appointment(
                series=series,
                site=built.site,
                protocol_version=built.version,
                session=session,
                starts_at=NOW + 28 * session * DAY,
                ends_at=NOW + 28 * session * DAY + timedelta(minutes=95),
                booked_at=NOW,
                scheduled_at=NOW,
            )
            for session in (1, 2, 3)
        )


def _copies(*, bare: bool = False) -> float:
    """Rows a second that the database copies and commits into tables of the same columns, indexes
    and foreign keys; `bare` without foreign keys and without log."""
    rows, taken = 0, 0.0
    with engine_load.owner() as held:
        for table in TABLES:
            kind = "UNLOGGED TABLE" if bare else "TABLE"
            held.execute(f"CREATE {kind} bench_copy (LIKE {table} INCLUDING ALL)")
            rules = [] if bare else held.execute(FOREIGN_KEYS, [table]).fetchall()
            for (rule,) in rules:
                held.execute(f"ALTER TABLE bench_copy ADD {rule}")
            columns = engine_load.given(table)
            began = time.perf_counter()
            copied = held.execute(
                f"INSERT INTO bench_copy ({columns}) SELECT {columns} FROM {table}"
            )
            taken += time.perf_counter() - began
            rows += copied.rowcount
            held.execute("DROP TABLE bench_copy")
    return rows / taken
