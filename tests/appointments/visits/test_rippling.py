"""Moving one visit so that the rest of its series follows: preview, commit, take back."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments.lifecycle import MoveRefused, State
from appointments.models import Appointment, StatusChange, TreatmentSeries
from appointments.refusals import (
    IntervalTooLong,
    IntervalTooShort,
    NoWayForTheRest,
    OutOfOrder,
    SlotTaken,
    StaleVersion,
    VisitLocked,
)
from appointments.visits import attendance, locking, rippling, swapping, undoing
from clinic.access import Forbidden
from clinic.models import Site, Staff
from clinic.wall_time import local
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient

pytestmark = [pytest.mark.django_db, CLOCK]

WEEK = timedelta(days=7)
VISITS = "/api/v1/appointments/"


@pytest.fixture
def ben(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")


def days(series: TreatmentSeries) -> list[date]:
    starts = series.appointments.order_by("session").values_list("starts_at", flat=True)
    return [local(start, series.site.zone).date() for start in starts]


def test_the_preview_says_who_must_follow_and_who_stays(
    series: TreatmentSeries, visits: list[Appointment], now: datetime
) -> None:
    near = rippling.preview(appointment=visits[1], starts_at=at(SECOND, "13:00"), now=now)
    assert [(line.session, line.is_changed) for line in near.lines] == [(2, True), (3, False)]
    far = rippling.preview(appointment=visits[1], starts_at=at(SECOND + 2 * WEEK, "10:00"), now=now)
    assert [(line.session, line.is_changed) for line in far.lines] == [(2, True), (3, True)]
    assert (far.lines[0].interval_days, far.lines[0].bounds.latest) == (42, FIRST + 6 * WEEK)
    third = far.lines[1]
    assert third.before.starts_at == at(THIRD, "10:00")
    assert third.bounds.earliest <= local(third.after.starts_at, series.site.zone).date()
    assert days(series) == [FIRST, SECOND, THIRD]


def test_the_visits_that_must_follow_move_in_the_same_act(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    moved = rippling.ripple(
        appointment=visits[1],
        starts_at=at(SECOND + 2 * WEEK, "10:00"),
        by=front_desk,
        now=now,
        expected_version=1,
        reason="Holiday",
    )
    assert [visit.session for visit in moved] == [2, 3]
    first, second, third = days(series)
    assert (first, second) == (FIRST, SECOND + 2 * WEEK)
    assert timedelta(days=21) <= third - second <= timedelta(days=42)
    assert StatusChange.objects.filter(move="move", reason="Holiday").count() == 2


def test_a_ripple_is_taken_back_whole(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    attendance.confirm(appointment=visits[2], by=front_desk, now=now)
    moved = rippling.ripple(
        appointment=visits[1], starts_at=at(SECOND + 2 * WEEK, "10:00"), by=front_desk, now=now
    )
    seen = [(visit, visit.version) for visit in moved]
    with pytest.raises(StaleVersion):
        undoing.undo_together(visits=[seen[0], (moved[1], 1)], by=front_desk, now=now)
    assert days(series)[1] == SECOND + 2 * WEEK
    undoing.undo_together(visits=seen, by=front_desk, now=now)
    assert days(series) == [FIRST, SECOND, THIRD]
    assert series.appointments.get(session=3).state == State.CONFIRMED


def test_one_undo_takes_back_all_that_moved_along_and_nothing_else_was_done_to(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    moved = rippling.ripple(
        appointment=visits[1], starts_at=at(SECOND + 2 * WEEK, "10:00"), by=front_desk, now=now
    )
    assert undoing.moved_along(visits[0]) == []
    assert undoing.moved_along(moved[0]) == [moved[1]]
    attendance.confirm(appointment=moved[1], by=front_desk, now=now)
    assert undoing.moved_along(moved[0]) == undoing.moved_along(moved[1]) == []
    undoing.undo(appointment=moved[1], by=front_desk, now=now)
    undoing.undo(appointment=moved[1], by=front_desk, now=now, together=True)
    assert days(series) == [FIRST, SECOND, THIRD]


def test_visits_on_the_former_places_of_each_other_go_back_together(
    book: Book,
    wish: Wish,
    ben: Patient,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
) -> None:
    other = book(wish(FIRST, "14:00"), patient=ben).appointments.get()
    pair = swapping.swap(one=visits[0], other=other, by=front_desk, now=now)
    assert [visit.starts_at for visit in pair] == [other.starts_at, visits[0].starts_at]
    with pytest.raises(SlotTaken):
        undoing.undo(appointment=pair[0], by=front_desk, now=now)
    seen = [(visit, visit.version) for visit in pair]
    back = undoing.undo_together(visits=seen, by=front_desk, now=now)
    assert [visit.pk for visit in back] == [visits[0].pk, other.pk]
    assert [visit.starts_at for visit in back] == [visits[0].starts_at, other.starts_at]
    held = visits[0].allocations.filter(active=True).values_list("starts_at", flat=True)
    assert max(held) <= visits[0].starts_at


def test_a_series_that_finds_no_way_does_not_move(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    locked = locking.lock(appointment=visits[2], by=front_desk, now=now)
    with pytest.raises(NoWayForTheRest, match="Session 3"):
        rippling.ripple(
            appointment=visits[1], starts_at=at(SECOND + 2 * WEEK, "10:00"), by=front_desk, now=now
        )
    assert days(series) == [FIRST, SECOND, THIRD]
    with pytest.raises(VisitLocked):
        rippling.preview(appointment=locked, starts_at=at(THIRD, "13:00"), now=now)


def test_a_start_too_near_to_the_session_before_is_refused_as_ever(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(IntervalTooShort, match="Session 2 is 14 days after session 1"):
        rippling.ripple(
            appointment=visits[1], starts_at=at(SECOND - 2 * WEEK, "10:00"), by=front_desk, now=now
        )
    assert days(series) == [FIRST, SECOND, THIRD]


def test_a_taken_start_is_refused_and_nothing_moves(
    book: Book,
    wish: Wish,
    ben: Patient,
    series: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
) -> None:
    book(wish(SECOND + 2 * WEEK, "10:30"), patient=ben)
    with pytest.raises(SlotTaken):
        rippling.ripple(
            appointment=visits[1], starts_at=at(SECOND + 2 * WEEK, "10:00"), by=front_desk, now=now
        )
    assert days(series) == [FIRST, SECOND, THIRD]


def test_an_outsider_ripples_nothing(
    visits: list[Appointment], outsider: Staff, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        rippling.ripple(appointment=visits[1], starts_at=at(SECOND, "13:00"), by=outsider, now=now)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shift=st.integers(-20, 60),
    session=st.integers(1, 3),
    locked=st.sets(st.integers(1, 3)),
    is_first_done=st.booleans(),
)
def test_a_new_plan_never_touches_what_is_done_or_locked_and_keeps_the_intervals(
    shift: int,
    session: int,
    locked: set[int],
    is_first_done: bool,
    book: Book,
    wish: Wish,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    name = f"p{Patient.objects.count()}"
    who = a_patient(site, front_desk, now, given=name, phone="", email=f"{name}@p.example")
    series = book(wish(FIRST), wish(SECOND), wish(THIRD), patient=who)
    try:
        visits = {each.session: each for each in series.appointments.all()}
        if is_first_done:
            begun = visits[1].starts_at
            attendance.check_in(appointment=visits[1], by=front_desk, now=begun)
            attendance.start(appointment=visits[1], by=front_desk, now=begun)
            attendance.complete(appointment=visits[1], by=front_desk, now=visits[1].ends_at)
        for number in locked - ({1} if is_first_done else set()):
            locking.lock(appointment=visits[number], by=front_desk, now=now)
        visit = series.appointments.get(session=session)
        fixed = {*locked, *({1} if is_first_done else ())}
        try:
            found = rippling.preview(
                appointment=visit, starts_at=visit.starts_at + timedelta(days=shift), now=now
            )
        except (VisitLocked, MoveRefused):
            assert session in fixed
            return
        except (IntervalTooShort, IntervalTooLong, OutOfOrder):
            # The session before stays where it is, so the date must keep to that one.
            assert session > 1 and not 21 <= 28 + shift <= 42
            return
        assert not {line.session for line in found.changed} & fixed
        if found.problem is None:
            dates = {n: local(each.starts_at, site.zone).date() for n, each in visits.items()}
            for line in found.lines:
                dates[line.session] = local(line.after.starts_at, site.zone).date()
            gaps = [(later - earlier).days for earlier, later in pairwise(dates.values())]
            looked = gaps[max(session - 2, 0) :]
            assert all(21 <= gap <= 42 for gap in looked), gaps
    finally:
        # The one room is free for the next example.
        series.appointments.update(is_locked=False)
        for each in series.appointments.exclude(state=State.CANCELLED):
            each.allocations.update(active=False)


# --- Over the API ---------------------------------------------------------------------------------


def test_the_api_previews_and_commits_what_was_seen(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff
) -> None:
    desk = api(front_desk)
    asked = {"starts_at": {"wall": f"{SECOND + 2 * WEEK}T10:00"}}
    seen = desk.post(f"{VISITS}{visits[1].pk}/move/preview/", asked).json()
    assert seen["problem"] is None
    assert [line["is_changed"] for line in seen["lines"]] == [True, True]

    def written(line: dict[str, Any]) -> dict[str, Any]:
        place = {kind: line["after"][kind]["id"] for kind in ("provider", "room", "device")}
        return {
            "appointment": line["appointment"],
            "version": line["version"],
            "starts_at": line["after"]["starts_at"],
            **place,
        }

    body = {"moves": [written(line) for line in seen["lines"]], "reason": "Holiday"}
    moved = desk.post(f"{VISITS}move-together/", body)
    assert [each["session"] for each in moved.json()] == [2, 3]
    assert days(series)[1] == SECOND + 2 * WEEK
    refused(desk.post(f"{VISITS}move-together/", body), 409, "stale_version", "version")


def test_the_api_ripples_in_one_call(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff
) -> None:
    asked = {"version": 1, "starts_at": {"wall": f"{SECOND + 2 * WEEK}T10:00"}}
    url = f"{VISITS}{visits[1].pk}/move/"
    refused(api(front_desk).post(url, asked), 400, "interval_too_short", "starts_at")
    answer = api(front_desk).post(url, {**asked, "ripple": True})
    assert answer.status_code == 200, answer.json()
    assert days(series)[1:] != [SECOND, THIRD]


def test_the_api_takes_back_what_followed_a_move_as_a_whole(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, outsider: Staff
) -> None:
    desk, url = api(front_desk), f"{VISITS}undo-together/"
    asked = {"version": 1, "starts_at": {"wall": f"{SECOND + 2 * WEEK}T10:00"}, "ripple": True}
    desk.post(f"{VISITS}{visits[1].pk}/move/", asked)
    assert days(series) != [FIRST, SECOND, THIRD]
    seen = {"visits": [{"appointment": each.pk, "version": 2} for each in visits[1:]]}
    refused(api(outsider).post(url, seen), 404, "not_found", "appointment")
    twice = {"visits": seen["visits"][:1] * 2}
    refused(desk.post(url, twice), 409, "nothing_to_undo", "state")
    back = desk.post(url, seen)
    assert [each["session"] for each in back.json()] == [2, 3]
    assert days(series) == [FIRST, SECOND, THIRD]
    refused(desk.post(url, seen), 409, "stale_version", "version")
    moved = desk.post(f"{VISITS}{visits[1].pk}/move/", {**asked, "version": 3}).json()
    undo = f"{VISITS}{visits[1].pk}/undo/"
    assert desk.post(undo, {"version": moved["version"], "together": True}).status_code == 200
    assert days(series) == [FIRST, SECOND, THIRD]


def test_the_api_swaps_two_visits(
    book: Book, wish: Wish, ben: Patient, visits: list[Appointment], front_desk: Staff
) -> None:
    other = book(wish(FIRST, "13:00"), patient=ben).appointments.get()
    body = {"version": 1, "other": other.pk, "other_version": 1}
    url = f"{VISITS}{visits[0].pk}/swap/"
    assert api(front_desk).post(url, body).json()["starts_at"] == "2027-03-04T18:00:00Z"
    refused(api(front_desk).post(url, body), 409, "stale_version", "version")


def test_an_outsider_finds_no_visit_to_move_over_the_api(
    visits: list[Appointment], outsider: Staff
) -> None:
    stranger, start = api(outsider), {"starts_at": {"wall": f"{SECOND}T13:00"}}
    url = f"{VISITS}{visits[1].pk}"
    refused(stranger.post(f"{url}/move/preview/", start), 404, "not_found")
    place = {"appointment": visits[1].pk, "version": 1, "provider": 1, "room": 1, **start}
    refused(
        stranger.post(f"{VISITS}move-together/", {"moves": [place]}),
        404,
        "not_found",
        "appointment",
    )
    swap = {"version": 1, "other": visits[0].pk, "other_version": 1}
    refused(stranger.post(f"{url}/swap/", swap), 404, "not_found")
    assert not StatusChange.objects.filter(move="move").exists()
