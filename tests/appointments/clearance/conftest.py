"""Answers of the patient, and a day of treatment."""

from collections.abc import Callable
from datetime import date, datetime

import pytest

from appointments.clearance import Treatment, answering
from appointments.models import Appointment
from appointments.visits import attendance
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading
from patients.models import Patient, ScreeningMoment
from patients.screening.answers import Said, Value
from patients.screening.assessing import Finding
from patients.screening.questions import questions_of
from tests.appointments.conftest import FIRST, at
from tests.audited import audited as audited  # a fixture

Answers = Callable[..., tuple[Finding, ...]]


@pytest.fixture
def treatment(patient: Patient, site: Site, house: ProtocolVersion) -> Treatment:
    return Treatment(patient, site, house, ["face"])


@pytest.fixture
def says(treatment: Treatment, front_desk: Staff, now: datetime) -> Answers:
    """Writes down answers: says(pregnancy="yes", filler=date(2027, 3, 1)); what is not named with
    `clear=True` is answered with no or never."""

    def write(
        *,
        by: Staff | None = front_desk,
        when: datetime = now,
        clear: bool = False,
        **answers: object,
    ) -> tuple[Finding, ...]:
        said = {}
        for question in questions_of(loading.get(treatment.version)):
            given = answers.pop(question.id, None)
            if isinstance(given, date):
                said[question.id] = Said(Value.DATE, given)
            elif given is not None:
                said[question.id] = Said(Value(str(given)))
            elif clear and question.id != "skin_type":
                said[question.id] = Said(Value.NEVER if question.asks_for_a_day else Value.NO)
        assert not answers
        skin = "III" if clear and by is not None else ""
        return answering.answer(
            treatment=treatment,
            said=said,
            moment=ScreeningMoment.DAY_OF,
            skin_type=skin,
            by=by,
            now=when,
        )

    return write


@pytest.fixture
def arrived(visits: list[Appointment], front_desk: Staff) -> Appointment:
    return attendance.check_in(appointment=visits[0], by=front_desk, now=at(FIRST, "09:55"))
