"""Statements that every message passes: prepared once per connection, bound on the server.

The ORM's cursor binds on the client, and the server parses and plans each statement anew, which
costs more than the rows of a small window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

PREPARED_FROM = 2


@contextmanager
def cursor() -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """A cursor on the connection and in the transaction of the ORM, with the ORM's errors."""
    connection.ensure_connection()
    held: psycopg.Connection = connection.connection
    held.prepare_threshold = PREPARED_FROM
    with connection.wrap_database_errors, psycopg.Cursor(held) as opened:
        yield opened


def rows(statement: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement gives back."""
    with cursor() as opened:
        opened.execute(statement, values)
        return opened.fetchall()


def run(statement: str, values: Mapping[str, Any] | Sequence[Any]) -> None:
    with cursor() as opened:
        opened.execute(statement, values)
