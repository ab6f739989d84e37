"""Visits on the day, at the moment when their logs are written."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from appointments.charting import drafting, signing
from appointments.charting.log import Log
from appointments.models import Appointment, TreatmentRecord
from appointments.visits import attendance
from clinic.models import Staff
from tests.appointments.charting.logs import a_log
from tests.audited import audited as audited  # a fixture

MINUTE = timedelta(minutes=1)
Treat = Callable[[Appointment], datetime]
Sign = Callable[..., TreatmentRecord]


def treated(visit: Appointment, by: Staff, *, done: bool = True) -> datetime:
    """`visit` is checked in, started and (unless not `done`) completed; the moment after."""
    attendance.check_in(appointment=visit, by=by, now=visit.starts_at)
    attendance.start(appointment=visit, by=by, now=visit.starts_at + MINUTE)
    if done:
        attendance.complete(appointment=visit, by=by, now=visit.starts_at + 50 * MINUTE)
    visit.refresh_from_db()
    return visit.starts_at + 51 * MINUTE


@pytest.fixture
def sign(provider: Staff, front_desk: Staff) -> Sign:
    """Treats a visit and signs its log: sign(visit, log)."""

    def make(visit: Appointment, log: Log | None = None) -> TreatmentRecord:
        now = treated(visit, front_desk)
        drafting.save(
            appointment=visit, log=log or a_log(), by=provider, now=now, expected_version=0
        )
        return signing.sign(appointment=visit, by=provider, now=now)

    return make
