"""Plans of whole series against brute force, on small calendars."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from appointments import availability
from appointments.availability import PROVIDER, Facts
from appointments.intervals import Bounds
from appointments.series_plans import Impossible, Preference, Wish, plan
from appointments.working_time import ProviderTime
from clinic.durations import Duration
from clinic.protocols.schema import Interval
from tests.appointments.test_availability import CREDENTIAL, facts

FIRST = date(2027, 3, 8)  # a Monday; the clocks go forward on the Sunday after
DAY = timedelta(days=1)
NINE_TO_TEN = tuple((weekday, 540, 600) for weekday in range(7))


def interval(least: int, ideal: int, most: int) -> Interval:
    return Interval(Duration(days=least), Duration(days=ideal), Duration(days=most))


def open_on(days: set[int]) -> Facts:
    """One free hour on each of these days after FIRST, and nothing else."""
    closures = tuple(
        (FIRST + n * DAY, FIRST + n * DAY, "closed") for n in range(80) if n not in days
    )
    given = facts(week=NINE_TO_TEN, body=12)
    return replace(given, site=replace(given.site, closures=closures))


def reachable(days: set[int], sessions: int, rule: tuple[int, int], window: int) -> bool:
    """Whether any choice of days keeps every gap, tried one by one."""

    def rest(left: int, last: int) -> bool:
        return left == 0 or any(
            rest(left - 1, day) for day in days if rule[0] <= day - last <= rule[1]
        )

    return any(rest(sessions - 1, day) for day in days if day <= window)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[set[int], int, tuple[int, int, int], int]:
    least = draw(st.integers(1, 8))
    ideal = least + draw(st.integers(0, 4))
    most = ideal + draw(st.integers(0, 4))
    days = draw(st.sets(st.integers(0, 50), max_size=10))
    return days, draw(st.integers(1, 4)), (least, ideal, most), draw(st.integers(0, 15))


@given(calendars())
def test_a_plan_is_found_exactly_when_there_is_one_and_keeps_every_gap(
    calendar: tuple[set[int], int, tuple[int, int, int], int],
) -> None:
    days, sessions, (least, ideal, most), window = calendar
    found = plan(
        open_on(days),
        Wish(1, sessions, Bounds(FIRST, FIRST, FIRST + window * DAY), interval(least, ideal, most)),
    )
    possible = reachable(days, sessions, (least, most), window)
    assert isinstance(found, list) == possible
    if isinstance(found, list):
        chosen = [(visit.day - FIRST).days for visit in found]
        assert [visit.session for visit in found] == list(range(1, sessions + 1))
        assert set(chosen) <= days
        assert all(least <= b - a <= most for a, b in pairwise(chosen))


@given(st.permutations([10, 11, 12]), st.integers(0, 2))
def test_the_order_of_resources_changes_nothing(order: list[int], off: int) -> None:
    given = facts(week=NINE_TO_TEN, body=12, providers=dict.fromkeys((10, 11, 12), NINE_TO_TEN))
    away = {10 + off: ProviderTime((), CREDENTIAL)}
    shuffled = replace(
        given,
        pools={**given.pools, PROVIDER: tuple(order)},
        providers={**given.providers, **away},
    )
    wish = Wish(1, 3, Bounds(FIRST, FIRST, FIRST + 5 * DAY), interval(21, 28, 42))
    assert plan(shuffled, wish) == plan(replace(shuffled, pools=given.pools), wish)


def test_the_first_impossible_session_is_named_with_its_dates_and_what_binds() -> None:
    given = open_on(set(range(20)))
    busy = availability.Busy()
    wish = Wish(1, 2, Bounds(FIRST, FIRST, FIRST), interval(21, 28, 42))
    assert plan(given, wish) == Impossible(
        2, Bounds(FIRST + 21 * DAY, FIRST + 28 * DAY, FIRST + 42 * DAY), "site"
    )
    away = replace(given, providers={10: ProviderTime((), CREDENTIAL)}, busy={10: busy})
    found = plan(away, replace(wish, last=1))
    assert isinstance(found, Impossible)
    assert (found.session, found.binding) == (1, PROVIDER)


def test_near_to_the_ideal_costs_less_than_far_and_late_less_than_early() -> None:
    def second(days: set[int], *weekdays: int) -> int:
        preference = Preference(weekdays=frozenset(weekdays or range(7)))
        only = Bounds(FIRST, FIRST, FIRST)
        found = plan(open_on(days), Wish(1, 2, only, interval(21, 28, 42), preference))
        assert isinstance(found, list)
        return (found[1].day - FIRST).days

    assert second({0, 25, 32}) == 32  # three days early cost 4.5 points, four days late 4
    assert second({0, 26, 32}) == 26
    assert second({0, 26, 32}, 4) == 32  # the 26th is a Saturday: six points more
