"""The visit that is proposed beside those of its series that stand."""

from datetime import datetime

import pytest

from appointments import proposing
from appointments.models import Appointment, TreatmentSeries
from appointments.visits import attendance, booking, cancelling, moving
from clinic.models import (
    ProtocolVersion,
    Site,
    Staff,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, THIRD, at
from tests.appointments.proposing.conftest import DAY, Propose, days

pytestmark = pytest.mark.django_db


def test_other_treatments_of_the_patient_keep_their_distance(
    propose: Propose, series: TreatmentSeries
) -> None:
    proposal = propose(1)
    (first,) = days(proposal)
    # 21 days after the third session: every earlier date is too near to one of the three.
    assert first == THIRD + 21 * DAY
    late, near = proposal.plans[0].visits[0].reasons
    assert "after the ideal date" in late
    assert "is too near to RF microneedling on" in near


def test_the_next_visit_follows_the_last_one(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    proposal = proposing.propose_next(series=series, now=now)
    (next_visit,) = proposal.visits
    assert (next_visit.session, next_visit.interval_days) == (3, 28)
    assert next_visit.starts_at == visits[2].starts_at
    assert next_visit.reasons[1:] == ("Same provider.", "Same time of day.")


def test_an_overdue_next_visit_is_proposed_from_today(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    for visit in visits[1:]:
        cancelling.cancel(appointment=visit, by=front_desk, now=now)
    late = at(FIRST + 60 * DAY, "08:00")
    proposal = proposing.propose_next(series=series, now=late)
    assert days(proposal) == [FIRST + 60 * DAY]


def test_a_cancelled_session_in_the_middle_is_proposed_between_its_neighbours(
    series: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    manager: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    (between,) = proposing.propose_next(series=series, now=now).visits
    assert (between.session, between.starts_at) == (2, visits[1].starts_at)
    assert (between.bounds.earliest, between.bounds.latest) == (
        FIRST + 21 * DAY,
        THIRD - 21 * DAY,
    )
    assert booking.add_visit(series=series, visit=between.wish, by=front_desk, now=now).session == 2


def test_a_session_between_neighbours_too_near_to_each_other_has_no_date(
    series: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    moving.move(
        appointment=visits[2],
        starts_at=at(FIRST + 30 * DAY, "10:00"),
        by=front_desk,
        now=now,
    )
    problem = proposing.propose_next(series=series, now=now).problem
    assert problem is not None
    assert (problem.session, problem.binding) == (2, "interval")


def test_a_missed_visit_keeps_its_place(
    visits: list[Appointment],
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    attendance.no_show(appointment=visits[0], by=front_desk, now=visits[0].starts_at)
    free = proposing.free_starts(
        patient=other, site=site, version=house, areas=["face"], day=FIRST, now=now
    )
    assert visits[0].starts_at not in [place.starts_at for place in free.places]
