"""A series planned anew: who still fits stays, the others follow, and nothing locked moves."""

from datetime import date, datetime, timedelta

import pytest

from appointments import proposing
from appointments.models import Appointment, TreatmentSeries
from appointments.proposing.places import Replan, VisitWish
from appointments.refusals import IntervalTooLong, IntervalTooShort
from appointments.visits import attendance, booking, moving
from clinic.models import Site, Staff
from clinic.wall_time import local
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FOURTH = THIRD + 28 * DAY


@pytest.fixture
def series(book: Book, wish: Wish) -> TreatmentSeries:
    return book(wish(FIRST), wish(SECOND), wish(THIRD), wish(FOURTH))


def days(replan: Replan) -> dict[int, date]:
    assert replan.problem is None, replan.problem
    zone = "America/New_York"
    return {line.session: local(line.after.starts_at, zone).date() for line in replan.lines}


def test_a_small_move_leaves_the_others_where_they_are(
    series: TreatmentSeries, wish: Wish, now: datetime
) -> None:
    found = proposing.replan(series=series, wished={2: wish(SECOND + 4 * DAY)}, now=now)
    assert days(found) == {2: SECOND + 4 * DAY, 3: THIRD, 4: FOURTH}
    assert [line.session for line in found.changed] == [2]
    assert [line.reasons for line in found.lines[:2]] == [("As chosen.",), ("Stays where it is.",)]
    assert found.lines[1].interval_days == 24


def test_a_big_move_takes_those_along_that_no_longer_fit(
    series: TreatmentSeries, wish: Wish, now: datetime
) -> None:
    found = proposing.replan(series=series, wished={2: wish(SECOND + 14 * DAY)}, now=now)
    planned = days(found)
    assert planned[2] == SECOND + 14 * DAY
    assert (planned[3] - planned[2]).days >= 21
    # Moving session 3 alone is enough: session 4 stays.
    assert planned[4] == FOURTH
    assert [line.session for line in found.changed] == [2, 3]


def test_a_date_too_near_to_the_session_before_is_refused_at_once(
    series: TreatmentSeries, wish: Wish, now: datetime
) -> None:
    with pytest.raises(IntervalTooShort, match="Session 2 is 14 days after session 1"):
        proposing.replan(series=series, wished={2: wish(FIRST + 14 * DAY)}, now=now)
    with pytest.raises(IntervalTooLong, match="Session 3 is 46 days after session 2"):
        proposing.replan(series=series, wished={3: wish(SECOND + 46 * DAY)}, now=now)


def test_a_visit_that_keeps_its_date_was_right_when_it_was_booked(
    series: TreatmentSeries, wish: Wish, manager: Staff, now: datetime
) -> None:
    second = series.appointments.get(session=2)
    near = FIRST + 18 * DAY
    moving.move(
        appointment=second,
        starts_at=at(near, "10:00"),
        by=manager,
        now=now,
        override_reason="Travels",
    )
    found = proposing.replan(series=series, wished={2: wish(near, "13:00")}, now=now)
    assert days(found)[2] == near


def test_an_earlier_visit_pulls_the_rest_only_as_far_as_the_longest_interval_asks(
    series: TreatmentSeries, wish: Wish, now: datetime
) -> None:
    earlier = wish(SECOND - 7 * DAY)
    found = proposing.replan(series=series, wished={2: earlier}, now=now)
    assert [line.session for line in found.changed] == [2]
    assert found.lines[1].interval_days == 35


def test_done_and_locked_visits_never_move(
    series: TreatmentSeries, wish: Wish, front_desk: Staff, site: Site
) -> None:
    first, *_ = series.appointments.order_by("session")
    arrived = at(FIRST, "10:00")
    for act in (attendance.check_in, attendance.start, attendance.complete):
        act(appointment=first, by=front_desk, now=arrived)
    Appointment.objects.filter(series=series, session=3).update(is_locked=True)
    found = proposing.replan(
        series=series, wished={2: wish(SECOND + 10 * DAY)}, now=at(FIRST + DAY, "09:00")
    )
    assert found.problem is not None
    assert (found.problem.session, found.problem.binding) == (3, "locked")
    fits = proposing.replan(
        series=series, wished={2: wish(SECOND + 7 * DAY)}, now=at(FIRST + DAY, "09:00")
    )
    assert [line.session for line in fits.changed] == [2]


def test_two_visits_may_be_wished_for_at_once(
    series: TreatmentSeries, wish: Wish, now: datetime
) -> None:
    wished: dict[int, VisitWish] = {2: wish(SECOND + 14 * DAY), 3: wish(THIRD + 14 * DAY, "12:00")}
    found = proposing.replan(series=series, wished=wished, now=now)
    assert (
        days(found) == {2: SECOND + 14 * DAY, 3: THIRD + 14 * DAY, 4: FOURTH + 7 * DAY}
        or (days(found)[4] - (THIRD + 14 * DAY)).days >= 21
    )


def test_what_another_holds_is_not_proposed(
    series: TreatmentSeries, wish: Wish, book: Book, site: Site, front_desk: Staff, now: datetime
) -> None:
    other = a_patient(site, front_desk, now, given="Olga", phone="", email="o@p.example")
    moved = SECOND + 14 * DAY
    taken = moved + 21 * DAY
    booking.book_series(
        patient=other,
        site=site,
        version=series.protocol_version,
        areas=["face"],
        visits=[wish(taken, wall) for wall in ("10:00",)],
        by=front_desk,
        now=now,
    )
    found = proposing.replan(series=series, wished={2: wish(moved)}, now=now)
    third = next(line for line in found.lines if line.session == 3)
    assert not (at(taken, "08:00") < third.after.starts_at < at(taken, "11:45"))


def test_nothing_to_come_is_nothing_to_plan(book: Book, wish: Wish, now: datetime) -> None:
    series = book(wish(FIRST))
    Appointment.objects.filter(series=series).update(is_locked=True)
    assert proposing.replan(series=series, wished={}, now=now).lines == ()


def test_another_version_asks_every_visit_to_come_whether_it_still_fits(
    series: TreatmentSeries, now: datetime
) -> None:
    found = proposing.replan(series=series, wished={}, now=now)
    assert days(found) == {1: FIRST, 2: SECOND, 3: THIRD, 4: FOURTH}
    assert found.changed == ()
