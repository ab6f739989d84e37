"""Statements that are sent often: prepared once per connection, bound on the server.

The ORM's cursor binds on the client, and the server parses and plans each statement anew, which
costs more than a few rows do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

PREPARED_FROM = 2


@contextmanager
def cursor() -> Iterator[CursorWrapper]:
    """A cursor on the connection and in the transaction of the ORM, with the ORM's errors; what
    counts the ORM's queries counts its statements too."""
    connection.ensure_connection()
    held: psycopg.Connection = connection.connection
    held.prepare_threshold = PREPARED_FROM
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    bound: Any = psycopg.Cursor(held)
    with wrap(bound) as opened:
        yield opened


def rows(statement: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement gives back."""
    with cursor() as opened:
        opened.execute(statement, values)
        found: list[tuple[Any, ...]] = opened.fetchall()
        return found


def run(statement: str, values: Mapping[str, Any] | Sequence[Any]) -> None:
    with cursor() as opened:
        opened.execute(statement, values)
