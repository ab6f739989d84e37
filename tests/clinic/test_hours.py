"""Hours at which something is allowed, in one zone and in several."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import hours, wall_time
from clinic.hours import Hours
from tests.clinic.clocks import MINUTES, NEW_YORK, utc, zone_and_day

CARE = Hours(frozenset(range(7)), 8 * 60, 20 * 60)
MARKETING = Hours(frozenset(range(6)), 10 * 60, 18 * 60)


def test_a_window_inside_a_gap_is_empty_and_one_around_it_is_shortened() -> None:
    sunday = frozenset({6})
    assert Hours(sunday, 120, 150).on(date(2027, 3, 14), NEW_YORK) is None
    around = Hours(sunday, 60, 210).on(date(2027, 3, 14), NEW_YORK)
    assert around is not None
    assert around.ends_at - around.starts_at == timedelta(hours=1, minutes=30)


def test_the_window_includes_its_opening_and_excludes_its_closing() -> None:
    opens, closes = utc(2027, 3, 12, 13), utc(2027, 3, 13, 1)
    assert hours.next_allowed(opens, CARE, (NEW_YORK,)) == opens
    assert hours.next_allowed(closes, CARE, (NEW_YORK,)) == utc(2027, 3, 13, 13)


def test_marketing_waits_over_sunday() -> None:
    saturday_evening = wall_time.instant(date(2027, 3, 13), 19 * 60, NEW_YORK)
    monday = wall_time.instant(date(2027, 3, 15), 10 * 60, NEW_YORK)
    assert hours.next_allowed(saturday_evening, MARKETING, (NEW_YORK,)) == monday


def test_an_unknown_zone_waits_until_every_candidate_is_awake() -> None:
    zones = (NEW_YORK, "America/Los_Angeles")
    at = utc(2027, 3, 12, 13)  # 08:00 in New York, 05:00 in Los Angeles
    assert hours.next_allowed(at, CARE, zones) == utc(2027, 3, 12, 16)


def test_zones_without_a_common_moment_end_the_search() -> None:
    zones = ("Europe/London", "Pacific/Auckland")
    with pytest.raises(hours.NeverAllowed):
        hours.next_allowed(utc(2027, 1, 12), MARKETING, zones)


@given(zone_and_day(), MINUTES, st.sampled_from([CARE, MARKETING]))
def test_the_next_allowed_moment_is_allowed_and_nothing_before_it_is(
    place: tuple[str, date], minute: int, window: Hours
) -> None:
    zone, day = place
    at = wall_time.instant(day, minute, zone)
    allowed = hours.next_allowed(at, window, (zone,))
    assert at <= allowed
    assert hours.next_allowed(allowed, window, (zone,)) == allowed
    wall = wall_time.local(allowed, zone)
    assert window.opens <= wall.hour * 60 + wall.minute < window.closes
    if allowed > at:
        just_before = allowed - timedelta(seconds=1)
        assert hours.next_allowed(just_before, window, (zone,)) == allowed
