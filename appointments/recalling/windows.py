"""When a patient is due back: pure, in local dates of the site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clinic.hours import shifted_day
from clinic.protocols.schema import Interval, Maintenance


class Cause(StrEnum):
    MISSED = "missed"
    NEXT_SESSION = "next_session"
    TOUCH_UP = "touch_up"


@dataclass(frozen=True, slots=True)
class Window:
    """The first date that the protocol allows, the one it wants, and the last (included)."""

    opens: date
    ideal: date
    closes: date

    def days_left(self, today: date) -> int:
        """Until it closes; less than nothing once it has."""
        return (self.closes - today).days


def next_session(last: date, interval: Interval | None) -> Window | None:
    """After a session on `last`; None when the protocol has no interval."""
    if interval is None:
        return None
    return Window(
        shifted_day(last, interval.min),
        shifted_day(last, interval.ideal),
        shifted_day(last, interval.max),
    )


def touch_up(last: date, maintenance: Maintenance | None) -> Window | None:
    """After the last session of a series on `last`; None when the protocol knows no touch-up."""
    if maintenance is None:
        return None
    due = shifted_day(last, maintenance.due)
    return Window(due, due, shifted_day(last, maintenance.latest))


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
