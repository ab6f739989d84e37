"""What a migration changes for calls that are under way is undone with it."""

from datetime import datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from appointments.models import Appointment
from reminders.models import Message
from tests.reminders.ledger import MINUTE, queued

pytestmark = pytest.mark.django_db


def test_the_lease_of_a_call_outlives_the_column(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now)
    Message.objects.filter(pk=message.pk).update(
        state="submitting", claim_token=uuid4(), claimed_at=now, leased_until=now + MINUTE
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE")
        MigrationExecutor(connection).migrate([("reminders", "0024_skips_of_one_asking")])
        cursor.execute("SELECT wake_at FROM reminders_message WHERE state = 'submitting'")
        assert cursor.fetchall() == [(now + MINUTE,)]
