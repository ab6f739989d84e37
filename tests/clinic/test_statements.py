from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

import psycopg
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic import statements
from clinic.models import AuditEntry
from clinic.origin import Via
from clinic.postgresql.base import MOMENTS

pytestmark = pytest.mark.django_db

TWICE = "SELECT %(number)s::int * 2"


def test_a_statement_is_prepared_once_it_was_sent_often_enough() -> None:
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int %'"

    assert [statements.rows(TWICE, {"number": n}) for n in range(4)] == [
        [(n * 2,)] for n in range(4)
    ]
    assert statements.rows(prepared.replace("%", "%%"), ()) == [(1,)]


def test_who_counts_the_queries_of_a_page_counts_statements_too() -> None:
    with CaptureQueriesContext(connection) as captured:
        statements.rows(TWICE, {"number": 1})

    assert [query["sql"] for query in captured] == ["SELECT $1::int * 2"]


def test_what_the_database_refuses_is_an_error_of_the_orm() -> None:
    with pytest.raises(DataError, match="out of range"), transaction.atomic():
        statements.run("SELECT %s::smallint", [70_000])


def test_the_orm_reads_moments_as_the_driver_does_and_in_utc() -> None:
    said = "SELECT '2027-03-14 01:30:00.25-05'::timestamptz, NULL::timestamptz"
    with connection.cursor() as cursor:
        cursor.execute(said)
        [(at, none)] = cursor.fetchall()
        reader = cursor.cursor.adapters.get_loader(1184, psycopg.pq.Format.TEXT)

    assert (at, none) == (datetime(2027, 3, 14, 6, 30, 0, 250_000, tzinfo=UTC), None)
    assert at.tzinfo is UTC
    assert reader is MOMENTS


def an_entry(number: int) -> AuditEntry:
    return AuditEntry(
        at=datetime(2027, 3, 4, 10, number, 0, 123456, tzinfo=UTC),
        action="test",
        subject_type="clinic.site",
        subject_id=str(number),
        before={"name": 'Señora "O\\Hara"', "ids": [1, 2]},
        via=Via.API,
        ip="192.0.2.7",
    )


def test_rows_are_stored_as_the_orm_stores_them_and_read_as_it_reads_them() -> None:
    quick, slow = [an_entry(1), an_entry(2)], [an_entry(1), an_entry(2)]
    statements.add(*quick)
    AuditEntry.objects.bulk_create(slow)

    names = [field.attname for field in AuditEntry._meta.concrete_fields if field.name != "id"]
    for one, other in zip(quick, slow, strict=True):
        assert not one._state.adding
        kept, expected = AuditEntry.objects.get(pk=one.pk), AuditEntry.objects.get(pk=other.pk)
        [read] = statements.where(AuditEntry, "id = %s", [one.pk])
        for name in names:
            assert getattr(kept, name) == getattr(expected, name) == getattr(read, name), name
    assert quick[0].pk < quick[1].pk


def test_what_is_left_out_of_a_row_is_read_when_it_is_asked_for() -> None:
    entry = an_entry(3)
    statements.add(entry)

    [row] = statements.by_id(AuditEntry, [entry.pk], without=["before"]).values()

    assert row.get_deferred_fields() == {"before"}
    assert row.before == entry.before


def test_nothing_to_store_asks_the_database_nothing() -> None:
    with CaptureQueriesContext(connection) as captured:
        statements.add()

    assert len(captured) == 0


ODD = 'Señora "O\\Hara"\t\\N\r\nsees \x1f and \x1e: 皮膚'


def test_what_is_copied_reads_as_it_was_given() -> None:
    statements.run(
        "CREATE TEMPORARY TABLE copied (id int, said text, at timestamptz, list jsonb,"
        " is_open bool, begins text DEFAULT 'so')",
        (),
    )
    at = datetime(2027, 3, 4, 10, 0, 0, 123456, tzinfo=UTC)
    given = [(1, ODD, str(at), [ODD, ""], True), (2, "", None, [], False)]
    names = ("is_open", "id", "said", "at", "list")
    statements.copy("copied", names, [])
    statements.copy(
        "copied",
        names,
        [(is_open, pk, said, at, statements.texts(many)) for pk, said, at, many, is_open in given],
    )
    found = statements.rows("SELECT id, said, at, list::text, is_open, begins FROM copied", ())
    assert [(*row[:3], json.loads(row[3]), *row[4:]) for row in found] == [
        (1, ODD, at, [ODD, ""], True, "so"),
        (2, "", None, [], False, "so"),
    ]


def test_what_the_database_refuses_of_a_copy_is_an_error_of_the_orm() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        statements.copy("clinic_site", ["slug"], [["without the rest"]])
    assert statements.rows("SELECT 1", ()) == [(1,)]


class Row(NamedTuple):
    id: int
    words: str
    at: datetime | None
    is_new: bool


def test_rows_given_column_by_column_come_as_they_are() -> None:
    at = datetime(2027, 3, 14, 6, 30, 0, 250_000, tzinfo=UTC)
    rows = [Row(1, 'Señora "O\\Hara", {x}\n%s', at, True), Row(2**40, "", None, False)]
    query = statements.given(id="bigint", words="text", at="timestamptz", is_new="boolean")

    assert statements.rows(query, statements.columns(rows)) == rows
