"""Until when patients move a visit by link, how far ahead, and how long they take it back."""

from datetime import datetime, timedelta

import pytest

from appointments import links
from appointments.by_link import moving, taking_back, times
from appointments.by_link.refusals import NotByLink, Why
from appointments.models import Appointment, PatientLink
from appointments.visits.moving import VisitMove
from clinic.wall_time import local
from patients.models import Patient
from tests.appointments.conftest import THIRD, at
from tests.links import issued

pytestmark = pytest.mark.django_db

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
# Two days before the last visit of the series.
WISHED = at(THIRD - 2 * DAY, "13:00")
NOW = WISHED - DAY


@pytest.fixture
def visit(visits: list[Appointment]) -> Appointment:
    return visits[2]


@pytest.fixture
def link(visit: Appointment, patient: Patient) -> PatientLink:
    token = issued(patient_id=patient.pk, appointment=visit, now=NOW)
    return links.open(token, now=NOW)


def why(visit: Appointment, now: datetime) -> Why | None:
    try:
        times.require_movable(visit, now=now)
    except NotByLink as refused:
        return refused.why
    return None


def moves(visit: Appointment) -> list[VisitMove]:
    found = moving.proposed(visit=visit, starts_at=WISHED, now=NOW)
    return [VisitMove(line.appointment, line.after.wish) for line in found.changed]


def test_a_visit_may_be_moved_until_the_notice_of_the_site_begins(visit: Appointment) -> None:
    begins = visit.starts_at - DAY
    assert [why(visit, at) for at in (begins, begins + SECOND, visit.starts_at)] == [
        *(None, Why.NOTICE, Why.OVER)
    ]


def test_what_is_chosen_lies_as_far_ahead_as_the_notice(
    visit: Appointment, link: PatientLink
) -> None:
    def first(now: datetime) -> datetime:
        return times.to_move(visit, now=now, day=local(WISHED, visit.site.zone).date()).starts[0]

    assert first(NOW) == WISHED < first(NOW + SECOND)
    shown = moves(visit)
    for act in (
        lambda: moving.proposed(visit=visit, starts_at=WISHED, now=NOW + SECOND),
        lambda: moving.move(link=link, visit=visit, moves=shown, now=NOW + SECOND),
    ):
        with pytest.raises(NotByLink) as refused:
            act()
        assert refused.value.why is Why.TOO_SOON


def test_it_is_taken_back_until_the_hold_of_the_notice_is_over(
    visit: Appointment, link: PatientLink
) -> None:
    was = visit.starts_at
    assert moving.move(link=link, visit=visit, moves=moves(visit), now=NOW).starts_at == WISHED
    over = NOW + timedelta(minutes=3)
    with pytest.raises(NotByLink) as refused:
        taking_back.take_back(link=link, now=over)
    assert refused.value.why is Why.TAKEN_BACK_TOO_LATE
    taking_back.take_back(link=link, now=over - SECOND)
    visit.refresh_from_db()
    assert visit.starts_at == was
