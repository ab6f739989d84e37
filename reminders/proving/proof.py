"""The whole proof: every promise held against every row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reminders.proving.checks import Check, Finding, snapshot
from reminders.proving.keeping import KEEPING
from reminders.proving.places import PLACES
from reminders.proving.plans import PLANS
from reminders.proving.records import RECORDS
from reminders.proving.sendings import SENDINGS
from reminders.proving.waiting import WAITING

CHECKS: tuple[Check, ...] = (*PLACES, *SENDINGS, *WAITING, *KEEPING, *RECORDS, *PLANS)


def prove(*, now: datetime) -> Iterator[tuple[Check, Finding]]:
    """Run every check, each on one moment of the database, and give back what it found.

    `now` is the database's. Changes nothing. The plan is compared batch by batch, each on a moment
    of its own, so that no snapshot is held for long.
    """
    for check in (*PLACES, *SENDINGS, *WAITING, *KEEPING, *RECORDS):
        with snapshot():
            yield check, check.run(now)
    for check in PLANS:
        yield check, check.run(now)
