"""Finding starts and planning series, against the one query that loads what is taken.

F is that very query, for the same resources and days, as the production code sends it; each call
is measured beside its own F, from another first date each time. Nothing is cached.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from itertools import cycle
from random import Random
from typing import Any

from django.db import connection

from appointments import proposing
from appointments.proposing import loading
from appointments.proposing.series import HORIZON, last_day
from appointments.proposing.starts import SOON
from benchmarks.figures import Figure, milliseconds, p95
from benchmarks.house import NOW, House
from clinic.models import ProtocolVersion, Resource
from clinic.protocols import loading as protocols
from clinic.wall_time import instant
from patients.models import Patient

SESSIONS, TIMES = 6, 60
ONE_DAY = timedelta(days=1)


def figures(
    step: Callable[[str], None],
    group: str,
    house: House,
    version: ProtocolVersion,
    patient: Patient,
    *,
    most_starts: float,
    most_plans: float,
) -> Iterator[Figure]:
    """The two operations of every booking, each as p95 over p95 of its F; the memory of one."""
    whole: dict[str, Any] = {
        "patient": patient,
        "site": house.site,
        "version": version,
        "areas": ["face"],
        "now": NOW,
    }
    random = Random(1)
    firsts = cycle([NOW.date() + random.randint(1, 40) * ONE_DAY for _ in range(TIMES)])
    interval = protocols.get(version).series.interval

    def horizon(first: date) -> date:
        return last_day(first + HORIZON, interval, SESSIONS - 1)

    step("first 20 starts")
    floor, taken = _beside(
        firsts,
        lambda first: load(house, patient, first, first + SOON),
        lambda first: proposing.search_starts(**whole, first_from=first),
    )
    yield Figure(group, "first 20 starts, p95", p95(taken), "ms", p95(floor), most_starts)
    step(f"five plans of {SESSIONS}")

    def plan(first: date) -> None:
        found = proposing.propose_series(**whole, sessions=SESSIONS, first_from=first)
        assert len(found.plans) == 5, found.problem

    floor, taken = _beside(firsts, lambda first: load(house, patient, first, horizon(first)), plan)
    name = f"five plans of {SESSIONS} visits, p95"
    yield Figure(group, name, p95(taken), "ms", p95(floor), most_plans)
    yield _memory(group, plan, load(house, patient, next(firsts), horizon(next(firsts))), firsts)


def load(house: House, patient: Patient, first: date, last: date) -> int:
    """F: what is taken of every resource from `first` to `last`, as bytes; how many."""
    zone = house.site.zone
    asked: dict[str, Any] = {
        "resources": [
            *Resource.objects.filter(site=house.site).values_list("pk", flat=True),
            patient.resource_id,
        ],
        "first": instant(first, 0, zone),
        "end": instant(last, 24 * 60, zone),
        "now": NOW,
        "visits": [],
        "hold": -1,
    }
    with connection.cursor() as cursor:
        cursor.execute(loading.BUSY, asked)
        return sum(len(packed) for _, packed in cursor)


def _beside(
    firsts: Iterator[date], floor: Callable[[date], object], act: Callable[[date], object]
) -> tuple[list[float], list[float]]:
    """The milliseconds of both for each date, in turn."""
    floors, taken = [], []
    for _ in range(TIMES):
        first = next(firsts)
        floors += milliseconds(partial(floor, first), times=1)
        taken += milliseconds(partial(act, first), times=1)
    return floors, taken


def _memory(
    group: str, plan: Callable[[date], None], loaded: int, firsts: Iterator[date]
) -> Figure:
    """The most that planning once has allocated at a time, beside the bytes that it loads."""
    tracemalloc.start()
    plan(next(firsts))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    name = f"memory of five plans of {SESSIONS} visits"
    return Figure(group, name, peak / 2**20, "MiB", loaded / 2**20, 60)
