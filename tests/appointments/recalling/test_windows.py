"""When somebody is due back: pure."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.charting.course import Window, touch_up_window
from appointments.recalling.windows import Cause, is_due, next_session
from clinic.durations import parse
from clinic.protocols.schema import Interval, Maintenance

LAST = date(2027, 1, 31)
INTERVAL = Interval(parse("P21D"), parse("P28D"), parse("P42D"))


def test_the_next_session_is_due_by_the_interval() -> None:
    window = next_session(LAST, INTERVAL)
    assert window == Window(date(2027, 2, 21), date(2027, 2, 28), date(2027, 3, 14))
    assert window.days_left(date(2027, 3, 20)) == -6
    assert next_session(LAST, None) is None


def test_a_touch_up_is_due_in_calendar_months() -> None:
    window = touch_up_window(LAST, Maintenance(parse("P1M"), parse("P3M")))
    assert window == Window(date(2027, 2, 28), date(2027, 2, 28), date(2027, 4, 30))
    assert touch_up_window(LAST, None) is None


@pytest.mark.parametrize(
    ("cause", "today", "due"),
    [
        (Cause.NEXT_SESSION, date(2027, 2, 6), False),
        (Cause.NEXT_SESSION, date(2027, 2, 7), True),
        (Cause.NEXT_SESSION, date(2028, 2, 7), True),
        (Cause.TOUCH_UP, date(2027, 2, 6), False),
        (Cause.TOUCH_UP, date(2027, 6, 12), True),
        (Cause.TOUCH_UP, date(2027, 6, 13), False),
        (Cause.MISSED, date(2027, 1, 31), True),
    ],
)
def test_it_comes_two_weeks_before_and_a_touch_up_goes_when_it_is_history(
    cause: Cause, today: date, due: bool
) -> None:
    window = next_session(LAST, INTERVAL)
    assert is_due(cause, window, today, ahead=14) is due


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400))
def test_who_is_due_stays_due_until_the_window_closes(last: date, later: int) -> None:
    window = touch_up_window(last, Maintenance(parse("P6M"), parse("P12M")))
    assert window is not None
    first = window.opens - timedelta(days=14)
    today = min(first + timedelta(days=later), window.closes)
    assert is_due(Cause.TOUCH_UP, window, today, ahead=14)
    assert not is_due(Cause.TOUCH_UP, window, first - timedelta(days=1), ahead=14)
