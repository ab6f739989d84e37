"""Statements that are sent often: prepared once per connection, bound on the server.

The ORM's cursor binds on the client, and the server parses and plans each statement anew, which
costs more than a few rows do.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from threading import local
from typing import Any, TypeVar

import psycopg
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

PREPARED_FROM = 2

M = TypeVar("M", bound=models.Model)
Values = Mapping[str, Any] | Sequence[Any]

# Reading a moment in C takes a tenth of what the ORM's own reader takes; both give UTC.
_MOMENTS = psycopg.adapters.get_loader(
    psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT
)
_thread = local()


def cursor() -> CursorWrapper:
    """The thread's cursor on the connection and in the transaction of the ORM, with the ORM's
    errors; what counts the ORM's queries counts its statements too. What it gives is fetched
    before it is asked again."""
    connection.ensure_connection()
    bound: Any = getattr(_thread, "cursor", None)
    if bound is None or bound.connection is not connection.connection:
        bound = _thread.cursor = _bound(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return wrap(bound)


def _bound(held: psycopg.Connection) -> psycopg.Cursor[tuple[Any, ...]]:
    held.prepare_threshold = PREPARED_FROM
    opened = psycopg.Cursor(held)
    if _MOMENTS is not None:
        opened.adapters.register_loader("timestamptz", _MOMENTS)
    return opened


def rows(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """What a statement gives back."""
    opened = cursor()
    opened.execute(statement, values)
    found: list[tuple[Any, ...]] = opened.fetchall()
    return found


def run(statement: str, values: Values) -> None:
    cursor().execute(statement, values)


def by_id(model: type[M], ids: Collection[int]) -> dict[int, M]:
    """Rows of a model by their ids, as the ORM's `in_bulk` gives them."""
    names = [field.attname for field in model._meta.concrete_fields]
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    statement = f'SELECT {columns} FROM "{model._meta.db_table}" WHERE id = ANY (%s::bigint[])'
    found = (model.from_db(connection.alias, names, row) for row in rows(statement, [numbers(ids)]))
    return {row.pk: row for row in found}


def numbers(ids: Iterable[int]) -> str:
    """Ids as the text of an array: the driver writes arrays item by item in Python."""
    return f"{{{','.join(map(str, ids))}}}"


def document(found: Sequence[Mapping[str, Any]] | Sequence[str]) -> str:
    """Rows as the text of a JSON array, for `json_to_recordset`."""
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)
