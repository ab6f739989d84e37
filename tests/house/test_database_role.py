"""The tests have the powers of the role that runs, and no more."""

import pytest
from django.db import ProgrammingError, connection

pytestmark = pytest.mark.django_db


def test_the_role_that_runs_can_neither_empty_nor_change_a_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("afterglow_app",)
        for refused in (
            "TRUNCATE clinic_staff CASCADE",
            "ALTER TABLE clinic_staff ADD COLUMN spare int",
            "CREATE TABLE spare (number int)",
        ):
            cursor.execute("SAVEPOINT before")
            with pytest.raises(ProgrammingError):
                cursor.execute(refused)
            cursor.execute("ROLLBACK TO before")
