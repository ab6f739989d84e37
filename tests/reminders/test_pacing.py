from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.channels.base import Outcome, Submission
from reminders.ledger import pacing
from reminders.ledger.pacing import Pace

NOW = datetime(2027, 2, 15, 14, 0, tzinfo=UTC)
ACCEPTED = Submission(outcome=Outcome.ACCEPTED)
UNKNOWN = Submission(outcome=Outcome.UNKNOWN, code="timeout")
LOST = Submission(outcome=Outcome.NOT_SENT, code="no-connection")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def a_pace(**changes: object) -> Pace:
    values: dict[str, object] = {"rate": None, "burst": 1, "tokens": 0.0, "filled_at": NOW}
    return Pace(**(values | changes))  # type: ignore[arg-type]


def calls(pace: Pace, at: datetime, wanted: int = 100) -> int:
    return pacing.allow(pace, wanted, under_way=0, now=at)[0]


@given(
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 20),
    steps=st.lists(st.tuples(st.floats(-2, 5), st.integers(0, 40)), max_size=40),
)
def test_no_stretch_of_time_ever_sees_more_than_the_burst_and_what_the_rate_gives(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    pace, now = a_pace(rate=rate, burst=burst, tokens=float(burst)), NOW
    granted: list[tuple[datetime, int]] = []
    for wait, wanted in steps:
        now += seconds(wait)  # also backwards: the clocks of two processes differ
        number, pace = pacing.allow(pace, wanted, under_way=0, now=now)
        assert 0 <= number <= wanted
        granted.append((max(now, pace.filled_at), number))
    for first in range(len(granted)):
        for last in range(first, len(granted)):
            lasted = (granted[last][0] - granted[first][0]).total_seconds()
            total = sum(number for _, number in granted[first : last + 1])
            assert total <= burst + rate * lasted + 1e-6


@given(rate=st.floats(0.1, 50), tokens=st.floats(0, 0.99))
def test_a_call_is_allowed_when_it_was_foretold(rate: float, tokens: float) -> None:
    pace = a_pace(rate=rate, tokens=tokens)
    wait = pacing.ready_in(pace, now=NOW)
    assert calls(pace, NOW) == 0
    assert calls(pace, NOW + seconds(wait + 1e-5)) == 1


@given(most=st.integers(1, 30), under_way=st.integers(0, 40), wanted=st.integers(0, 40))
def test_no_more_calls_are_under_way_than_the_account_takes(
    most: int, under_way: int, wanted: int
) -> None:
    granted, _ = pacing.allow(a_pace(most_at_once=most), wanted, under_way=under_way, now=NOW)
    assert granted == max(0, min(wanted, most - under_way))


def test_a_busy_provider_is_left_alone_for_as_long_as_it_asks() -> None:
    busy = Submission(outcome=Outcome.NOT_SENT, code="20429", retry_after_seconds=120)
    pace = pacing.after(a_pace(), [ACCEPTED, busy, ACCEPTED], now=NOW)
    assert calls(pace, NOW + seconds(119)) == 0
    assert calls(pace, NOW + seconds(120)) == 100


@pytest.mark.parametrize(("unknown", "stops"), [(1, False), (2, True)])
def test_answers_that_say_nothing_stop_the_calls(unknown: int, stops: bool) -> None:
    pace = pacing.after(a_pace(), [ACCEPTED] * (20 - unknown) + [UNKNOWN] * unknown, now=NOW)
    assert (calls(pace, NOW) == 0) is stops


def test_a_provider_that_cannot_be_reached_stops_the_calls_until_one_gets_through() -> None:
    pace = pacing.after(a_pace(), [LOST] * 5, now=NOW)
    assert calls(pace, NOW + seconds(29)) == 0
    later = NOW + seconds(30)
    granted, pace = pacing.allow(pace, 100, under_way=0, now=later)
    assert granted == 1
    assert calls(pace, later) == 0  # until that one is answered, or has not been for long
    assert calls(pace, later + pacing.TRIAL) == 1
    assert calls(pacing.after(pace, [ACCEPTED], now=later), later) == 100


def test_pauses_grow_while_trials_fail_and_have_an_end() -> None:
    pace, now, waits = pacing.after(a_pace(), [LOST] * 5, now=NOW), NOW, []
    for _ in range(8):
        assert pace.blocked_until is not None
        waits.append((pace.blocked_until - now).total_seconds())
        now = pace.blocked_until
        _, pace = pacing.allow(pace, 1, under_way=0, now=now)
        pace = pacing.after(pace, [UNKNOWN], now=now + pacing.TRIAL)
        now += pacing.TRIAL
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


@given(st.lists(st.sampled_from([ACCEPTED, UNKNOWN, LOST]), max_size=400))
def test_an_old_account_forgets(answers: list[Submission]) -> None:
    pace = pacing.after(a_pace(), answers, now=NOW)
    assert pace.calls <= pacing.REMEMBERED
    assert pace.unknown <= pace.calls


@given(st.lists(st.sampled_from([ACCEPTED, UNKNOWN, LOST]), max_size=400), st.integers(0, 400))
def test_it_does_not_matter_which_answers_are_told_together(
    answers: list[Submission], first: int
) -> None:
    one_by_one = reduce(lambda pace, each: pacing.after(pace, [each], now=NOW), answers, a_pace())
    in_two = pacing.after(
        pacing.after(a_pace(), answers[:first], now=NOW), answers[first:], now=NOW
    )
    assert one_by_one == in_two == pacing.after(a_pace(), answers, now=NOW)
