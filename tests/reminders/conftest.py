"""A booked visit, for tests of what is said about it."""

from datetime import datetime

import pytest

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site
from patients.models import Patient
from tests.reminders.ledger import a_visit


@pytest.fixture
def visit(patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime) -> Appointment:
    return a_visit(patient, site, protocol, now=now)
