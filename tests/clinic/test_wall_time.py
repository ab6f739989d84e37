"""Wall time and instants, on the days on which clocks are set."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import periods, wall_time
from clinic.durations import Duration
from clinic.periods import Period
from clinic.wall_time import WallTimeMissing, WallTimeRepeats
from tests.clinic.clocks import MINUTES, NEW_YORK, ZONES, utc, zone_and_day

LORD_HOWE = "Australia/Lord_Howe"


@given(zone_and_day(), MINUTES, MINUTES)
def test_wall_times_never_invert_in_any_zone(place: tuple[str, date], one: int, two: int) -> None:
    zone, day = place
    low, high = sorted((one, two))
    assert wall_time.instant(day, low, zone) <= wall_time.instant(day, high, zone)


@given(zone_and_day(), MINUTES)
def test_a_wall_time_is_the_first_instant_at_which_the_clock_has_reached_it(
    place: tuple[str, date], minute: int
) -> None:
    zone, day = place
    at = wall_time.instant(day, minute, zone)
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    assert wall_time.local(at, zone).replace(tzinfo=None) >= wall
    for earlier in (1, 60, 1800, 3600, 86400):
        before = wall_time.local(at - timedelta(seconds=earlier), zone).replace(tzinfo=None)
        assert before < wall


@given(zone_and_day(), st.lists(MINUTES, min_size=1, max_size=6))
def test_windows_tile_the_day_exactly(place: tuple[str, date], cuts: list[int]) -> None:
    zone, day = place
    edges = [wall_time.instant(day, minute, zone) for minute in sorted({0, 1440, *cuts})]
    windows = [Period(a, b) for a, b in pairwise(edges)]
    assert periods.merge(windows) == [Period(edges[0], edges[-1])]
    lengths = [window.ends_at - window.starts_at for window in windows]
    assert sum(lengths, timedelta()) == edges[-1] - edges[0]


@given(zone_and_day())
def test_midnight_after_a_day_is_midnight_of_the_next_day(
    place: tuple[str, date],
) -> None:
    zone, day = place
    assert wall_time.instant(day, 1440, zone) == wall_time.instant(day + timedelta(days=1), 0, zone)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (NEW_YORK, date(2027, 3, 14), 23.0),
        (NEW_YORK, date(2027, 11, 7), 25.0),
        (LORD_HOWE, date(2027, 10, 3), 23.5),
        (LORD_HOWE, date(2027, 4, 4), 24.5),
        ("Pacific/Apia", date(2011, 12, 30), 0.0),
    ],
)
def test_a_day_lasts_as_long_as_its_clock_says(zone: str, day: date, length: float) -> None:
    lasted = wall_time.instant(day, 1440, zone) - wall_time.instant(day, 0, zone)
    assert lasted == timedelta(hours=length)


def test_a_repeated_time_is_its_first_occurrence_and_a_skipped_one_the_end_of_the_gap() -> None:
    assert wall_time.instant(date(2027, 11, 7), 90, NEW_YORK) == utc(2027, 11, 7, 5, 30)
    assert wall_time.instant(date(2027, 3, 14), 150, NEW_YORK) == utc(2027, 3, 14, 7)
    assert wall_time.instant(date(2026, 10, 4), 135, LORD_HOWE) == utc(2026, 10, 3, 15, 30)


def test_a_typed_time_that_does_not_exist_is_refused_with_the_next_one() -> None:
    with pytest.raises(WallTimeMissing) as refused:
        wall_time.resolve(datetime(2027, 3, 14, 2, 30), NEW_YORK)
    assert refused.value.next == utc(2027, 3, 14, 7)
    assert refused.value.sentence == (
        "02:30 does not exist on Sun 14 Mar: the clocks go forward. The next time is 03:00."
    )


def test_a_typed_time_that_repeats_asks_which_and_takes_the_answer() -> None:
    wall = datetime(2027, 11, 7, 1, 30)
    with pytest.raises(WallTimeRepeats) as refused:
        wall_time.resolve(wall, NEW_YORK)
    first, second = utc(2027, 11, 7, 5, 30), utc(2027, 11, 7, 6, 30)
    assert (refused.value.first, refused.value.second) == (first, second)
    assert "(EDT) or the second (EST)" in refused.value.sentence
    assert wall_time.resolve(wall, NEW_YORK, fold=0) == first
    assert wall_time.resolve(wall, NEW_YORK, fold=1) == second


@given(zone_and_day(), st.integers(0, 1439))
def test_a_time_that_resolves_reads_back_as_typed(place: tuple[str, date], minute: int) -> None:
    zone, day = place
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    try:
        at = wall_time.resolve(wall, zone)
    except WallTimeMissing as missing:
        assert wall_time.local(missing.next, zone).replace(tzinfo=None) > wall
    except WallTimeRepeats as repeats:
        assert repeats.first < repeats.second
        for each in (repeats.first, repeats.second):
            assert wall_time.local(each, zone).replace(tzinfo=None) == wall
    else:
        assert wall_time.local(at, zone).replace(tzinfo=None) == wall
        assert at == wall_time.instant(day, minute, zone)


def test_a_day_keeps_the_wall_clock_and_hours_elapse_across_a_change() -> None:
    start = utc(2026, 3, 8, 14)  # Sunday 10:00 in New York, on the day the clocks go forward
    assert wall_time.before(start, Duration(days=1), NEW_YORK) == utc(2026, 3, 7, 15)
    assert wall_time.before(start, Duration(seconds=24 * 3600), NEW_YORK) == utc(2026, 3, 7, 14)


def test_a_half_hour_change_is_half_an_hour() -> None:
    start = wall_time.instant(date(2026, 10, 4), 9 * 60, LORD_HOWE)
    assert wall_time.before(start, Duration(days=1), LORD_HOWE) == utc(2026, 10, 2, 22, 30)


def test_a_month_clamps_to_its_last_day() -> None:
    start = wall_time.instant(date(2027, 1, 31), 600, NEW_YORK)
    assert wall_time.after(start, Duration(months=1), NEW_YORK) == utc(2027, 2, 28, 15)
    assert wall_time.before(start, Duration(months=2), NEW_YORK) == utc(2026, 11, 30, 15)
    assert wall_time.shifted_day(date(2028, 2, 29), Duration(months=12)) == date(2029, 2, 28)


def test_a_duration_that_lands_in_a_gap_lands_at_its_end() -> None:
    start = wall_time.instant(date(2027, 3, 13), 150, NEW_YORK)
    assert wall_time.after(start, Duration(days=1), NEW_YORK) == utc(2027, 3, 14, 7)


def test_no_duration_leaves_the_second_of_two_equal_wall_times_alone() -> None:
    second = utc(2027, 11, 7, 6, 30)
    assert wall_time.after(second, Duration(), NEW_YORK) == second


@given(zone_and_day(), st.integers(0, 1439), st.integers(0, 400))
def test_days_after_and_days_between_agree(place: tuple[str, date], minute: int, days: int) -> None:
    zone, day = place
    start = wall_time.instant(day, minute, zone)
    end = wall_time.after(start, Duration(days=days), zone)
    # A gap at midnight, or a skipped date, pushes a start onto the day after.
    assert wall_time.days_between(start, end, zone) - days in (0, 1)
    assert wall_time.before(start, Duration(days=days), zone) <= start <= end


def test_a_day_has_begun_everywhere_once_it_has_in_the_last_zone() -> None:
    for hour in range(24):
        now = utc(2027, 3, 12, hour, 59)
        days = {wall_time.local(now, zone).date() for zone in ZONES}
        assert wall_time.begun_everywhere(now) == min(days)
