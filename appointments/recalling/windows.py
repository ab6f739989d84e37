"""When a patient is due back: pure, in local dates of the site."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from appointments.charting.course import Window
from clinic.protocols.schema import Interval
from clinic.wall_time import shifted_day


class Cause(StrEnum):
    MISSED = "missed"
    NEXT_SESSION = "next_session"
    TOUCH_UP = "touch_up"


def next_session(last: date, interval: Interval | None) -> Window | None:
    """After a session on `last`; None when the protocol has no interval."""
    if interval is None:
        return None
    return Window(
        shifted_day(last, interval.min),
        shifted_day(last, interval.ideal),
        shifted_day(last, interval.max),
    )


def is_due(cause: Cause, window: Window | None, today: date, *, ahead: int) -> bool:
    """Whether somebody is to call: at once for what was missed or has no window, for a next
    session as soon as its window is `ahead` days away, for a touch-up likewise, until it is so
    long over (as long again as it was open, ninety days at least) that it is history."""
    if cause == Cause.MISSED or window is None:
        return True
    if (window.opens - today).days > ahead:
        return False
    if cause == Cause.NEXT_SESSION:
        return True
    span = max((window.closes - window.opens).days, 90)
    return window.days_left(today) >= -span
