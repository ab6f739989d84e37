"""Wall time and instants, on the days on which clocks are set."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import hours
from clinic.durations import Duration
from clinic.hours import Hours, Period, WallTimeMissing, WallTimeRepeats

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
CARE = Hours(frozenset(range(7)), 8 * 60, 20 * 60)
MARKETING = Hours(frozenset(range(6)), 10 * 60, 18 * 60)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@cache
def days_of_change(zone: str) -> tuple[date, ...]:
    """The local dates of the changes of the clock from 1970 to 2037."""
    info, found = ZoneInfo(zone), []
    fortnights = [utc(1970, 1, 2) + timedelta(days=14 * n) for n in range(68 * 26)]
    for low, high in pairwise(fortnights):
        if low.astimezone(info).utcoffset() == high.astimezone(info).utcoffset():
            continue
        while high - low > timedelta(hours=1):
            middle = low + (high - low) / 2
            if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset():
                low = middle
            else:
                high = middle
        found.append(high.astimezone(info).date())
    return tuple(found) or (date(2027, 1, 1),)


@st.composite
def zone_and_day(draw: st.DrawFn) -> tuple[str, date]:
    zone = draw(st.sampled_from(ZONES))
    near = draw(st.sampled_from(days_of_change(zone)))
    return zone, near + timedelta(days=draw(st.integers(-1, 2)))


minutes = st.integers(0, 2880)


# --- Rule W ---------------------------------------------------------------------------------------


@given(zone_and_day(), minutes, minutes)
def test_wall_times_never_invert_in_any_zone(place: tuple[str, date], one: int, two: int) -> None:
    zone, day = place
    low, high = sorted((one, two))
    assert hours.instant(day, low, zone) <= hours.instant(day, high, zone)


@given(zone_and_day(), minutes)
def test_a_wall_time_is_the_first_instant_at_which_the_clock_has_reached_it(
    place: tuple[str, date], minute: int
) -> None:
    zone, day = place
    at = hours.instant(day, minute, zone)
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    assert hours.local(at, zone).replace(tzinfo=None) >= wall
    for earlier in (1, 60, 1800, 3600, 86400):
        before = hours.local(at - timedelta(seconds=earlier), zone).replace(tzinfo=None)
        assert before < wall


@given(zone_and_day(), st.lists(minutes, min_size=1, max_size=6))
def test_windows_tile_the_day_exactly(place: tuple[str, date], cuts: list[int]) -> None:
    zone, day = place
    edges = [hours.instant(day, minute, zone) for minute in sorted({0, 1440, *cuts})]
    windows = [Period(a, b) for a, b in pairwise(edges)]
    assert hours.merge(windows) == [Period(edges[0], edges[-1])]
    lengths = [window.ends_at - window.starts_at for window in windows]
    assert sum(lengths, timedelta()) == edges[-1] - edges[0]


@given(zone_and_day())
def test_midnight_after_a_day_is_midnight_of_the_next_day(
    place: tuple[str, date],
) -> None:
    zone, day = place
    assert hours.instant(day, 1440, zone) == hours.instant(day + timedelta(days=1), 0, zone)


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
    lasted = hours.instant(day, 1440, zone) - hours.instant(day, 0, zone)
    assert lasted == timedelta(hours=length)


def test_a_repeated_time_is_its_first_occurrence_and_a_skipped_one_the_end_of_the_gap() -> None:
    assert hours.instant(date(2027, 11, 7), 90, NEW_YORK) == utc(2027, 11, 7, 5, 30)
    assert hours.instant(date(2027, 3, 14), 150, NEW_YORK) == utc(2027, 3, 14, 7)
    assert hours.instant(date(2026, 10, 4), 135, LORD_HOWE) == utc(2026, 10, 3, 15, 30)


def test_a_window_inside_a_gap_is_empty_and_one_around_it_is_shortened() -> None:
    sunday = frozenset({6})
    assert Hours(sunday, 120, 150).on(date(2027, 3, 14), NEW_YORK) is None
    around = Hours(sunday, 60, 210).on(date(2027, 3, 14), NEW_YORK)
    assert around is not None
    assert around.ends_at - around.starts_at == timedelta(hours=1, minutes=30)


# --- Typed times ----------------------------------------------------------------------------------


def test_a_typed_time_that_does_not_exist_is_refused_with_the_next_one() -> None:
    with pytest.raises(WallTimeMissing) as refused:
        hours.resolve(datetime(2027, 3, 14, 2, 30), NEW_YORK)
    assert refused.value.next == utc(2027, 3, 14, 7)
    assert refused.value.sentence == (
        "02:30 does not exist on Sun 14 Mar: the clocks go forward. The next time is 03:00."
    )


def test_a_typed_time_that_repeats_asks_which_and_takes_the_answer() -> None:
    wall = datetime(2027, 11, 7, 1, 30)
    with pytest.raises(WallTimeRepeats) as refused:
        hours.resolve(wall, NEW_YORK)
    first, second = utc(2027, 11, 7, 5, 30), utc(2027, 11, 7, 6, 30)
    assert (refused.value.first, refused.value.second) == (first, second)
    assert "(EDT) or the second (EST)" in refused.value.sentence
    assert hours.resolve(wall, NEW_YORK, fold=0) == first
    assert hours.resolve(wall, NEW_YORK, fold=1) == second


@given(zone_and_day(), st.integers(0, 1439))
def test_a_time_that_resolves_reads_back_as_typed(place: tuple[str, date], minute: int) -> None:
    zone, day = place
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    try:
        at = hours.resolve(wall, zone)
    except WallTimeMissing as missing:
        assert hours.local(missing.next, zone).replace(tzinfo=None) > wall
    except WallTimeRepeats as repeats:
        assert repeats.first < repeats.second
        for each in (repeats.first, repeats.second):
            assert hours.local(each, zone).replace(tzinfo=None) == wall
    else:
        assert hours.local(at, zone).replace(tzinfo=None) == wall
        assert at == hours.instant(day, minute, zone)


# --- Durations ------------------------------------------------------------------------------------


def test_a_day_keeps_the_wall_clock_and_hours_elapse_across_a_change() -> None:
    start = utc(2026, 3, 8, 14)  # Sunday 10:00 in New York, on the day the clocks go forward
    assert hours.before(start, Duration(days=1), NEW_YORK) == utc(2026, 3, 7, 15)
    assert hours.before(start, Duration(seconds=24 * 3600), NEW_YORK) == utc(2026, 3, 7, 14)


def test_a_half_hour_change_is_half_an_hour() -> None:
    start = hours.instant(date(2026, 10, 4), 9 * 60, LORD_HOWE)
    assert hours.before(start, Duration(days=1), LORD_HOWE) == utc(2026, 10, 2, 22, 30)


def test_a_month_clamps_to_its_last_day() -> None:
    start = hours.instant(date(2027, 1, 31), 600, NEW_YORK)
    assert hours.after(start, Duration(months=1), NEW_YORK) == utc(2027, 2, 28, 15)
    assert hours.before(start, Duration(months=2), NEW_YORK) == utc(2026, 11, 30, 15)
    assert hours.shifted_day(date(2028, 2, 29), Duration(months=12)) == date(2029, 2, 28)


def test_a_duration_that_lands_in_a_gap_lands_at_its_end() -> None:
    start = hours.instant(date(2027, 3, 13), 150, NEW_YORK)
    assert hours.after(start, Duration(days=1), NEW_YORK) == utc(2027, 3, 14, 7)


def test_no_duration_leaves_the_second_of_two_equal_wall_times_alone() -> None:
    second = utc(2027, 11, 7, 6, 30)
    assert hours.after(second, Duration(), NEW_YORK) == second


@given(zone_and_day(), st.integers(0, 1439), st.integers(0, 400))
def test_days_after_and_days_between_agree(place: tuple[str, date], minute: int, days: int) -> None:
    zone, day = place
    start = hours.instant(day, minute, zone)
    end = hours.after(start, Duration(days=days), zone)
    # A gap at midnight, or a skipped date, pushes a start onto the day after.
    assert hours.days_between(start, end, zone) - days in (0, 1)
    assert hours.before(start, Duration(days=days), zone) <= start <= end


# --- Allowed hours --------------------------------------------------------------------------------


def test_the_window_includes_its_opening_and_excludes_its_closing() -> None:
    opens, closes = utc(2027, 3, 12, 13), utc(2027, 3, 13, 1)
    assert hours.next_allowed(opens, CARE, (NEW_YORK,)) == opens
    assert hours.next_allowed(closes, CARE, (NEW_YORK,)) == utc(2027, 3, 13, 13)


def test_marketing_waits_over_sunday() -> None:
    saturday_evening = hours.instant(date(2027, 3, 13), 19 * 60, NEW_YORK)
    monday = hours.instant(date(2027, 3, 15), 10 * 60, NEW_YORK)
    assert hours.next_allowed(saturday_evening, MARKETING, (NEW_YORK,)) == monday


def test_an_unknown_zone_waits_until_every_candidate_is_awake() -> None:
    zones = (NEW_YORK, "America/Los_Angeles")
    at = utc(2027, 3, 12, 13)  # 08:00 in New York, 05:00 in Los Angeles
    assert hours.next_allowed(at, CARE, zones) == utc(2027, 3, 12, 16)


def test_zones_without_a_common_moment_end_the_search() -> None:
    zones = ("Europe/London", "Pacific/Auckland")
    with pytest.raises(hours.NeverAllowed):
        hours.next_allowed(utc(2027, 1, 12), MARKETING, zones)


@given(zone_and_day(), minutes, st.sampled_from([CARE, MARKETING]))
def test_the_next_allowed_moment_is_allowed_and_nothing_before_it_is(
    place: tuple[str, date], minute: int, window: Hours
) -> None:
    zone, day = place
    at = hours.instant(day, minute, zone)
    allowed = hours.next_allowed(at, window, (zone,))
    assert at <= allowed
    assert hours.next_allowed(allowed, window, (zone,)) == allowed
    wall = hours.local(allowed, zone)
    assert window.opens <= wall.hour * 60 + wall.minute < window.closes
    if allowed > at:
        just_before = allowed - timedelta(seconds=1)
        assert hours.next_allowed(just_before, window, (zone,)) == allowed


# --- Periods --------------------------------------------------------------------------------------

EPOCH = utc(2027, 1, 1)
periods = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(
        lambda pair: Period(
            EPOCH + timedelta(hours=pair[0]), EPOCH + timedelta(hours=pair[0] + pair[1])
        )
    ),
    max_size=8,
)


def moments(some: list[Period]) -> set[int]:
    return {hour for hour in range(60) if any(EPOCH + timedelta(hours=hour) in p for p in some)}


@given(periods, periods)
def test_period_algebra_equals_sets_of_moments(a: list[Period], b: list[Period]) -> None:
    assert moments(hours.merge(a)) == moments(a)
    assert moments(hours.subtract(a, b)) == moments(a) - moments(b)
    assert moments(hours.intersect(a, b)) == moments(a) & moments(b)
    merged = hours.merge(a)
    assert all(x.ends_at < y.starts_at for x, y in pairwise(merged))


# --- Dates for people -----------------------------------------------------------------------------


def test_a_moment_is_written_with_weekday_date_and_time() -> None:
    at = utc(2027, 3, 12, 15)
    assert hours.format_when(at, NEW_YORK, "en") == "Fri 12 Mar 10:00"
    assert hours.format_when(at, NEW_YORK, "es") == "vie 12 mar 10:00"
    assert hours.format_when(at, NEW_YORK, "en", with_zone=True) == "Fri 12 Mar 10:00 EST"
    assert hours.format_when(at, "America/Sao_Paulo", "es", with_zone=True) == (
        "vie 12 mar 12:00 UTC-03"
    )


def test_a_date_has_its_year_where_it_could_be_taken_for_another() -> None:
    at = utc(2027, 3, 12, 15)
    same, near, far = (at - timedelta(days=days) for days in (70, 300, 301))
    assert hours.format_when(at, NEW_YORK, "en", seen_at=same) == "Fri 12 Mar 10:00"
    for seen in (near, far):
        assert hours.format_when(at, NEW_YORK, "en", seen_at=seen) == "Fri 12 Mar 2027 10:00"
    assert hours.format_when(at, NEW_YORK, "en", seen_at=far, year=False) == "Fri 12 Mar 10:00"
    assert hours.when(at, NEW_YORK, "en", year=True).day == "Fri 12 Mar 2027"
    assert hours.when(at, NEW_YORK, "es", seen_at=far).brief == "12 mar 2027 10:00"
    assert hours.when(at, NEW_YORK, "es", seen_at=near).brief == "vie 12 mar 10:00"
    day = date(2027, 3, 12)
    assert hours.format_day(day, today=date(2028, 3, 12)) == "Fri 12 Mar 2027"
    assert hours.format_day(day, today=date(2027, 12, 1)) == hours.format_day(day) == "Fri 12 Mar"


def test_a_sentence_says_the_year_that_is_not_its_readers() -> None:
    at, day = utc(2027, 3, 12, 15), date(2027, 3, 12)
    with hours.read_on(date(2026, 11, 26)):
        assert hours.format_day(day) == "Fri 12 Mar 2027"
        assert hours.format_when(at, NEW_YORK, "es") == "vie 12 mar 2027 10:00"
    with hours.read_on(date(2027, 1, 1)):
        assert hours.format_when(at, NEW_YORK, "en") == "Fri 12 Mar 10:00"
    assert hours.format_day(day) == "Fri 12 Mar"


def test_a_repeated_time_is_always_written_with_its_zone() -> None:
    assert hours.format_when(utc(2027, 11, 7, 5, 30), NEW_YORK, "en") == "Sun 7 Nov 01:30 EDT"
    assert hours.format_when(utc(2027, 11, 7, 6, 30), NEW_YORK, "en") == "Sun 7 Nov 01:30 EST"
