"""How late and how full the engine is: the figures of `/health/` and `/metrics/`.

Each query reads what is live or recent by an index, so it costs the same with ten million stored
messages as with ten. Counts and ages only: whoever may see them learns nothing of a patient.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from reminders.ledger.claiming import LANES, LEASE_END
from reminders.sending.lease import LEASE

# Outcomes and lateness are those of this last while.
RECENT = timedelta(minutes=15)
# The oldest due message may wait so long before the engine counts as late: the drain of every
# second, one lost claim and its lease.
LATE = LEASE + timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Measures:
    """Ages and lateness in seconds; `outcomes` and `lateness` of the last 15 minutes.

    `due` by priority counts what may be sent now and is not yet taken up. `outcomes` is by
    (provider, outcome, code): attempts. `lateness` is from the moment a message was due, or came
    to be if that was later, to the beginning of its first attempt: median, 99th percentile.
    """

    due: Counter[int]
    oldest_due: float
    submitting: int
    lapsed: int
    unknown: int
    oldest_unknown: float
    unplanned: int
    held_reports: int
    outcomes: Counter[tuple[str, str, str]]
    lateness: tuple[float, float]

    @property
    def is_late(self) -> bool:
        return self.oldest_due > LATE.total_seconds() or self.lapsed > 0


# What is marked keeps the `wake_at` at which it was due. The lanes are named so that the index of
# each is read.
_LIVE = f"""
SELECT message.state, message.priority, count(*),
       extract(epoch FROM %(now)s - min(message.wake_at)),
       count(*) FILTER (WHERE {LEASE_END} < %(lapsed)s)
  FROM reminders_message AS message
  LEFT JOIN patients_patient AS patient ON patient.id = message.patient_id
  JOIN clinic_site AS site ON site.id = message.site_id
 WHERE ({" OR ".join(f"(message.wake_at <= %(now)s AND message.{lane})" for lane in LANES)})
   AND (message.state = 'submitting'
        OR message.state = 'scheduled'
           AND site.revision = site.planned_revision
           AND (patient.id IS NULL OR patient.revision = patient.planned_revision))
 GROUP BY message.state, message.priority
"""
_UNKNOWN = """
SELECT count(*), coalesce(extract(epoch FROM %(now)s - min(claimed_at)), 0)
  FROM reminders_message WHERE tray = 'unknown'
"""
_UNPLANNED = "SELECT count(*) FROM patients_patient WHERE revision <> planned_revision"
# Reports that could not be dealt with when they came.
_HELD = "SELECT count(*) FROM reminders_heldreport WHERE tries > 0"
_RECENT = """
SELECT message.provider, attempt.outcome, attempt.code, count(*)
  FROM reminders_attempt AS attempt
  JOIN reminders_message AS message ON message.id = attempt.message_id
 WHERE attempt.started_at > %(since)s AND attempt.outcome <> ''
 GROUP BY message.provider, attempt.outcome, attempt.code
"""
# What quiet hours or a retry held back was not late; it carries the gate's sentence or a number.
_LATENESS = """
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY late), 0),
       coalesce(percentile_cont(0.99) WITHIN GROUP (ORDER BY late), 0)
  FROM (SELECT greatest(extract(epoch FROM attempt.started_at
                                - greatest(message.due_at, message.created_at)), 0) AS late
          FROM reminders_attempt AS attempt
          JOIN reminders_message AS message ON message.id = attempt.message_id
         WHERE attempt.started_at > %(since)s AND attempt.number = 1
           AND message.gate_why = '[]') AS first
"""


def measure(*, now: datetime) -> Measures:
    """The figures at `now`, the database's clock."""
    values = {
        "now": now,
        "lapsed": now - LEASE,
        "since": now - RECENT,
    }
    live = [
        _Live(state, priority, count, float(age), lapsed)
        for state, priority, count, age, lapsed in _rows(_LIVE, values)
    ]
    [(unknown, oldest_unknown)] = _rows(_UNKNOWN, values)
    [(unplanned,)] = _rows(_UNPLANNED, values)
    [(held,)] = _rows(_HELD, values)
    [(median, high)] = _rows(_LATENESS, values)
    due = [each for each in live if each.state == "scheduled"]
    return Measures(
        due=Counter({each.priority: each.count for each in due}),
        oldest_due=max((each.oldest for each in due), default=0.0),
        submitting=sum(each.count for each in live if each.state == "submitting"),
        lapsed=sum(each.lapsed for each in live if each.state != "scheduled"),
        unknown=unknown,
        oldest_unknown=float(oldest_unknown),
        unplanned=unplanned,
        held_reports=held,
        outcomes=Counter({(row[0], row[1], row[2]): row[3] for row in _rows(_RECENT, values)}),
        lateness=(float(median), float(high)),
    )


@dataclass(frozen=True, slots=True)
class _Live:
    state: str
    priority: int
    count: int
    oldest: float
    lapsed: int


def _rows(query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
