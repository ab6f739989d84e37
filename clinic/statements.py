"""Statements that are sent often: prepared once per connection, bound on the server.

The ORM's cursor binds on the client, and the server parses and plans each statement anew, which
costs more than a few rows do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from json.encoder import encode_basestring
from threading import local
from typing import Any, NamedTuple, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import RawSQL

from clinic.postgresql.base import MOMENTS

PREPARED_FROM = 2

M = TypeVar("M", bound=models.Model)
Values = Mapping[str, Any] | Sequence[Any]

_thread = local()


def cursor() -> CursorWrapper:
    """The thread's cursor on the connection and in the transaction of the ORM, with the ORM's
    errors; what counts the ORM's queries counts its statements too. What it gives is fetched
    before it is asked again."""
    held = connections[DEFAULT_DB_ALIAS]  # once: `connection` looks it up for each attribute
    held.ensure_connection()
    bound: Any = getattr(_thread, "cursor", None)
    if bound is None or bound.connection is not held.connection:
        bound = _thread.cursor = _bound(held.connection)
    return held.make_debug_cursor(bound) if held.queries_logged else held.make_cursor(bound)


def _bound(held: psycopg.Connection) -> psycopg.Cursor[tuple[Any, ...]]:
    held.prepare_threshold = PREPARED_FROM
    opened = psycopg.Cursor(held)
    opened.adapters.register_loader("timestamptz", MOMENTS)
    return opened


def rows(statement: str, values: Values) -> list[tuple[Any, ...]]:
    """What a statement gives back."""
    opened = cursor()
    opened.execute(statement, values)
    found: list[tuple[Any, ...]] = opened.fetchall()
    return found


def run(statement: str, values: Values) -> None:
    cursor().execute(statement, values)


def where(
    model: type[M], condition: str, values: Values, *, without: Collection[str] = ()
) -> list[M]:
    """The rows of a model for which a condition holds, as the ORM gives them; what comes after the
    condition, such as an order or a lock, may follow it. The fields `without` are deferred."""
    start, names, readers = _read(model, frozenset(without))
    found = [
        model.from_db(DEFAULT_DB_ALIAS, names, row)
        for row in rows(f"{start} WHERE {condition}", values)
    ]
    for name, read in readers:
        for row in found:
            setattr(row, name, read(getattr(row, name), None, connection))
    return found


@cache
def _read(
    model: type[models.Model], without: frozenset[str]
) -> tuple[str, list[str], list[tuple[str, Callable[..., Any]]]]:
    """How rows of a model are read: the statement but for its condition, the attributes in the
    order of their columns, and what reads those that the driver does not, such as JSON."""
    fields = [field for field in model._meta.concrete_fields if field.name not in without]
    readers = [
        (field.attname, read)
        for field in fields
        if (read := getattr(field, "from_db_value", None)) is not None
    ]
    start = f'SELECT {_columns(fields)} FROM "{model._meta.db_table}"'
    return start, [field.attname for field in fields], readers


def by_id(model: type[M], ids: Collection[int], *, without: Collection[str] = ()) -> dict[int, M]:
    """Rows of a model by their ids, as the ORM's `in_bulk` gives them."""
    found = where(model, "id = ANY (%s::bigint[])", [array(ids)], without=without)
    return {row.pk: row for row in found}


def add(*new: models.Model) -> None:
    """Store new rows of one model at once, in their order, and give them their ids.

    As the ORM's `bulk_create`, which spends more on each value than the database does.
    """
    if not new:
        return
    meta = type(new[0])._meta
    fields = [each for each in meta.concrete_fields if not (each.primary_key or each.generated)]
    columns, table = _columns(fields), meta.db_table
    values = [{str(each.column): getattr(row, each.attname) for each in fields} for row in new]
    written = rows(
        f'INSERT INTO "{table}" ({columns})'
        f' SELECT {columns} FROM json_populate_recordset(NULL::"{table}", %s) RETURNING id',
        [document(values)],
    )
    for row, (pk,) in zip(new, written, strict=True):
        row.pk, row._state.adding, row._state.db = pk, False, connection.alias


def copy(table: str, names: Iterable[str], new: Iterable[Sequence[str | int | None]]) -> None:
    """Store new rows of a table by COPY, which costs the server a third less than to read them out
    of a document. Each gives the columns `names` in their order; moments and lists are given as
    text."""
    columns = ", ".join(f'"{name}"' for name in names)
    with (
        connections[DEFAULT_DB_ALIAS].wrap_database_errors,
        cursor().copy(f'COPY "{table}" ({columns}) FROM STDIN') as into,
    ):
        for row in new:
            into.write_row(row)


def _columns(fields: Iterable[models.Field[Any, Any]]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def one_of(ids: Collection[int]) -> RawSQL:
    """Ids for the ORM's `__in`, as one parameter however many they are."""
    return RawSQL("SELECT unnest(%s::bigint[])", [array(ids)])


def array(values: Iterable[int | bool | datetime | None]) -> str:
    """Ids, truths or moments as the text of an array: the driver writes arrays item by item in
    Python."""
    return f"{{{','.join('NULL' if each is None else str(each) for each in values)}}}"


def given(**types: str) -> str:
    """A query for rows that are given column by column (`columns`), as texts that become these
    types: `given(id="bigint")` reads the parameter `id`. The server reads them in half the time
    that it takes for a document in which each row says the names again."""
    names, read = ", ".join(types), ", ".join(f"{name}::{kind}" for name, kind in types.items())
    values = ", ".join(f"json_array_elements_text(%({name})s::json)" for name in types)
    return f"SELECT {read} FROM ROWS FROM ({values}) AS given ({names})"


def columns(found: Sequence[NamedTuple]) -> dict[str, str]:
    """One row or more of one kind, for `given`: by field its values as the text of a JSON array."""
    values = zip(*found, strict=True)
    return dict(zip(found[0]._fields, map(document, values), strict=True))


def texts(several: Iterable[str]) -> str:
    """Texts as the text of a JSON array."""
    return f"[{','.join(map(encode_basestring, several))}]"


def document(found: Sequence[Any]) -> str:
    """Rows or values as the text of a JSON array; what JSON does not know, such as a moment, as its
    own text."""
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False, default=str)
