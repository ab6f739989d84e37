"""Planning, sending and ticking, against the same rows moved by bare SQL."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial

import psycopg
from django.db import transaction

from benchmarks import (
    engine_load,
    engine_mail,
    engine_memory,
    engine_planning,
    engine_sending,
    engine_statements,
    house,
)
from benchmarks.figures import Figure, LeftOut, milliseconds, p50
from benchmarks.house import NOW, House
from clinic import statements
from patients.models import Patient
from reminders.ledger import claiming
from reminders.sending import dispatch
from reminders.sending.floor import Floor

GROUP = "engine"
PATIENTS = 4_000
DAY = timedelta(days=1)
STORED = (10_000, 100_000, 1_000_000, 10_000_000)
# Filling ten million rows takes minutes.
MOST_STORED = int(os.environ.get("BENCH_STORED", 1_000_000))
MOST_PAGES, MOST_MILLISECONDS = 10, 1.0
CLAIMED, MORE_PAGES = 64, 1.5
PINNED = (5_000, 20_000)


def figures(step: Callable[[str], None]) -> Iterator[Figure | LeftOut]:
    built = house.build()
    yield from engine_planning.figures(built, step)
    patients = house.crowd(built, PATIENTS)
    engine_load.planned()
    yield from engine_sending.figures(built, patients, step)
    yield from engine_statements.figures(built, patients, step)
    step("mail over TLS")
    yield from engine_mail.figures()
    yield from engine_memory.figures(step)
    yield from _ticks(built, patients, step)


def _ticks(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure | LeftOut]:
    """An empty tick and a claim beside more and more stored messages, half of them sent, half to
    come."""
    engine_load.emptied()
    stored, least, fewest, quickest = 0, 0.0, 0.0, 0.0
    for number in STORED:
        if number > MOST_STORED:
            why = f"filling takes minutes: BENCH_STORED={number}"
            yield LeftOut(GROUP, f"an empty tick beside {number:,} messages", why)
            continue
        step(f"an empty tick beside {number:,} messages")
        half = (number - stored) // 2
        for priority in (0, 1, 3):
            engine_load.fill(built, patients, half // 3, due=NOW + 30 * DAY, priority=priority)
        engine_load.fill(built, patients, half, due=NOW - 30 * DAY, state="accepted")
        stored = number
        name = f"an empty tick beside {number:,} messages"
        pages = _pages(claiming.ANYTHING)
        yield Figure(GROUP, f"{name}, pages", pages, "pages", 1, MOST_PAGES)
        taken = p50(milliseconds(_tick, times=200))
        least = least or taken
        yield Figure(GROUP, f"{name}, p50", taken, "ms", MOST_MILLISECONDS, 1)
        yield Figure(GROUP, f"{name}, against {STORED[0]:,}", taken, "ms", least)
        engine_load.fill(built, patients, 2 * CLAIMED, due=NOW - DAY)
        name = f"a claim of {CLAIMED} beside {number:,} messages"
        pages = _pages(claiming.TAKE)
        fewest = fewest or pages
        against = f"{name}, pages against {STORED[0]:,}"
        yield Figure(GROUP, against, pages, "pages", fewest, MORE_PAGES)
        taken = p50(milliseconds(_claim, times=50))
        quickest = quickest or taken
        yield Figure(GROUP, f"{name}, against {STORED[0]:,}", taken, "ms", quickest)
        engine_load.removed(due=NOW - DAY)
    step("an empty tick while a snapshot is kept")
    yield from _pinned(built, patients, p50(milliseconds(_tick, times=200)))


def _tick() -> None:
    assert not dispatch.send_due(now=NOW)


def _claim() -> None:
    with transaction.atomic():
        assert claiming.take(now=NOW, channels=["sms"], limit=CLAIMED)[0]
        transaction.set_rollback(True)


@transaction.atomic
def _pages(statement: str) -> float:
    """The pages that a statement touches; the first reading of the catalogue is not counted."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    values = {"now": NOW, "floor": claiming.BOTTOM, "channels": ["sms"], "limit": CLAIMED}
    statements.rows(explain, values)
    [(found,)] = statements.rows(explain, values)
    transaction.set_rollback(True)
    told = json.loads(found) if isinstance(found, str) else found
    plan = told[0]["Plan"]
    return float(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _pinned(built: House, patients: Sequence[Patient], unpinned: float) -> Iterator[Figure]:
    """A tick after some messages, and after more, were sent while somebody kept an old snapshot:
    as a worker has it, above the floor that it remembers, and without."""
    ticks = {}
    for number in PINNED:
        engine_load.fill(built, patients, number, due=NOW - DAY)
        with psycopg.connect(os.environ["DATABASE_URL"]) as idle:
            idle.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            idle.execute("SELECT 1 FROM reminders_message LIMIT 1")
            _drain()
            floor = Floor()
            _drain(floor)
            ticks[number] = p50(milliseconds(partial(_drain, floor), times=100))
            without = p50(milliseconds(_drain, times=100))
        name = f"an empty tick while a snapshot is kept and {number:,} are sent"
        yield Figure(GROUP, f"{name}, p50", ticks[number], "ms", unpinned, 5)
        yield Figure(GROUP, f"{name}, without a floor, p50", without, "ms", unpinned)
    few, many = PINNED
    name = f"an empty tick while a snapshot is kept and {many:,} are sent"
    yield Figure(GROUP, f"{name}, against {few:,}", ticks[many], "ms", ticks[few])


def _drain(floor: Floor | None = None) -> None:
    dispatch.drain(
        clock=lambda: NOW,
        seconds=300,
        channel=lambda _: engine_load.NoProvider(),
        rooms={"sms": dispatch.Room(1, 500)},
        write=engine_load.canned,
        floor=floor,
    )
