"""Rows to send, in any number, and the same rows moved by bare SQL over two connections."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
from django.db import connection

from benchmarks.house import NOW, House
from config.processes import wait_until
from patients.models import Patient
from reminders import gate
from reminders.channels.base import (
    CannotSay,
    LookUp,
    Outcome,
    Outgoing,
    Submission,
    Unanswered,
)
from reminders.ledger import claiming
from reminders.ledger.claiming import Due
from reminders.ledger.marking import Words
from reminders.sending.taking import Ready

TEXT = "Bench: see you tomorrow, Tue 16 Feb at 2:00 PM. Reply C to confirm. STOP to opt out."
LIFE = timedelta(days=9)
CONNECTIONS = 2


class NoProvider:
    """A channel that takes everything after `seconds`: what is left is our own work."""

    name = provider = "none"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def submit(self, outgoing: Outgoing) -> Submission:
        if self.seconds:
            time.sleep(self.seconds)
        return Submission(outcome=Outcome.ACCEPTED, provider_id=outgoing.reference[:32])

    def look_up(self, unanswered: Unanswered) -> LookUp:
        return CannotSay()

    def close(self) -> None:
        """Nothing is open."""


def canned(
    due: Sequence[Due], known: Mapping[int, gate.Recipient], now: datetime
) -> dict[int, Ready]:
    """The same words for everybody: no rendering, but all that is stored of it."""
    return {
        each.pk: Ready(
            Outgoing(
                message_id=each.pk,
                reference=each.key,
                to=known[each.pk].address,
                sender="+12125550100",
                text=TEXT,
            ),
            Words(message_id=each.pk, address=known[each.pk].address, text=TEXT),
        )
        for each in due
    }


@contextmanager
def owner() -> Iterator[psycopg.Connection]:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as held:
        yield held


def planned() -> None:
    """As if planning had looked at everybody, and had merged what is late."""
    with owner() as held:
        held.execute(
            "UPDATE patients_patient SET planned_revision = revision, catch_up_at = %s", [NOW]
        )
        held.execute("UPDATE clinic_site SET planned_revision = revision")
        held.execute("VACUUM ANALYZE")  # as the database does by itself after a minute


FILL = """
INSERT INTO reminders_message
  (key, reference, patient_id, to_address, site_id, kind, channel, purpose, priority, needs, steps,
   due_at, expires_at, wake_at, waits_for, state, reason, why, gate_why, attempts_made,
   provider, provider_id, error_code, created_at, accepted_at)
SELECT gen_random_uuid()::text, gen_random_uuid(), (%(patients)s::bigint[])[1 + n %% %(many)s], '',
       %(site)s, 'reminder_final', 'sms', 'care', %(priority)s, '[]', '[]',
       %(due)s + n * %(apart)s, %(expires)s + n * %(apart)s,
       %(wake)s::timestamptz + n * %(apart)s, '', %(state)s, '', '["It was booked."]', '[]', 0,
       '', '', '', %(due)s, %(accepted)s
  FROM generate_series(1, %(number)s) AS n
