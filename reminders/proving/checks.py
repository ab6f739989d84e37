"""What a check of the proof is, and how one that is a single query is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

# Rows that a check names; it counts them all.
MOST_NAMED = 100
# Two clocks write times of one story, the database's and that of the process that asked. So far
# may the one be ahead of the other.
CLOCKS = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `faults` rows that break it, the first of them by name."""

    faults: int
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: `name` for a program, `holds` as a sentence, `run` to look at every row."""

    name: str
    holds: str
    run: Callable[[datetime], Finding]


def by_query(name: str, holds: str, query: str, **values: Any) -> Check:
    """A check whose `query` selects the name of every row that breaks it; `now` is given to it."""

    def run(now: datetime) -> Finding:
        return _faults(query, {**values, "now": now, "clocks": CLOCKS})

    return Check(name, holds, run)


@contextmanager
def snapshot() -> Iterator[None]:
    """One moment of the whole database, for as long as the block lasts.

    Within another transaction it is that one's moment.
    """
    begins = not connection.in_atomic_block
    with transaction.atomic():
        if begins:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _faults(query: str, values: Mapping[str, Any]) -> Finding:
    counted = f"SELECT count(*) OVER (), subject FROM ({query}) AS fault (subject) LIMIT %(most)s"
    with connection.cursor() as cursor:
        cursor.execute(counted, {**values, "most": MOST_NAMED})
        rows = cursor.fetchall()
    return Finding(rows[0][0], tuple(row[1] for row in rows)) if rows else Finding(0)
