"""Free time as bits against the same asked minute by minute."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments import availability, bitsets
from appointments.availability import (
    DEVICE,
    PATIENT,
    PROVIDER,
    ROOM,
    Busy,
    Day,
    Facts,
    Need,
    Window,
)
from appointments.bitsets import TICK, Grid
from appointments.intervals import Spaced
from appointments.working_time import ProviderTime, SiteTime, Week, periods_of
from clinic.hours import Period, instant, merge

NEW_YORK = "America/New_York"
ALWAYS: Week = tuple((day, 0, 1440) for day in range(7))
CREDENTIAL = ((date(2000, 1, 1), None),)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DAY = date(2027, 3, 12)


def facts(
    *,
    week: Week = ((4, 9 * 60, 17 * 60),),
    providers: Mapping[int, Week] | None = None,
    rooms: Sequence[int] = (20,),
    devices: Sequence[int] = (30,),
    busy: Mapping[int, Sequence[Period]] | None = None,
    body: int = 9,
    windows: Mapping[str, Window] | None = None,
    zone: str = NEW_YORK,
) -> Facts:
    """One provider (10), room (20), device (30) and the patient (1), if nothing else is said."""
    weeks = providers or {10: week}
    none = Window(0, 0)
    return Facts(
        site=SiteTime("Harbour", zone, week),
        need=Need(body, windows or {PROVIDER: none, ROOM: none, DEVICE: none, PATIENT: none}),
        pools={PROVIDER: tuple(weeks), ROOM: tuple(rooms), DEVICE: tuple(devices), PATIENT: (1,)},
        providers={pk: ProviderTime(each, CREDENTIAL) for pk, each in weeks.items()},
        busy={pk: Busy(tuple(merge(periods))) for pk, periods in (busy or {}).items()},
        not_before=LONG_AGO,
    )


def wall(minute: int, day: date = DAY) -> datetime:
    return instant(day, minute, NEW_YORK)


def starts(of: Day) -> list[datetime]:
    return [of.grid.at(bit) for bit in bitsets.ones(of.feasible)]


# --- Bits -----------------------------------------------------------------------------------------

bits = st.integers(0, (1 << 60) - 1)


@given(bits, st.integers(1, 20))
def test_eroding_finds_the_beginnings_of_free_runs(free: int, length: int) -> None:
    naive = {n for n in range(60) if all(free >> (n + k) & 1 for k in range(length))}
    assert set(bitsets.ones(bitsets.erode(free, length))) == naive


@given(bits, st.integers(0, 59), st.integers(1, 10))
def test_idle_time_is_counted_on_both_sides(free: int, first: int, length: int) -> None:
    end = min(60, first + length)
    before = after = 0
    while before < first and free >> (first - before - 1) & 1:
        before += 1
    while free >> (end + after) & 1:
        after += 1
    assert bitsets.idle_around(free, first, end) == before + after


@given(st.integers(0, 40), st.integers(1, 90), st.integers(0, 60), st.integers(0, 90))
def test_free_ticks_lie_inside_and_busy_ticks_cover(a: int, length: int, b: int, more: int) -> None:
    base = datetime(2027, 3, 12, tzinfo=UTC)
    minute = timedelta(minutes=1)
    grid = Grid.over(Period(base + a * minute, base + (a + length) * minute))
    period = Period(base + b * minute, base + (b + more) * minute)
    for bit in range(grid.length):
        tick = Period(grid.at(bit), grid.at(bit) + TICK)
        inside = period.starts_at <= tick.starts_at and tick.ends_at <= period.ends_at
        touches = max(tick.starts_at, period.starts_at) < min(tick.ends_at, period.ends_at)
        assert bool(grid.free([period]) >> bit & 1) == inside
        if more:
            assert bool(grid.busy([period]) >> bit & 1) == touches


def test_minutes_round_up_to_ticks() -> None:
    assert [bitsets.ticks(minutes) for minutes in (0, 1, 5, 6, 95)] == [0, 1, 1, 2, 19]
    assert bitsets.aligned(datetime(2027, 3, 12, 10, 5, tzinfo=UTC))
    assert not bitsets.aligned(datetime(2027, 3, 12, 10, 5, 1, tzinfo=UTC))


# --- A day against brute force --------------------------------------------------------------------

RESOURCES = {PROVIDER: (10, 11), ROOM: (20, 21), DEVICE: (30,), PATIENT: (1,)}


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    def window() -> Window:
        return Window(draw(st.integers(0, 3)), draw(st.integers(0, 3)))

    def busy() -> list[Period]:
        spans = draw(st.lists(st.tuples(st.integers(0, 280), st.integers(1, 30)), max_size=4))
        return [Period(wall(0) + a * TICK, wall(0) + (a + n) * TICK) for a, n in spans]

    opens = draw(st.integers(0, 200))
    site: Week = ((4, opens * 5, (opens + draw(st.integers(1, 87))) * 5),)
    weeks: dict[int, Week] = {10: site, 11: ((4, 0, draw(st.integers(1, 288)) * 5),)}
    return facts(
        week=site,
        providers=weeks,
        rooms=(20, 21),
        body=draw(st.integers(1, 20)),
        windows={PROVIDER: window(), ROOM: window(), DEVICE: window(), PATIENT: Window(0, 0)},
        busy={pk: busy() for pool in RESOURCES.values() for pk in pool},
    )


def fits(given: Facts, kind: str, resource: int, start: datetime) -> bool:
    """Whether one resource could be held by a visit at `start`, asked tick by tick."""
    window = given.need.windows[kind]
    hours = given.site.open_on(DAY)
    if kind == PROVIDER:
        hours = given.providers[resource].works_on(DAY, given.site)
    first, end = start - window.set_up * TICK, start + (given.need.body + window.clean_up) * TICK
    tick = first
    while tick < end:
        if tick < wall(0) or tick + TICK > wall(1440):
            return False
        if kind != PATIENT and not any(
            tick in each and tick + TICK <= each.ends_at for each in hours
        ):
            return False
        if resource in given.busy and any(tick in each for each in given.busy[resource].periods):
            return False
        tick += TICK
    return True


@given(some_facts())
def test_feasible_starts_equal_brute_force(given: Facts) -> None:
    naive = [
        start
        for start in (wall(0) + n * TICK for n in range(288))
        if all(
            any(fits(given, kind, resource, start) for resource in pool)
            for kind, pool in given.pools.items()
        )
    ]
    assert starts(availability.day(given, DAY)) == naive


@given(some_facts())
def test_the_chosen_resources_fit_every_feasible_start(given: Facts) -> None:
    free = availability.day(given, DAY)
    for bit in bitsets.ones(free.feasible):
        chosen = free.choose(bit, {})
        assert chosen is not None
        assert all(fits(given, kind, each, free.grid.at(bit)) for kind, each in chosen.items())


@given(some_facts(), st.integers(0, 287), st.integers(1, 40), st.sampled_from([1, 10, 20, 30]))
def test_more_busy_time_never_adds_a_start(
    given: Facts, first: int, length: int, resource: int
) -> None:
    more = Period(wall(0) + first * TICK, wall(0) + (first + length) * TICK)
    taken = Busy(tuple(merge([*given.busy[resource].periods, more])))
    busier = replace(given, busy={**given.busy, resource: taken})
    assert set(starts(availability.day(busier, DAY))) <= set(starts(availability.day(given, DAY)))


@given(some_facts())
def test_a_day_without_starts_names_a_binding_kind(given: Facts) -> None:
    free = availability.day(given, DAY)
    assert (free.why_none() is None) == bool(free.feasible)
    assert free.why_none() in (None, PROVIDER, ROOM, DEVICE, PATIENT)


# --- Hard cases -----------------------------------------------------------------------------------


def test_clean_up_must_end_by_closing_time() -> None:
    windows = {
        PROVIDER: Window(0, 0),
        ROOM: Window(0, 2),
        DEVICE: Window(0, 0),
        PATIENT: Window(0, 0),
    }
    assert starts(availability.day(facts(windows=windows), DAY))[-1] == wall(16 * 60 + 5)


def test_two_providers_are_not_stitched_together() -> None:
    halves: dict[int, Week] = {10: ((4, 540, 570),), 11: ((4, 570, 600),)}
    free = availability.day(facts(providers=halves, body=12), DAY)
    assert starts(free) == []
    assert free.why_none() == PROVIDER


@pytest.mark.parametrize(
    ("day", "ticks"), [(date(2027, 3, 14), 276), (date(2027, 11, 7), 300), (DAY, 288)]
)
def test_a_day_has_as_many_ticks_as_its_clock(day: date, ticks: int) -> None:
    free = availability.day(facts(week=ALWAYS, body=1), day)
    assert (free.grid.length, free.feasible.bit_count()) == (ticks, ticks)


def test_hours_in_a_gap_are_empty_and_around_it_short() -> None:
    sunday = date(2027, 3, 14)
    assert periods_of(((6, 120, 150),), sunday, NEW_YORK) == ()
    (around,) = periods_of(((6, 60, 210),), sunday, NEW_YORK)
    assert around.ends_at - around.starts_at == timedelta(hours=1, minutes=30)


def test_a_split_day_has_no_visit_over_the_break() -> None:
    free = availability.day(facts(week=((4, 540, 720), (4, 780, 1020)), body=12), DAY)
    assert wall(660) in starts(free)
    assert not any(wall(665) <= start < wall(780) for start in starts(free))


def test_the_credential_must_hold_on_the_day() -> None:
    given = facts()
    ends = ProviderTime(given.providers[10].week, ((date(2026, 1, 1), DAY),))
    given = replace(given, providers={10: ends})
    assert availability.day(given, DAY).feasible
    later = availability.day(given, DAY + timedelta(days=7))
    assert later.why_none() == PROVIDER


def test_a_closed_day_and_a_spaced_one_say_so() -> None:
    given = facts()
    closed = replace(given, site=replace(given.site, closures=((DAY, DAY, "Holiday"),)))
    assert availability.day(closed, DAY).barred == (
        "site",
        "Harbour is closed on Fri 12 Mar (Holiday).",
    )
    near = Spaced(DAY, "IPL", DAY - timedelta(days=28), DAY + timedelta(days=28), strict=True)
    barred = availability.day(replace(given, spaced=(near,)), DAY).barred
    assert barred is not None
    assert barred[0] == "spacing"


def test_nothing_starts_before_now() -> None:
    given = replace(facts(), not_before=wall(12 * 60 + 1))
    assert starts(availability.day(given, DAY))[0] == wall(12 * 60 + 5)
    assert availability.day(replace(given, not_before=wall(1500)), DAY).why_none() == "past"


def test_the_usual_resource_is_kept_and_else_the_tightest_gap_is_filled() -> None:
    given = facts(rooms=(20, 21), busy={21: [Period(wall(0), wall(600))]})
    free = availability.day(given, DAY)
    bit = free.grid.bit(wall(600))
    assert free.pick(ROOM, bit, 20) == 20
    assert free.pick(ROOM, bit, None) == 21
    assert free.pick(ROOM, bit - 1, 21) == 20