"""


def fill(
    built: House,
    patients: Sequence[Patient],
    number: int,
    *,
    due: datetime,
    state: str = "scheduled",
    priority: int = 1,
    apart: timedelta = timedelta(),
) -> None:
    """Store this many messages, spread over the patients, waiting for `due` or sent then; the first
    for `due`, each other this much later than the one before."""
    ids = [patient.pk for patient in patients]
    waits = state == "scheduled"
    with owner() as held:
        held.execute(
            FILL,
            {
                "patients": ids,
                "many": len(ids),
                "site": built.site.pk,
                "number": number,
                "due": due,
                "expires": due + LIFE,
                "wake": due if waits else None,
                "accepted": None if waits else due,
                "state": state,
                "priority": priority,
                "apart": apart,
            },
        )
        held.execute("VACUUM ANALYZE reminders_message")


def emptied() -> None:
    with owner() as held:
        held.execute("TRUNCATE reminders_message RESTART IDENTITY CASCADE")


def removed(*, due: datetime) -> None:
    """Take these out of what is stored, with what they leave in the indexes."""
    with owner() as held:
        held.execute(
            "DELETE FROM reminders_message WHERE due_at = %s AND state = 'scheduled'", [due]
        )
        held.execute("VACUUM ANALYZE reminders_message")


# A queue in bare SQL keeps the end of a lease where it kept when the row was due: `{lease}`. The
# ledger does not, so that its mark can be written in place.
TAKE = """
UPDATE bench_copy
   SET state = 'submitting', claim_token = gen_random_uuid(), leased_until = %(until)s{lease}
 WHERE id = ANY (ARRAY(SELECT id FROM bench_copy
                        WHERE state = 'scheduled' AND wake_at <= %(now)s
                          AND priority BETWEEN 1 AND 2
                        ORDER BY wake_at LIMIT %(window)s FOR UPDATE SKIP LOCKED))
RETURNING id
"""
CLOSE = """
UPDATE bench_copy SET state = 'accepted', accepted_at = %(now)s, wake_at = NULL
 WHERE id = ANY (%(ids)s)
"""


def bare_sql(
    window: int, *, now: datetime, in_place: bool = False, over: int = CONNECTIONS
) -> float:
    """Messages a second that so many connections claim and complete on a copy of the ledger's table
    with all its indexes, two commits a window, and nothing else; `in_place` marks as the ledger
    does."""
    with owner() as held:
        held.execute("DROP TABLE IF EXISTS bench_copy")
        held.execute("CREATE TABLE bench_copy (LIKE reminders_message INCLUDING ALL)")
        if in_place:
            held.execute("ALTER TABLE bench_copy SET (fillfactor = 50)")
        columns = given("reminders_message")
        held.execute(f"INSERT INTO bench_copy ({columns}) SELECT {columns} FROM reminders_message")
        held.execute("VACUUM ANALYZE bench_copy")
        number = held.execute(
            "SELECT count(*) FROM bench_copy WHERE state = 'scheduled' AND wake_at <= %s", [now]
        ).fetchone()
        take = TAKE.format(lease="" if in_place else ", wake_at = %(until)s")
        threads = [threading.Thread(target=_move, args=(take, window, now)) for _ in range(over)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = time.perf_counter() - began
        held.execute("DROP TABLE bench_copy")
    return float(number[0]) / taken if number else 0.0


def _move(take: str, window: int, now: datetime) -> None:
    values = {"now": now, "until": now + LIFE, "window": window}
    with owner() as held, held.cursor() as cursor:
        while True:
            cursor.execute(take, values, prepare=True)
            taken = [row[0] for row in cursor.fetchall()]
            if not taken:
                return
            cursor.execute(CLOSE, {"now": now, "ids": taken}, prepare=True)


GIVEN = """
SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


def given(table: str) -> str:
    """The columns of a table that are not generated, for a statement that copies it."""
    with connection.cursor() as cursor:
        cursor.execute(GIVEN, [table])
        return str(cursor.fetchone()[0])


def count(state: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reminders_message WHERE state = %s", [state])
        return int(cursor.fetchone()[0])


# Asked while others work, so it must cost them nothing: pages of an index.
NOTHING_DUE = f"SELECT NOT ({claiming.ANYTHING.removeprefix('SELECT ')})"


def accepted_by(number: int) -> float:
    """The moment at which all that is due by NOW is accepted (`time.perf_counter`)."""

    def done() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(NOTHING_DUE, {"now": NOW, "floor": claiming.BOTTOM})
            return cursor.fetchone()[0] and count("accepted") >= number

    if not wait_until(done, seconds=300, every=0.01):
        raise RuntimeError(f"{count('accepted')} of {number} were sent")
    return time.perf_counter()
