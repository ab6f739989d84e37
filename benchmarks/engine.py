"""Planning and sending, against the same rows moved by bare SQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection, transaction

from appointments.models import Appointment, TreatmentSeries
from benchmarks import house
from benchmarks.figures import Figure, milliseconds, p50
from benchmarks.house import NOW, House
from reminders.channels.base import (
    CannotSay,
    LookUp,
    Outcome,
    Outgoing,
    Submission,
    Unanswered,
)
from reminders.journeys import replanning
from reminders.models import Message
from reminders.sending import dispatch

GROUP = "engine"
PATIENTS = 100
DAY = timedelta(days=1)


class NoProvider:
    """A channel that takes everything at once: what is left is our own work."""

    name = provider = "none"

    def submit(self, outgoing: Outgoing) -> Submission:
        return Submission(outcome=Outcome.ACCEPTED, provider_id=outgoing.reference[:32])

    def look_up(self, unanswered: Unanswered) -> LookUp:
        return CannotSay()

    def close(self) -> None:
        """Nothing is open."""


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    step(f"{PATIENTS} booked series")
    _book(house.build())
    step("planning")
    began = time.perf_counter()
    replanning.sync_stale(now=NOW, limit=PATIENTS)
    planned = Message.objects.count() / (time.perf_counter() - began)
    yield Figure(GROUP, "plan messages", planned, "messages/s", _copies(), 120)
    step("an idle tick")
    idle = milliseconds(lambda: dispatch.send_due(now=NOW), times=200)
    floor = milliseconds(_select, times=200)
    yield Figure(GROUP, "idle tick, p50", p50(idle), "ms", p50(floor), 25)
    step("sending")
    floor_rate = _moves()
    began = time.perf_counter()
    sent = 0
    while claimed := dispatch.send_due(now=NOW + DAY, channel=lambda _: NoProvider())["claimed"]:
        sent += claimed
    rate = sent / (time.perf_counter() - began)
    yield Figure(GROUP, "send messages, no provider", rate, "messages/s", floor_rate, 60)


def _book(built: House) -> None:
    """A series of three for each patient, without the places that planning does not look at."""
    for patient in house.patients(built, PATIENTS):
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


TAKE = """
UPDATE copy SET state = 'claimed', claim_token = gen_random_uuid(), wake_at = %s
 WHERE id = ANY (ARRAY(SELECT id FROM copy WHERE state = 'scheduled' AND wake_at <= %s
                        ORDER BY priority, wake_at LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING id
"""
CLOSE = "UPDATE copy SET state = 'accepted', accepted_at = %s, wake_at = NULL WHERE id = ANY (%s)"


def _moves() -> float:
    """Rows a second that bare SQL claims and completes, two commits a window, as we do.

    Makes every planned message due first, for the measurement that follows too.
    """
    Message.objects.filter(state="scheduled", waits_for="").update(
        due_at=NOW, wake_at=NOW, expires_at=NOW + 30 * DAY, priority=0
    )
    moved = 0
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copy (LIKE reminders_message INCLUDING ALL)")
        cursor.execute("INSERT INTO copy SELECT * FROM reminders_message")
        began = time.perf_counter()
        while True:
            cursor.execute(TAKE, [NOW + DAY, NOW, dispatch.WINDOW])
            taken = [row[0] for row in cursor.fetchall()]
            if not taken:
                return moved / (time.perf_counter() - began)
            cursor.execute(CLOSE, [NOW, taken])
            moved += len(taken)


def _select() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
