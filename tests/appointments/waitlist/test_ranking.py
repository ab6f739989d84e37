"""Who suits a gap, in which order and why: the rules alone, without a database."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.finding.intervals import Treated, interval_breaches, spaced
from appointments.finding.needs import PROVIDER, ROOM
from appointments.waitlist.ranking import Matching, Opening, Start, Waiter, bar, in_order, match
from clinic.protocols import loading, reading
from clinic.protocols.schema import Protocol
from clinic.retelling import retold
from clinic.wall_time import local
from tests.appointments.conftest import at
from tests.personas import NOW

ZONE = "America/New_York"
# A Thursday.
DAY = date(2027, 3, 4)
GAP = Opening(at(DAY, "10:00"), at(DAY, "11:30"), ZONE)
HOUR = timedelta(hours=1)
_FILE = loading.LIBRARY / "rf_microneedling.toml"
RM = reading.read(_FILE.read_text(encoding="utf-8"), filename=_FILE.name)
MIN, IDEAL, MAX = 21, 28, 42


def start(wall: str = "10:00", minutes: int = 90) -> Start:
    begins = at(DAY, wall)
    return Start(begins, begins + timedelta(minutes=minutes), {PROVIDER: 1, ROOM: 2})


def waiter(number: int = 1, **fields: Any) -> Waiter:
    values = {"protocol": RM, "waits_since": NOW, **fields}
    return Waiter(id=number, **values)


def matched(*waiters: Waiter, now: datetime = NOW, starts: list[Start] | None = None) -> Matching:
    free = [start()] if starts is None else starts
    return match(GAP, waiters, {each.id: free for each in waiters}, now=now)


def order(*waiters: Waiter) -> list[int]:
    return [each.id for each in matched(*waiters).matches]


def why_not(each: Waiter, **changes: object) -> str:
    found = matched(each, **changes)  # type: ignore[arg-type]
    assert not found.matches
    return found.others[each.id]


# --- Conditions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"weekdays": frozenset({0, 4})}, "Comes on Mondays and Fridays only."),
        ({"first_day": date(2027, 3, 5)}, "Comes from Fri 5 Mar on."),
        ({"last_day": date(2027, 3, 3)}, "Comes until Wed 3 Mar."),
        ({"earliest": 14 * 60, "latest": 17 * 60}, "Comes between 14:00 and 17:00"),
        ({"notice": timedelta(days=30)}, "Needs to know 30 days before."),
        ({"comes_at": at(DAY, "09:00")}, "Comes earlier already: Thu 4 Mar 09:00."),
        ({"declined": True}, "Did not want this place."),
    ],
)
def test_wishes_are_conditions(fields: dict[str, Any], sentence: str) -> None:
    assert why_not(waiter(**fields)).startswith(sentence)
    assert order(waiter()) == [1]


@pytest.mark.parametrize(("walls", "taken"), [(["10:00", "10:30"], "10:30"), (["10:00"], "")])
def test_the_notice_counts_to_the_start_and_not_to_the_gap(walls: list[str], taken: str) -> None:
    soon = at(DAY, "08:15")
    found = matched(waiter(notice=2 * HOUR), now=soon, starts=[start(each) for each in walls])
    assert [f"{local(each.start.starts_at, ZONE):%H:%M}" for each in found.matches] == (
        [taken] if taken else []
    )


def test_where_nothing_is_free_nobody_is_matched() -> None:
    assert why_not(waiter(), starts=[]) == "Nothing is free for long enough."


def test_the_interval_to_the_session_before_is_kept() -> None:
    too_soon = waiter(session=2, days=((1, DAY - timedelta(days=MIN - 1)),))
    assert "the protocol asks for at least 21" in why_not(too_soon)
    assert order(waiter(session=2, days=((1, DAY - timedelta(days=MIN)),))) == [1]
    too_late = waiter(session=2, days=((1, DAY - timedelta(days=MAX + 1)),))
    assert "at most 42" in why_not(too_late)


def test_a_later_visit_moves_along_unless_it_keeps_its_time() -> None:
    days = ((2, DAY + timedelta(days=MAX + 5)),)
    moving = waiter(session=1, days=days, comes_at=GAP.ends_at + timedelta(days=9))
    found = matched(moving)
    assert found.matches[0].ripples
    assert "Later visits of the series move along." in found.matches[0].reasons
    kept = replace(moving, fixed=frozenset({2}))
    assert why_not(kept).endswith("Session 2 keeps its time.")
    near = replace(moving, days=((2, DAY + timedelta(days=MAX)),))
    assert not matched(near).matches[0].ripples


def test_a_session_between_two_keeps_the_least_interval_to_the_one_after() -> None:
    days = ((1, DAY - timedelta(days=30)), (3, DAY + timedelta(days=10)))
    assert "at least 21" in why_not(waiter(session=2, days=days))


def test_the_spacing_to_other_treatments_is_kept() -> None:
    other = [Treated(DAY - timedelta(days=3), RM, frozenset({"face"}))]
    assert "too near to" in why_not(waiter(spaced=tuple(spaced(RM, ["face"], other))))


# --- Rank -----------------------------------------------------------------------------------------


def test_priority_comes_first_then_the_overdue_then_the_longest_wait_then_the_best_fit() -> None:
    early = NOW - timedelta(days=20)
    overdue = waiter(3, session=2, days=((1, DAY - timedelta(days=IDEAL + 6)),))
    ranked = matched(
        waiter(1),
        waiter(2, waits_since=early),
        overdue,
        waiter(4, priority=1),
        waiter(5, priority=2, asked=True),
    )
    assert [each.id for each in ranked.matches] == [4, 3, 2, 1, 5]
    reasons = {each.id: list(map(retold, each.reasons)) for each in ranked.matches}
    assert "Priority 1." in reasons[4]
    assert "Session 2 would be 6 days past its ideal date, Fri 26 Feb." in reasons[3]
    assert "Waits for 20 days." in reasons[2]
    assert "Was asked before and did not answer in time." in reasons[5]


def test_among_equals_the_gap_is_best_filled() -> None:
    found = match(
        GAP,
        [waiter(1), waiter(2)],
        {1: [start(minutes=60)], 2: [start(minutes=90)]},
        now=NOW,
    )
    assert [each.id for each in found.matches] == [2, 1]
    assert "Leaves 30 minutes of the gap over." in map(retold, found.matches[1].reasons)
    assert "Leaves nothing of the gap over." in found.matches[0].reasons


def test_a_short_visit_begins_with_the_gap_and_a_long_one_where_it_takes_all_of_it() -> None:
    found = matched(waiter(), starts=[start("10:30", 30), start("10:00", 30), start("09:45", 30)])
    assert found.matches[0].start == start("10:00", 30)
    found = matched(waiter(), starts=[start("09:00", 120), start("09:45", 120)])
    assert found.matches[0].start == start("09:45", 120)


# --- Properties -----------------------------------------------------------------------------------

_days = st.dates(DAY - timedelta(days=60), DAY + timedelta(days=60))
_maybe_day = st.none() | _days


@st.composite
def waiters(draw: st.DrawFn, number: int = 1) -> Waiter:
    earliest = draw(st.integers(0, 24 * 60))
    others = draw(st.dictionaries(st.sampled_from([1, 3, 4]), _days, max_size=3))
    days = tuple(zip(sorted(others), sorted(others.values()), strict=True))
    return waiter(
        number,
        waits_since=NOW - timedelta(days=draw(st.integers(0, 40))),
        session=2,
        days=days,
        fixed=frozenset(draw(st.sets(st.sampled_from([1, 3, 4])))),
        comes_at=draw(st.none() | st.builds(at, _days, st.just("10:00"))),
        weekdays=frozenset(draw(st.sets(st.integers(0, 6)))),
        earliest=earliest,
        latest=draw(st.integers(earliest, 24 * 60)),
        first_day=draw(_maybe_day),
        last_day=draw(_maybe_day),
        notice=timedelta(minutes=draw(st.integers(0, 30 * 24 * 60))),
        priority=draw(st.integers(0, 3)),
        asked=draw(st.booleans()),
        declined=draw(st.booleans()),
    )


_starts = st.lists(
    st.builds(
        lambda quarter, minutes: start(f"{9 + quarter // 4:02}:{quarter % 4 * 15:02}", minutes),
        st.integers(0, 9),
        st.sampled_from([30, 60, 90, 120]),
    ),
    max_size=4,
)
_some = st.integers(1, 6).flatmap(
    lambda count: st.tuples(*[st.tuples(waiters(n), _starts) for n in range(1, count + 1)])
)


def _matching(some: tuple[tuple[Waiter, list[Start]], ...]) -> Matching:
    starts = {each.id: free for each, free in some}
    return match(GAP, [each for each, _ in some], starts, now=NOW)


@given(_some)
def test_a_match_keeps_every_wish_notice_and_interval(
    some: tuple[tuple[Waiter, list[Start]], ...],
) -> None:
    by_id = {each.id: (each, free) for each, free in some}
    found = _matching(some)
    for made in found.matches:
        each, free = by_id[made.id]
        there = local(made.start.starts_at, ZONE)
        assert made.start in free
        assert not each.weekdays or there.weekday() in each.weekdays
        assert each.earliest <= there.hour * 60 + there.minute <= each.latest
        assert each.first_day is None or there.date() >= each.first_day
        assert each.last_day is None or there.date() <= each.last_day
        assert each.comes_at is None or made.start.starts_at < each.comes_at
        assert made.start.starts_at >= NOW + each.notice
        assert not each.declined
        days = sorted([*each.days, (2, DAY)])
        breached = dict(interval_breaches(days, RM))
        assert 2 not in breached
        assert (3 in breached or 4 in breached) >= made.ripples
    assert {made.id for made in found.matches} | set(found.others) == set(by_id)
    assert all(sentence.endswith(".") for sentence in found.others.values())


@given(_some)
def test_matching_is_deterministic_and_does_not_hang_on_the_order_of_the_list(
    some: tuple[tuple[Waiter, list[Start]], ...],
) -> None:
    assert _matching(some).matches == _matching(tuple(reversed(some))).matches


@given(_some, st.integers(0, 5), st.integers(1, 6))
def test_more_priority_never_ranks_lower(
    some: tuple[tuple[Waiter, list[Start]], ...], which: int, more: int
) -> None:
    chosen, free = some[which % len(some)]
    raised = replace(chosen, priority=chosen.priority + more)
    others = tuple(pair for pair in some if pair[0] is not chosen)
    before = [each.id for each in _matching(some).matches]
    after = [each.id for each in _matching((*others, (raised, free))).matches]
    assert set(before) == set(after)
    if chosen.id in before:
        assert after.index(chosen.id) <= before.index(chosen.id)


@given(_some)
def test_what_is_barred_before_looking_at_the_day_is_never_matched(
    some: tuple[tuple[Waiter, list[Start]], ...],
) -> None:
    everybody = [each for each, _ in some]
    looked_at = {each.id for each in in_order(GAP, everybody, now=NOW)}
    barred = {each.id for each in everybody if bar(GAP, each, now=NOW) is not None}
    assert looked_at == {each.id for each in everybody} - barred
    assert {each.id for each in _matching(some).matches} <= looked_at


def test_the_protocol_of_these_tests_has_the_interval_they_speak_of() -> None:
    interval = RM.series.interval
    assert isinstance(RM, Protocol) and interval is not None
    assert [each.days for each in (interval.min, interval.ideal, interval.max)] == [MIN, IDEAL, MAX]
