"""The ledger's own statements, sent again by a client that does nothing else: faster than that no
worker can be that keeps this ledger, in whatever language it is written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from django.db import connection

from benchmarks import engine_load
from benchmarks.engine_sending import MESSAGES, WINDOWS
from benchmarks.figures import Figure
from benchmarks.house import NOW, House
from clinic import statements
from patients.models import Patient
from reminders.sending import dispatch

GROUP = "engine"

Statement = tuple[str, Any]


def figures(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure]:
    """At each window, against bare SQL; both over one connection, while a core is free."""
    for window in WINDOWS:
        step(f"the statements of windows of {window}")
        _filled(built, patients)
        bare = engine_load.bare_sql(window, now=NOW, over=1)
        said = _said(window)
        _filled(built, patients)
        name = f"the statements of window {window} alone, over one connection"
        yield Figure(GROUP, name, MESSAGES / _seconds(said), "messages/s", bare)


def _said(window: int) -> list[list[Statement]]:
    """The statements with which this process sends what is due, by transaction."""
    heard = _Heard()
    with connection.execute_wrapper(heard):
        dispatch.drain(
            clock=lambda: NOW,
            seconds=600,
            channel=lambda _: engine_load.NoProvider(),
            rooms={"sms": dispatch.Room(1, window)},
            write=engine_load.canned,
        )
    return heard.transactions


def _filled(built: House, patients: Sequence[Patient]) -> None:
    """The same rows each time, under the same ids."""
    engine_load.emptied()
    engine_load.fill(built, patients, MESSAGES, due=NOW)


class _Heard:
    """What a connection is asked, by transaction."""

    def __init__(self) -> None:
        self.transactions: list[list[Statement]] = []
        self._is_open = False

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if not self._is_open:
            self.transactions.append([])
            self._is_open = True
            connection.on_commit(self._close)  # at once when nothing is open
        self.transactions[-1].append((sql, params))
        return execute(sql, params, many, context)

    def _close(self) -> None:
        self._is_open = False


def _seconds(transactions: Sequence[Sequence[Statement]]) -> float:
    """How long it takes to say them again."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as held, held.cursor() as cursor:
        held.prepare_threshold = statements.PREPARED_FROM
        began = time.perf_counter()
        for transaction in transactions:
            for sql, params in transaction:
                cursor.execute(sql, params)
                if cursor.description:
                    cursor.fetchall()
            held.commit()
        taken = time.perf_counter() - began
    if (sent := engine_load.count("accepted")) != MESSAGES:
        raise RuntimeError(f"of {MESSAGES} messages their statements sent {sent}")
    return taken
