"""Planning, ticking and sending, against the same rows moved by bare SQL."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import psycopg
from django.db import connection, transaction

from appointments.models import Appointment, TreatmentSeries
from benchmarks import engine_load, engine_mail, engine_sending, house
from benchmarks.figures import Figure, LeftOut, milliseconds, p50
from benchmarks.house import NOW, House
from patients.models import Patient
from reminders.journeys import replanning
from reminders.ledger import claiming
from reminders.models import Message
from reminders.sending import dispatch

GROUP = "engine"
PATIENTS = 500
SERIES = 100
DAY = timedelta(days=1)
STORED = (10_000, 100_000, 1_000_000, 10_000_000)
# Filling ten million rows takes minutes.
MOST_STORED = int(os.environ.get("BENCH_STORED", 1_000_000))
MOST_PAGES = 10


def figures(step: Callable[[str], None]) -> Iterator[Figure | LeftOut]:
    built = house.build()
    patients = house.patients(built, PATIENTS)
    step(f"planning {SERIES} booked series")
    yield from _planning(built, patients[:SERIES])
    engine_load.planned()
    yield from engine_sending.figures(built, patients, step)
    step("mail over TLS")
    yield engine_mail.figure()
    yield from _ticks(built, patients, step)


def _planning(built: House, patients: Sequence[Patient]) -> Iterator[Figure]:
    _book(built, patients)
    began = time.perf_counter()
    replanning.sync_stale(now=NOW, limit=len(patients))
    taken = time.perf_counter() - began
    rows = Message.objects.count()
    yield Figure(GROUP, "plan messages", rows / taken, "messages/s", _copies(), 120)
    Message.objects.filter(state="scheduled", waits_for="").update(
        due_at=NOW, wake_at=NOW, expires_at=NOW + 30 * DAY, priority=0
    )
    bare = engine_load.bare_sql(dispatch.WINDOW, now=NOW)
    began = time.perf_counter()
    sent = 0
    while found := dispatch.send_due(now=NOW, channel=lambda _: engine_load.NoProvider()):
        sent += found["claimed"]
    rate = sent / (time.perf_counter() - began)
    yield Figure(GROUP, "send with words, one process, window 64", rate, "messages/s", bare, 60)


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


def _copies() -> float:
    """Rows a second that the database copies into a table of the same columns and indexes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE copy (LIKE reminders_message INCLUDING ALL) ON COMMIT DROP"
        )
        began = time.perf_counter()
        cursor.execute("INSERT INTO copy SELECT * FROM reminders_message")
        taken = time.perf_counter() - began
        return float(cursor.rowcount) / taken


def _ticks(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure | LeftOut]:
    """An empty tick beside more and more stored messages, half of them sent, half to come."""
    engine_load.emptied()
    stored, least = 0, 0.0
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
        yield Figure(GROUP, f"{name}, pages", _pages(), "pages", 1, MOST_PAGES)
        taken = p50(milliseconds(_tick, times=200))
        least = least or taken
        yield Figure(GROUP, f"{name}, p50", taken, "ms", least, 3)
    step("an empty tick while a snapshot is kept")
    yield _pinned(built, patients, p50(milliseconds(_tick, times=200)))


def _tick() -> None:
    assert not dispatch.send_due(now=NOW)


def _pages() -> float:
    """The pages that an empty tick touches; the first reading of the catalogue is not counted."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {claiming.ANYTHING}"
    with connection.cursor() as cursor:
        cursor.execute(explain, {"now": NOW, "floor": claiming.BOTTOM})
        cursor.execute(explain, {"now": NOW, "floor": claiming.BOTTOM})
        found = cursor.fetchone()[0]
    told = json.loads(found) if isinstance(found, str) else found
    plan = told[0]["Plan"]
    return float(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _pinned(built: House, patients: Sequence[Patient], unpinned: float) -> Figure:
    """A tick after twenty thousand messages were sent while somebody kept an old snapshot."""
    engine_load.fill(built, patients, 20_000, due=NOW - DAY)
    with psycopg.connect(os.environ["DATABASE_URL"]) as idle:
        idle.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        idle.execute("SELECT 1 FROM reminders_message LIMIT 1")
        dispatch.drain(
            clock=lambda: NOW,
            seconds=300,
            channel=lambda _: engine_load.NoProvider(),
            rooms={"sms": dispatch.Room(1, 500)},
            write=engine_load.canned,
        )
        taken = p50(milliseconds(_tick, times=100))
    return Figure(GROUP, "an empty tick while a snapshot is kept, p50", taken, "ms", unpinned, 5)
