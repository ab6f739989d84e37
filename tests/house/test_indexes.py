"""Every constraint and index that a model declares stands in the database, and none is in vain;
nor does a column that a release adds refuse rows of who does not know it."""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db

# Each row that is written pays for each. Of a partial one nothing is said, and what Django makes
# for many-to-many tables is its own.
BEGUN_BY_ANOTHER = """
SELECT one.indexrelid::regclass::text, other.indexrelid::regclass::text
  FROM pg_index one
  JOIN pg_index other ON other.indrelid = one.indrelid AND other.indexrelid <> one.indexrelid
  JOIN pg_class made ON made.oid = one.indexrelid
  JOIN pg_class longer ON longer.oid = other.indexrelid AND longer.relam = made.relam
 WHERE one.indrelid = ANY (%s::regclass[]) AND NOT one.indisunique
   AND one.indpred IS NULL AND other.indpred IS NULL
   AND one.indexprs IS NULL AND other.indexprs IS NULL
   AND (one.indclass::oid[])[0:one.indnkeyatts - 1]
       = (other.indclass::oid[])[0:one.indnkeyatts - 1]
   AND (one.indkey::int2[])[0:one.indnkeyatts - 1] = (other.indkey::int2[])[0:one.indnkeyatts - 1]
"""


def test_every_constraint_and_index_of_a_model_is_there() -> None:
    """A migration of a column may take with it what else lies on that column alone."""
    declared = {
        each.name
        for model in apps.get_models()
        for each in (*model._meta.constraints, *model._meta.indexes)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint"
            " UNION SELECT indexrelid::regclass::text FROM pg_index"
        )
        there = {name for (name,) in cursor.fetchall()}
    assert len(declared) > 200
    assert declared - there == set()


def test_no_index_is_the_beginning_of_another() -> None:
    ours = [
        model._meta.db_table
        for app in ("clinic", "patients", "appointments", "reminders")
        for model in apps.get_app_config(app).get_models()
    ]
    with connection.cursor() as cursor:
        cursor.execute(BEGUN_BY_ANOTHER, [ours])
        assert cursor.fetchall() == []


def test_the_words_of_patients_are_empty_for_who_does_not_write_them() -> None:
    """A part of the former release goes on making tasks until it is stopped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_default FROM information_schema.columns"
            " WHERE table_name = 'appointments_task' AND column_name = 'wish'"
        )
        assert cursor.fetchone() == ("''::text",)
