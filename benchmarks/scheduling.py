"""Finding and booking places, against the one query that loads the busy times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

from django.db import connection, transaction

from appointments import booking, proposing
from appointments.models import Allocation
from benchmarks import house
from benchmarks.figures import Figure, milliseconds, p50, p95
from benchmarks.house import NOW, House

GROUP = "scheduling"
SESSIONS = 6
HORIZON = timedelta(days=300)


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    step("a year of bookings")
    built = house.build()
    house.fill(built, days=365)
    [patient, *_] = house.patients(built, 1)
    whole = {
        "patient": patient,
        "site": built.site,
        "version": built.version,
        "areas": ["face"],
        "now": NOW,
    }
    step("the load query")
    load = milliseconds(lambda: _load(built), times=40)
    step("first 20 starts")
    first = milliseconds(lambda: proposing.first_starts(**whole), times=40)  # type: ignore[arg-type]
    yield Figure(GROUP, "first 20 starts, p95", p95(first), "ms", p95(load), 10)
    step(f"a series of {SESSIONS}")
    series = milliseconds(
        lambda: proposing.propose_series(**whole, sessions=SESSIONS),  # type: ignore[arg-type]
        times=20,
    )
    yield Figure(GROUP, f"propose {SESSIONS} visits, p95", p95(series), "ms", p95(load), 40)
    step("booking")
    yield from _booking(built)


LOAD = """
SELECT resource_id, string_agg(timestamptz_send(starts_at) || timestamptz_send(ends_at), ''
                               ORDER BY starts_at)
  FROM appointments_allocation
 WHERE active AND resource_id = ANY(%s) AND starts_at >= %s AND starts_at < %s
 GROUP BY resource_id
"""


def _load(built: House) -> None:
    """F: the busy times of all resources over the horizon, one packed value each."""
    resources = list(built.site.resources.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(LOAD, [resources, NOW, NOW + HORIZON])
        cursor.fetchall()


def _booking(built: House) -> Iterator[Figure]:
    """One visit booked whole, against four bare rows inserted and committed."""
    people = iter(house.patients(built, 60))
    places = proposing.first_starts(
        patient=next(people),
        site=built.site,
        version=built.version,
        areas=["face"],
        now=NOW,
        limit=400,
    )
    free = iter(places[::7])

    def book() -> None:
        booking.book_series(
            patient=next(people),
            site=built.site,
            version=built.version,
            areas=["face"],
            visits=[next(free).wish],
            by=built.desk,
            now=NOW,
        )

    taken = milliseconds(book, times=30)
    numbers = count()

    def insert() -> None:
        starts = NOW + timedelta(days=3000, hours=next(numbers))
        model = Allocation.objects.first()
        assert model is not None
        with transaction.atomic(), connection.cursor() as cursor:
            for resource in built.site.resources.values_list("pk", flat=True)[:4]:
                cursor.execute(
                    "INSERT INTO appointments_allocation"
                    " (resource_id, block_id, starts_at, ends_at, active)"
                    " VALUES (%s, %s, %s, %s, true)",
                    [resource, model.block_id, starts, starts + timedelta(minutes=30)],
                )

    bare = milliseconds(insert, times=30)
    yield Figure(GROUP, "book one visit, p50", p50(taken), "ms", p50(bare), 25)
