"""Planning, against the same rows copied by the database alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from django.db.models import F

from appointments.models import Appointment, TreatmentSeries
from benchmarks import engine_load
from benchmarks.figures import Figure
from benchmarks.house import NOW, House
from patients.models import Patient
from reminders.journeys import replanning
from reminders.models import Message, MessageItem

GROUP = "engine"
SIZES = (20, 100)
OF_COPIES = 0.5
DAY = timedelta(days=1)
TABLES = ("reminders_message", "reminders_messageitem")
FOREIGN_KEYS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'f'
"""


def figures(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure]:
    """Planning series of three visits for the first time and after each moved, at two sizes."""
    least, few = 0.0, 0.0
    for size in SIZES:
        step(f"planning {size} booked series")
        some, patients = patients[:size], patients[size:]
        before = _rows()
        _book(built, some)
        Patient.objects.filter(pk__in=[each.pk for each in some]).raise_revision()
        taken = _plan(size)
        rate = (_rows() - before) / taken
        yield Figure(GROUP, f"plan {size} series", rate, "rows/s", _copies(), 1 / OF_COPIES)
        name = f"plan {size} series, against a copy without foreign keys and log"
        yield Figure(GROUP, name, rate, "rows/s", _copies(bare=True))
        least = least or rate
        yield Figure(GROUP, f"plan {size} series against {SIZES[0]}", rate, "rows/s", least)
        moved = Appointment.objects.filter(series__patient__in=some)
        moved.update(
            starts_at=F("starts_at") + 7 * DAY,
            ends_at=F("ends_at") + 7 * DAY,
            schedule_version=F("schedule_version") + 1,
        )
        Patient.objects.filter(pk__in=[each.pk for each in some]).raise_revision()
        replanned = size / _plan(size)
        few = few or replanned
        name = f"replan {size} moved series, against {SIZES[0]}"
        yield Figure(GROUP, name, replanned, "series/s", few)


def _plan(size: int) -> float:
    began = time.perf_counter()
    assert replanning.sync_stale(now=NOW, limit=size) == size
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
