"""A visit that would start long before its time asks for a reason."""

import pytest

from appointments.clearance import Barred
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.visits import attendance, undoing
from clinic.models import Staff
from tests.appointments.conftest import FIRST, at

pytestmark = pytest.mark.django_db


def test_a_visit_starts_long_before_its_time_for_a_reason_only_and_it_can_be_taken_back(
    visits: list[Appointment], front_desk: Staff
) -> None:
    early, hour_before = at(FIRST, "08:59"), at(FIRST, "09:00")
    visit = attendance.check_in(appointment=visits[0], by=front_desk, now=early)
    with pytest.raises(Barred, match=r"Thu 4 Mar 10:00.*take the check-in back") as caught:
        attendance.start(appointment=visit, by=front_desk, now=early)
    assert [bar.code for bar in caught.value.bars] == ["started_early"]
    begun = attendance.start(
        appointment=visit, by=front_desk, now=early, override_reason="The room is free"
    )
    assert (begun.state, begun.overrides) == (State.IN_TREATMENT, ["started_early"])
    back = undoing.undo(appointment=begun, by=front_desk, now=early)
    assert (back.state, back.overrides, back.override_reason) == (State.ARRIVED, [], "")
    with pytest.raises(Barred):
        attendance.start(appointment=back, by=front_desk, now=early)
    again = attendance.start(appointment=back, by=front_desk, now=hour_before)
    assert again.state == State.IN_TREATMENT
