"""The few times that a patient sees first, and the days that the treatment allows."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.by_link.choosing import Fit, choices
from appointments.by_link.windows import window
from appointments.finding.intervals import interval_breaches
from clinic.durations import parse
from clinic.protocols.schema import Interval

ZONE = ZoneInfo("America/New_York")
THURSDAY = date(2027, 3, 4)
INTERVAL = Interval(parse("P21D"), parse("P28D"), parse("P42D"))


def at(days: int, wall: str) -> datetime:
    hour, minute = wall.split(":")
    day = THURSDAY + timedelta(days=days)
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=ZONE)


def test_first_come_another_time_of_the_day_the_same_time_and_the_nearest_day() -> None:
    free = [at(0, "17:10"), at(0, "09:00"), at(1, "13:55"), at(2, "10:00"), at(7, "14:00")]
    found = choices([*free, at(14, "14:00")], like=at(0, "14:00"), near=THURSDAY)
    assert [(each.at, each.fit) for each in found] == [
        (at(0, "17:10"), Fit.SAME_DAY),
        (at(1, "13:55"), Fit.NEAR),
        (at(7, "14:00"), Fit.SAME_TIME),
    ]


def test_what_is_lost_is_replaced_by_what_there_is() -> None:
    assert choices([], like=at(0, "14:00"), near=THURSDAY) == []
    one_day = [at(3, "09:00"), at(3, "09:15"), at(3, "09:30")]
    assert [each.at for each in choices(one_day, like=at(0, "14:00"), near=THURSDAY)] == one_day


@given(
    st.lists(
        st.tuples(st.integers(-20, 40), st.sampled_from(["09:00", "10:00", "13:30", "16:45"])),
        unique=True,
    ),
    st.integers(1, 5),
)
def test_choices_are_free_different_in_order_and_as_many_as_there_can_be(
    places: list[tuple[int, str]], most: int
) -> None:
    free = [at(*place) for place in places]
    like = at(0, "10:00")
    found = [each.at for each in choices(free, like=like, near=THURSDAY, most=most)]
    others = [each for each in free if each != like]
    assert set(found) <= set(others) and found == sorted(set(found))
    assert len(found) == min(most, len(others))


@given(
    st.lists(st.integers(21, 42), min_size=1, max_size=4),
    st.integers(0, 4),
    st.integers(-60, 60),
    st.integers(0, 200),
)
def test_every_day_of_a_window_keeps_the_interval_before_and_some_the_ones_after(
    gaps: list[int], number: int, today: int, step: int
) -> None:
    """A session at any of the days that stay breaches nothing in the whole series."""
    days = [(1, THURSDAY)]
    for gap in gaps:
        days.append((days[-1][0] + 1, days[-1][1] + timedelta(days=gap)))
    session, _ = days[number % len(days)]
    not_before = THURSDAY + timedelta(days=today)
    found = window(session, days, INTERVAL, not_before=not_before)
    if found is None:
        return
    span = (found.latest - found.earliest).days
    day = found.earliest + timedelta(days=step % (span + 1))
    assert day >= not_before and day in found
    moved = sorted({**dict(days), session: day}.items())
    breached = _breached(moved)
    assert session not in breached
    assert found.rest_stays(day) == (session + 1 not in breached)


def _breached(days: list[tuple[int, date]]) -> set[int]:
    class Protocol:
        class series:  # noqa: N801
            interval = INTERVAL
            gap_over_max = "review"

    return {session for session, _ in interval_breaches(days, Protocol)}  # type: ignore[arg-type]


def test_a_session_that_was_left_out_accounts_for_a_longer_gap() -> None:
    days = [(1, THURSDAY), (3, THURSDAY + timedelta(days=56))]
    found = window(3, days, INTERVAL, not_before=THURSDAY)
    assert found is not None
    assert found.latest == THURSDAY + timedelta(days=84)


def test_when_its_days_are_over_there_is_none() -> None:
    days = [(1, THURSDAY), (2, THURSDAY + timedelta(days=42))]
    assert window(2, days, INTERVAL, not_before=THURSDAY + timedelta(days=43)) is None


@pytest.mark.parametrize("session", [1, 2])
def test_without_an_interval_only_the_order_counts(session: int) -> None:
    days = [(1, THURSDAY), (2, THURSDAY + timedelta(days=10))]
    found = window(session, days, None, not_before=THURSDAY)
    assert found is not None
    assert found.rest_stays(THURSDAY + timedelta(days=9 if session == 1 else 1))
