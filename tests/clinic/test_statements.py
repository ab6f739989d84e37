from __future__ import annotations

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic import statements

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
