"""Hours of the day at which something is allowed, in one zone or in several at once.

Refuses to know the time now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from clinic.periods import Period
from clinic.wall_time import DAY, instant, local


@dataclass(frozen=True, slots=True)
class Hours:
    """A daily window [opens, closes) in minutes of the wall clock, on weekdays from 0 = Monday."""

    weekdays: frozenset[int]
    opens: int
    closes: int

    def on(self, day: date, zone: str) -> Period | None:
        """The window of one local day; None on other weekdays or when a DST gap swallows it."""
        if day.weekday() not in self.weekdays:
            return None
        period = Period(instant(day, self.opens, zone), instant(day, self.closes, zone))
        return period if period.starts_at < period.ends_at else None

    def without(self, starts: int, ends: int) -> tuple[Hours, ...]:
        """What a daily pause [starts, ends) leaves of a window within one day; the pause may reach
        past midnight."""
        pauses = [(starts, ends)] if starts < ends else [(0, ends), (starts, 24 * 60)]
        left = [(self.opens, self.closes)]
        for begins, over in pauses:
            left = [
                part
                for opens, closes in left
                for part in ((opens, min(closes, begins)), (max(opens, over), closes))
                if part[0] < part[1]
            ]
        return tuple(Hours(self.weekdays, opens, closes) for opens, closes in left)


class NeverAllowed(ValueError):
    """The hours of these zones have no moment in common within a month."""


# Long enough for any week's pattern in any two zones, short enough to end a hopeless search.
_SEARCH_DAYS = 31


# Care messages go out by day only, wherever the patient is.
CARE_HOURS = Hours(frozenset(range(7)), 8 * 60, 20 * 60)


def next_allowed(at: datetime, windows: Hours | Sequence[Hours], zones: Sequence[str]) -> datetime:
    """The first moment at or after `at` (UTC) that lies inside one of `windows` in every zone.

    Raises:
        NeverAllowed: when there is none within 31 days.
    """
    several = (windows,) if isinstance(windows, Hours) else tuple(windows)
    return _next_allowed(at.astimezone(UTC), several, tuple(zones))


# Nearly everybody to whom a window of messages goes has the same hours.
@lru_cache(maxsize=1024)
def _next_allowed(at: datetime, windows: Sequence[Hours], zones: Sequence[str]) -> datetime:
    moment = at
    while moment <= at + _SEARCH_DAYS * DAY:
        later = max(_next_in(moment, windows, zone).starts_at for zone in zones)
        if later == moment:
            return moment
        moment = later
    raise NeverAllowed(f"no common moment of {windows} in {', '.join(zones)}")


def last_allowed(
    at: datetime, windows: Sequence[Hours], zones: Sequence[str], *, margin: timedelta
) -> datetime:
    """The last moment at or before `at` (UTC) that lies inside one of `windows` in every zone, and
    by `margin` before its end.

    Raises:
        NeverAllowed: when there is none within 31 days.
    """
    moment = at.astimezone(UTC)
    while moment >= at - _SEARCH_DAYS * DAY:
        earlier = min(_last_in(moment, windows, zone, margin) for zone in zones)
        if earlier == moment:
            return moment
        moment = earlier
    raise NeverAllowed(f"no common moment of {windows} in {', '.join(zones)}")


def allowed_until(at: datetime, windows: Sequence[Hours], zones: Sequence[str]) -> datetime:
    """The end of what is allowed at `at` (UTC): the first moment that is in no window of a zone.

    It is `at` itself when that moment is not allowed.
    """
    moment = at.astimezone(UTC)
    periods = [_next_in(moment, windows, zone) for zone in zones]
    if any(period.starts_at > moment for period in periods):
        return moment
    return min(period.ends_at for period in periods)


def _next_in(at: datetime, windows: Sequence[Hours], zone: str) -> Period:
    """What is left at `at` of the window that it lies in, or the next window after it."""
    today = local(at, zone).date()
    # The day before counts because a window may reach past midnight.
    for number in range(-1, _SEARCH_DAYS):
        day = today + number * DAY
        on_day = (each.on(day, zone) for each in windows)
        if left := [each for each in on_day if each is not None and at < each.ends_at]:
            first = min(left)
            return Period(max(at, first.starts_at), first.ends_at)
    raise NeverAllowed(f"no moment of {windows} in {zone}")


def _last_in(at: datetime, windows: Sequence[Hours], zone: str, margin: timedelta) -> datetime:
    today = local(at, zone).date()
    for number in range(1, -_SEARCH_DAYS, -1):
        on_day = [each.on(today + number * DAY, zone) for each in windows]
        ends = [
            min(at, max(each.starts_at, each.ends_at - margin))
            for each in on_day
            if each is not None and each.starts_at <= at
        ]
        if ends:
            return max(ends)
    raise NeverAllowed(f"no moment of {windows} in {zone}")
