"""A first visit in a free time that was chosen: where it begins, or why it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appointments.finding.availability import Facts, fits
from appointments.finding.free_times import FreeTime, Unfit, plans_in
from appointments.finding.intervals import Bounds, Spaced, bounds
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, Window
from appointments.finding.plans import Impossible, Plan, Preference, Stay, Wish
from appointments.finding.series_plans import plans
from appointments.finding.ticks import TICK
from clinic.periods import Period
from clinic.protocols.schema import Text
from tests.appointments.finding.test_availability import DAY, NONE, facts, wall
from tests.appointments.finding.test_series_plans import interval

EVERY_DAY = tuple((weekday, 9 * 60, 17 * 60) for weekday in range(7))
ONE = timedelta(days=1)
ANY = Preference()
WINDOW = Bounds(DAY, DAY, DAY + 30 * ONE)
SET_UP = {PROVIDER: Window(1, 1), ROOM: Window(2, 2), DEVICE: Window(0, 3), PATIENT: NONE}


def house(busy: Mapping[int, Sequence[Period]] | None = None, **more: object) -> Facts:
    return facts(week=EVERY_DAY, busy=busy, last=DAY + 60 * ONE, **more)  # type: ignore[arg-type]


def one(preference: Preference = ANY) -> Wish:
    return Wish.new(1, WINDOW, None, preference=preference)


def span(first: int, last: int) -> Period:
    return Period(wall(first), wall(last))


def begins(given: Facts, minute: int, resource: int = 10, wish: Wish | None = None) -> Plan:
    found = plans_in(given, wish or one(), FreeTime(wall(minute), resource))
    assert isinstance(found, list), found
    return found[0]


def lacking(given: Facts, minute: int, resource: int = 10, wish: Wish | None = None) -> Unfit:
    found = plans_in(given, wish or one(), FreeTime(wall(minute), resource))
    assert isinstance(found, Unfit), found
    return found


def test_it_begins_where_the_free_time_does_on_any_tick() -> None:
    visit = begins(house({10: [span(540, 850)]}), 850).visits[0]
    assert (visit.starts_at, visit.reasons) == (wall(850), ("At the chosen free time.",))


@pytest.mark.parametrize(("resource", "minutes"), [(10, 5), (20, 10), (30, 0)])
def test_the_set_up_of_what_is_free_comes_first(resource: int, minutes: int) -> None:
    visit = begins(house(windows=SET_UP), 850, resource).visits[0]
    assert visit.starts_at == wall(850 + minutes)
    if minutes:
        assert visit.reasons == ("In the chosen free time, after set-up from 14:10 on.",)
    assert visit.resources == {PROVIDER: 10, ROOM: 20, DEVICE: 30}


def test_it_waits_within_the_free_time_for_what_else_it_needs() -> None:
    visit = begins(house({20: [span(840, 900)]}), 850).visits[0]
    assert visit.starts_at == wall(900)
    assert visit.reasons == (
        "In the chosen free time, at 15:00: until then no suitable room is free.",
    )


def test_it_never_waits_beyond_the_free_time() -> None:
    taken = {10: [span(910, 960)], 20: [span(840, 900)]}
    assert lacking(house(taken), 850).binding == ROOM


def test_a_room_or_device_that_was_chosen_is_taken_though_another_would_be() -> None:
    given = house(rooms=(20, 21), devices=(30, 31))
    assert begins(given, 850, 21).visits[0].resources[ROOM] == 21
    assert begins(given, 850, 31).visits[0].resources[DEVICE] == 31


def test_what_it_cannot_be_is_told() -> None:
    assert lacking(house(), 850, 99).binding == "unsuitable"
    assert lacking(house(), 850, 1).binding == "unsuitable"  # the patient
    assert lacking(house({10: [span(840, 900)]}), 850).binding == "taken"
    assert lacking(house(), 8 * 60).binding == "taken"  # before the hours
    assert lacking(house({10: [span(880, 900)]}, windows=SET_UP), 850) == Unfit("short", 55, 30)
    assert lacking(house({1: [span(540, 1020)]}), 850).binding == PATIENT
    assert lacking(replace(house(), not_before=wall(0) + 2 * ONE), 850).binding == "past"
    near = (Spaced(DAY, Text("the laser", "el láser"), DAY - ONE, DAY + 3 * ONE, strict=True),)
    assert lacking(replace(house(), spaced=near), 850).binding == "spacing"
    only = one(Preference(frozenset({0}), strict=True))
    assert lacking(house(), 850, wish=only).binding == "wishes"
    later = FreeTime(wall(850) + 40 * ONE, 10)
    assert plans_in(house(), one(), later) == Unfit("dates")


def test_who_treats_in_a_free_room_is_who_makes_the_best_series() -> None:
    # Provider 10 works on that one day, 11 always: with 10 the series would change hands.
    given = house(providers={10: ((DAY.weekday(), 540, 1020),), 11: EVERY_DAY})
    wish = Wish.new(3, WINDOW, interval(8, 10, 11))
    found = begins(given, 850, 20, wish)
    assert {visit.resources[PROVIDER] for visit in found.visits} == {11}


def test_a_series_that_cannot_go_on_from_there_is_told_of() -> None:
    closed = tuple((DAY + n * ONE, DAY + n * ONE, "closed") for n in range(1, 40))
    given = house()
    given = replace(given, site=replace(given.site, closures=closed))
    found = plans_in(given, Wish.new(2, WINDOW, interval(7, 14, 21)), FreeTime(wall(850), 10))
    assert isinstance(found, Impossible)
    assert (found.session, found.binding) == (2, "site")


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Facts, FreeTime, int]:
    def busy(day: date) -> list[Period]:
        at = draw(st.lists(st.integers(108, 200), max_size=3, unique=True))
        shift = wall(0, day)
        return [Period(shift + n * TICK, shift + (n + 4) * TICK) for n in sorted(at)]

    given = house(
        {pk: [*busy(DAY), *busy(DAY + 14 * ONE)] for pk in (10, 11, 20, 30)},
        providers={10: EVERY_DAY, 11: EVERY_DAY},
        windows=SET_UP,
    )
    free = FreeTime(wall(draw(st.integers(108, 200)) * 5), draw(st.sampled_from([10, 20, 30])))
    return given, free, draw(st.integers(1, 3))


@settings(max_examples=25)
@given(calendars())
def test_the_first_place_fits_is_the_soonest_and_the_rest_is_planned_on_from_it(
    calendar: tuple[Facts, FreeTime, int],
) -> None:
    given, free, sessions = calendar
    wish = Wish.new(sessions, WINDOW, interval(10, 14, 20))
    found = plans_in(given, wish, free)
    soonest = _soonest(given, free)
    if not isinstance(found, list):
        assert soonest is None
        return
    for plan in found:
        first = plan.visits[0]
        assert fits(given, first.starts_at, first.resources)
        assert free.resource in first.resources.values()
        assert first.starts_at == soonest
        assert [visit.session for visit in plan.visits] == list(range(1, sessions + 1))
    if sessions > 1:
        first = found[0].visits[0]
        before = Stay(first.day, first.starts_at, first.resources)
        assert wish.interval is not None
        rest = replace(
            wish, sessions=wish.sessions[1:], window=bounds(first.day, wish.interval), before=before
        )
        following = plans(given, rest)
        assert not isinstance(following, Impossible)
        assert [plan.visits[1:] for plan in found] == [plan.visits for plan in following]


def _soonest(given: Facts, free: FreeTime) -> datetime | None:
    """Tick by tick, while what was chosen is free, who else there is."""
    kind = next(kind for kind, pool in given.pools.items() if free.resource in pool)
    window = given.need.windows[kind]
    pools = {
        each: (free.resource,) if each == kind else pool
        for each, pool in given.pools.items()
        if each != PATIENT
    }
    at = free.starts_at + window.set_up * TICK
    while _alone(given, kind, free, at):
        for provider in pools[PROVIDER]:
            for device in pools[DEVICE]:
                if fits(given, at, {PROVIDER: provider, ROOM: 20, DEVICE: device}):
                    return at
        at += TICK
    return None


def _alone(given: Facts, kind: str, free: FreeTime, at: datetime) -> bool:
    """Whether it is free from the beginning of the free time until a visit at `at` is over."""
    end = given.need.held(kind, at).ends_at
    if end > wall(1020):
        return False
    taken = given.busy[free.resource]
    begin = int(free.starts_at.timestamp()) // 300
    return not ((taken[:, 0] < int(end.timestamp()) // 300) & (taken[:, 1] > begin)).any()
