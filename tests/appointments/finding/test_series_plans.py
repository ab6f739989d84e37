"""Plans of whole series against every other plan there is, on small calendars."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.finding.availability import Facts, Openings, fits
from appointments.finding.intervals import Bounds, bounds
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.finding.plans import Impossible, Plan, Preference, Session, Stay, Weights, Wish
from appointments.finding.relaxing import ways_out
from appointments.finding.series_plans import plans
from appointments.finding.working_time import ProviderTime
from clinic.durations import Duration
from clinic.periods import Period
from clinic.protocols.schema import Interval
from clinic.wall_time import instant, local
from tests.appointments.finding.test_availability import CREDENTIAL, NEW_YORK, facts, rows

FIRST = date(2027, 3, 8)  # a Monday; the clocks go forward on the Sunday after
DAY = timedelta(days=1)
NINE_TO_TEN = tuple((weekday, 540, 600) for weekday in range(7))
NINE_TO_ONE = tuple((weekday, 540, 780) for weekday in range(7))


def interval(least: int, ideal: int, most: int) -> Interval:
    return Interval(Duration(days=least), Duration(days=ideal), Duration(days=most))


def day(number: int) -> date:
    return FIRST + number * DAY


def open_on(numbers: set[int], last: int = 80) -> Facts:
    """One free hour on each of these days after FIRST, and nothing else."""
    closed = tuple((day(n), day(n), "closed") for n in range(last + 1) if n not in numbers)
    given = facts(week=NINE_TO_TEN, body=12, first=FIRST, last=day(last))
    return replace(given, site=replace(given.site, closures=closed))


def best(given: Facts, wish: Wish) -> Plan:
    found = plans(given, wish)
    assert not isinstance(found, Impossible), found
    return found[0]


def numbers(plan: Plan) -> list[int]:
    return [(visit.day - FIRST).days for visit in plan.visits]


# --- Against brute force --------------------------------------------------------------------------


@st.composite
def small(draw: st.DrawFn) -> tuple[Facts, Wish]:
    """Two providers and two devices over two or three weeks, one to three sessions."""
    length = draw(st.integers(8, 18))
    least = draw(st.integers(1, 5))
    ideal = least + draw(st.integers(0, 3))
    most = ideal + draw(st.integers(0, 4))

    def busy() -> list[Period]:
        spans = draw(st.lists(st.tuples(st.integers(0, length), st.integers(540, 780)), max_size=9))
        return [Period(_at(n, minute), _at(n, minute + 35)) for n, minute in spans]

    closed = tuple(
        (day(n), day(n), "closed") for n in draw(st.sets(st.integers(0, length), max_size=6))
    )
    given = facts(
        week=NINE_TO_ONE,
        providers={10: NINE_TO_ONE, 11: NINE_TO_ONE},
        devices=(30, 31),
        body=draw(st.sampled_from([6, 12, 24])),
        busy={pk: busy() for pk in (10, 11, 20, 30, 31)},
        first=FIRST,
        last=day(length),
    )
    given = replace(given, site=replace(given.site, closures=closed))
    sessions = draw(st.integers(1, 3))
    window = Bounds(FIRST, day(draw(st.integers(0, 4))), day(draw(st.integers(4, 7))))
    held = {PROVIDER: 10, ROOM: 20, DEVICE: 30}
    before = Stay(FIRST - 3 * DAY, _at(-3, 600), held) if draw(st.booleans()) else None
    present = None
    if draw(st.booleans()):
        present = _stay(draw(st.integers(0, length)), draw(st.sampled_from([10, 11, 12])))
    kept = draw(st.integers(1, sessions))
    pinned = draw(st.booleans()) and present is not None
    planned = tuple(
        Session(n)
        if n != kept or present is None
        else Session(n, fixed=present if pinned else None, present=None if pinned else present)
        for n in range(1, sessions + 1)
    )
    weights = Weights(
        other_provider=draw(st.sampled_from([0.0, 2.0, 15.0])),
        unchanged=draw(st.sampled_from([0.0, 3.0, 1000.0])),
        finish=draw(st.sampled_from([0.0, 0.5])),
    )
    preference = Preference(
        frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
        draw(st.sampled_from([0, 600])),
        draw(st.sampled_from([660, 1440])),
        draw(st.booleans()),
    )
    rule = interval(least, ideal, most)
    return given, Wish(planned, window, rule, preference, weights, before)


def _at(number: int, minute: int) -> datetime:
    return instant(day(number), minute, NEW_YORK)


def _stay(number: int, provider: int) -> Stay:
    return Stay(day(number), _at(number, 615), {PROVIDER: provider, ROOM: 20, DEVICE: 30})


def cells(given: Facts, wish: Wish) -> dict[tuple[date, int], float]:
    """The cheapest place of each day and provider, start by start, by the rules as written."""
    openings, found = Openings(given), dict[tuple[date, int], float]()
    before, after = openings.idle(PROVIDER)
    load, prefers, weights = openings.day_load(DEVICE), wish.preference, wish.weights
    for row, provider in enumerate(openings.pools[PROVIDER]):
        for position in np.flatnonzero(openings.by_provider[row]):
            there = local(openings.starts_at(int(position)), NEW_YORK)
            minute = there.hour * 60 + there.minute
            outside = max(prefers.earliest - minute, minute - prefers.latest, 0)
            wished = there.weekday() in prefers.weekdays
            if prefers.strict and (outside or not wished):
                continue
            cost = 0.0 if wished else weights.other_weekday
            cost += min(weights.most_off_time, outside / 30 * weights.off_time)
            cost += weights.device_load * load[openings.day_of[position]]
            for idle in (before[row, position], after[row, position]):
                cost += weights.idle_gap * (15 <= idle * 5 < weights.usable_minutes)
            key = (there.date(), provider)
            found[key] = min(found.get(key, np.inf), cost)
    return found


def every_plan(given: Facts, wish: Wish) -> Iterator[float]:
    """The points of every plan that there is."""
    places = cells(given, wish)
    choices = [_choices(session, places, wish.weights) for session in wish.sessions]
    for way in product(*choices):
        points = 0.0
        before = None if wish.before is None else (wish.before.day, 10)
        window: Bounds | None = wish.window
        for session, ((on, provider), cost) in zip(wish.sessions, way, strict=True):
            if before is not None and session is not wish.sessions[0]:
                assert wish.interval is not None
                window = bounds(before[0], wish.interval)
            elif session.fixed is not None:
                window = None
            if window is not None:
                if not window.earliest <= on <= window.latest:
                    break
                off = (on - window.ideal).days
                points += off * wish.weights.late if off > 0 else -off * wish.weights.early
            if before is not None and before[1] != provider:
                points += wish.weights.other_provider
            points += cost
            before = (on, provider)
        else:
            assert before is not None
            yield points + wish.weights.finish * (before[0] - FIRST).days


def _choices(
    session: Session, places: dict[tuple[date, int], float], weights: Weights
) -> list[tuple[tuple[date, int], float]]:
    if session.fixed is not None:
        return [((session.fixed.day, session.fixed.resources[PROVIDER]), 0.0)]
    if session.present is None:
        return list(places.items())
    moved = {place: cost + weights.unchanged for place, cost in places.items()}
    moved[session.present.day, session.present.resources[PROVIDER]] = 0.0
    return list(moved.items())


@given(small())
def test_no_plan_costs_less_than_the_first_one(calendar: tuple[Facts, Wish]) -> None:
    given, wish = calendar
    all_points = sorted(every_plan(given, wish))
    found = plans(given, wish)
    if not all_points:
        assert isinstance(found, Impossible)
        return
    assert not isinstance(found, Impossible)
    assert found[0].points == pytest.approx(all_points[0])
    assert found == sorted(found, key=lambda plan: round(plan.points, 6))
    for plan in found:
        assert any(abs(points - plan.points) < 1e-6 for points in all_points)


@given(small())
def test_every_plan_keeps_every_interval_and_can_be_had(calendar: tuple[Facts, Wish]) -> None:
    given, wish = calendar
    found = plans(given, wish)
    if isinstance(found, Impossible):
        return
    assert wish.interval is not None
    for plan in found:
        for session, visit in zip(wish.sessions, plan.visits, strict=True):
            stay = session.fixed or session.present
            if stay is None or visit.starts_at != stay.starts_at:
                assert fits(given, visit.starts_at, visit.resources)
            assert session.fixed is None or visit.starts_at == session.fixed.starts_at
        for one, two in pairwise(plan.visits):
            due = bounds(one.day, wish.interval)
            assert due.earliest <= two.day <= due.latest
            assert two.bounds == due


@given(small())
def test_plans_differ_clearly(calendar: tuple[Facts, Wish]) -> None:
    given, wish = calendar
    found = plans(given, wish)
    if isinstance(found, Impossible):
        return
    assert len(found) <= 5
    for one, two in product(found, found):
        if one is two:
            continue
        differing = sum(
            abs((a.day - b.day).days) >= 2 or a.resources[PROVIDER] != b.resources[PROVIDER]
            for a, b in zip(one.visits, two.visits, strict=True)
        )
        assert differing >= min(2, len(wish.sessions))


@given(small(), st.permutations([10, 11]), st.permutations([30, 31]))
def test_the_order_of_resources_changes_nothing(
    calendar: tuple[Facts, Wish], providers: list[int], devices: list[int]
) -> None:
    given, wish = calendar
    pools = {**given.pools, PROVIDER: tuple(providers), DEVICE: tuple(devices)}
    assert plans(replace(given, pools=pools), wish) == plans(given, wish)


# --- Wide intervals, counted in months ------------------------------------------------------------


def test_an_interval_in_months_follows_the_calendar() -> None:
    months = Interval(Duration(months=1), Duration(months=2), Duration(months=3))
    given = open_on({0, 30, 31, 61, 93}, last=120)
    wish = Wish.new(2, Bounds(FIRST, FIRST, FIRST), months)
    plan = best(given, wish)
    assert numbers(plan) == [0, 61]  # 8 March + two months = 8 May
    assert plan.visits[1].bounds == Bounds(date(2027, 4, 8), date(2027, 5, 8), date(2027, 6, 8))
    assert numbers(best(open_on({0, 30, 31}, last=120), wish)) == [0, 31]
    assert isinstance(plans(open_on({0, 30, 93}, last=120), wish), Impossible)


def test_a_year_between_two_visits_is_planned_too() -> None:
    given = open_on({0, 364, 365, 366, 700}, last=800)
    wish = Wish.new(2, Bounds(FIRST, FIRST, FIRST), interval(365, 365, 730))
    assert numbers(best(given, wish)) == [0, 365]


def test_a_session_that_is_left_out_leaves_room_for_itself() -> None:
    given = open_on(set(range(80)))
    wish = Wish((Session(1), Session(3)), Bounds(FIRST, FIRST, FIRST), interval(10, 14, 21))
    assert numbers(best(given, wish)) == [0, 28]
    far = replace(wish, interval=interval(10, 14, 20))
    only = open_on({0, 40})
    assert numbers(best(only, far)) == [0, 40]


# --- What the points mean -------------------------------------------------------------------------


def second(days: set[int], *weekdays: int) -> int:
    preference = Preference(weekdays=frozenset(weekdays or range(7)))
    only = Bounds(FIRST, FIRST, FIRST)
    return numbers(
        best(open_on(days), Wish.new(2, only, interval(21, 28, 42), preference=preference))
    )[1]


def test_near_to_the_ideal_costs_less_than_far_and_late_less_than_early() -> None:
    assert second({0, 25, 32}) == 32  # three days early cost 4.5 points, four days late 4.2
    assert second({0, 26, 32}) == 26
    assert second({0, 26, 32}, 4) == 32  # the 26th is a Saturday: six points more


def test_the_best_plan_looks_ahead_where_the_nearest_day_would_lead_astray() -> None:
    # From the ideal day 28 nothing follows within the interval; from day 33 something does.
    given = open_on({0, 28, 33, 75}, last=80)
    wish = Wish.new(3, Bounds(FIRST, FIRST, FIRST), interval(21, 28, 42))
    assert numbers(best(given, wish)) == [0, 33, 75]


def two_providers(busy: dict[int, list[Period]]) -> Facts:
    return facts(
        week=NINE_TO_ONE,
        providers={10: NINE_TO_ONE, 11: NINE_TO_ONE},
        body=12,
        busy=busy,
        first=FIRST,
        last=day(40),
    )


def test_a_provider_is_kept_for_some_days_but_not_for_many() -> None:
    def second_with(off: int) -> list[int]:
        away = [Period(_at(n, 0), _at(n, 1440)) for n in range(1, 7 + off)]
        plan = best(
            two_providers({10: away, 11: [Period(_at(0, 0), _at(0, 1440))]}),
            Wish.new(2, Bounds(FIRST, FIRST, FIRST), interval(5, 7, 35)),
        )
        return [visit.resources[PROVIDER] for visit in plan.visits]

    assert second_with(14) == [10, 10]
    assert second_with(16) == [10, 11]


def test_of_equal_starts_the_usual_time_of_day_is_taken() -> None:
    given = two_providers({10: [Period(_at(0, 540), _at(0, 640))]})
    given = replace(given, pools={**given.pools, PROVIDER: (10,)})
    weights = Weights(idle_gap=0.0)
    wish = Wish.new(2, Bounds(FIRST, FIRST, FIRST), interval(5, 7, 9), weights=weights)
    plan = best(given, wish)
    assert [f"{local(visit.starts_at, NEW_YORK):%H:%M}" for visit in plan.visits] == ["10:45"] * 2
    assert "Same time of day." in plan.visits[1].reasons


def test_a_start_that_leaves_an_unusable_gap_is_avoided() -> None:
    given = two_providers({10: [Period(_at(0, 720), _at(0, 780))]})
    given = replace(given, pools={**given.pools, PROVIDER: (10,)})
    at_ten = Preference(earliest=640, latest=645)
    wish = Wish.new(1, Bounds(FIRST, FIRST, FIRST), None, preference=at_ten)
    lenient = best(given, replace(wish, weights=Weights(idle_gap=0.0)))
    tight = best(given, wish)
    # 10:45 would leave a quarter of an hour before the visit at noon; 10:30 leaves half of one.
    assert f"{local(lenient.visits[0].starts_at, NEW_YORK):%H:%M}" == "10:45"
    assert f"{local(tight.visits[0].starts_at, NEW_YORK):%H:%M}" == "10:30"


def test_a_day_with_idle_devices_is_preferred() -> None:
    full = [Period(_at(7, 600), _at(7, 780))]
    given = replace(two_providers({30: full}), last_day=day(8))
    wish = Wish.new(2, Bounds(FIRST, FIRST, FIRST), interval(7, 7, 8))
    assert numbers(best(given, wish)) == [0, 8]  # a day late costs 1.05, the full day 2.25
    even = replace(wish, weights=Weights(device_load=0.0))
    assert numbers(best(given, even)) == [0, 7]


# --- What stays -----------------------------------------------------------------------------------


def test_visits_that_still_fit_stay_and_the_others_follow() -> None:
    given = open_on(set(range(120)), last=120)
    present = {2: _stay(28, 10), 3: _stay(56, 10), 4: _stay(84, 10)}
    moved = Stay(day(40), _at(40, 540), {PROVIDER: 10, ROOM: 20, DEVICE: 30})
    sessions = (
        Session(2, fixed=moved),
        *(Session(n, present=present[n]) for n in (3, 4)),
    )
    window = Bounds(FIRST, FIRST, FIRST)
    wish = Wish(sessions, window, interval(21, 28, 42), before=_stay(0, 10))
    plan = best(given, wish)
    # Sixteen days after the moved one are too few for session 3; session 4 can stay.
    assert numbers(plan) == [40, 61, 84]
    assert plan.visits[2].reasons == ("Stays where it is.",)
    near = replace(wish, sessions=(Session(2, fixed=replace(moved, day=day(30))), *sessions[1:]))
    assert numbers(best(given, near)) == [30, 56, 84]


def test_a_locked_visit_that_leaves_no_room_is_named() -> None:
    given = open_on(set(range(120)), last=120)
    moved = Stay(day(40), _at(40, 540), {PROVIDER: 10, ROOM: 20, DEVICE: 30})
    wish = Wish(
        (Session(2, fixed=moved), Session(3, fixed=_stay(56, 10))),
        Bounds(FIRST, FIRST, FIRST),
        interval(21, 28, 42),
    )
    found = plans(given, wish)
    assert isinstance(found, Impossible)
    assert (found.session, found.binding) == (3, "locked")


# --- When there is none ---------------------------------------------------------------------------


def test_the_first_impossible_session_is_named_with_its_dates_and_what_binds() -> None:
    given = open_on(set(range(20)) | {49, 55})
    wish = Wish.new(3, Bounds(FIRST, FIRST, day(1)), interval(21, 28, 42))
    found = plans(given, wish)
    assert isinstance(found, Impossible)
    assert found.session == 2
    assert found.bounds == Bounds(day(21), day(28), day(43))
    assert found.binding == "site"
    assert found.beyond == (day(49), 6)
    away = replace(given, providers={10: ProviderTime((), CREDENTIAL)})
    nobody = plans(away, replace(wish, sessions=wish.sessions[:1]))
    assert isinstance(nobody, Impossible)
    assert (nobody.session, nobody.binding, nobody.until) == (1, PROVIDER, None)


@pytest.mark.parametrize("kind", [PROVIDER, ROOM, DEVICE])
@pytest.mark.parametrize("sessions", [1, 3])
def test_a_house_with_nobody_and_nothing_says_what_it_lacks(kind: str, sessions: int) -> None:
    given = facts(week=NINE_TO_TEN, body=12, first=FIRST, last=day(60))
    given = replace(given, pools={**given.pools, kind: ()})
    wish = Wish.new(sessions, Bounds(FIRST, FIRST, day(5)), interval(21, 28, 42))
    found = plans(given, wish)
    assert isinstance(found, Impossible)
    assert (found.session, found.binding, found.until) == (1, kind, None)
    assert [way.kind for way in ways_out(given, given, wish, found)] == ["waitlist"]


def test_what_binds_is_free_again_at_a_time() -> None:
    given = facts(week=NINE_TO_TEN, body=12, first=FIRST, last=day(60))
    out = Period(_at(5, 0), _at(50, 0))
    given = replace(given, busy={30: rows(out)})
    wish = Wish.new(2, Bounds(FIRST, FIRST, FIRST), interval(21, 28, 42))
    found = plans(given, wish)
    assert isinstance(found, Impossible)
    assert (found.binding, found.until) == (DEVICE, _at(50, 540))
    assert [way.kind for way in ways_out(given, given, wish, found)] == ["interval", "waitlist"]


def test_what_relaxing_would_open() -> None:
    given = open_on(set(range(80)))
    strict = Preference(frozenset({6}), strict=True)
    closed = tuple((day(n), day(n), "closed") for n in range(80) if day(n).weekday() == 6)
    sundays_off = replace(given, site=replace(given.site, closures=closed))
    wish = Wish.new(2, Bounds(FIRST, FIRST, day(6)), interval(21, 28, 42), preference=strict)
    found = plans(sundays_off, wish)
    assert isinstance(found, Impossible)
    assert found.binding == "wishes"
    ways = list(ways_out(sundays_off, sundays_off, wish, found))
    assert [way.kind for way in ways] == ["wishes", "waitlist"]
    assert ways[0].day == FIRST
    other = two_providers({10: [Period(_at(0, 0), _at(40, 1440))]})
    mine = replace(other, pools={**other.pools, PROVIDER: (10,)})
    lenient = replace(wish, preference=Preference())
    stuck = plans(mine, lenient)
    assert isinstance(stuck, Impossible)
    way = next(ways_out(mine, other, lenient, stuck))
    assert (way.kind, way.day) == ("provider", FIRST)


@given(small())
def test_an_impossible_session_is_the_first_that_no_way_reaches(
    calendar: tuple[Facts, Wish],
) -> None:
    given, wish = calendar
    found = plans(given, wish)
    if not isinstance(found, Impossible):
        return
    order = [session.number for session in wish.sessions]
    upto = order.index(found.session)
    shorter = replace(wish, sessions=wish.sessions[:upto])
    assert upto == 0 or not isinstance(plans(given, shorter), Impossible)
    assert isinstance(plans(given, replace(wish, sessions=wish.sessions[: upto + 1])), Impossible)
