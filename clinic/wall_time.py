"""Wall time and instants: the one place where local clocks are read and set.

Rule W governs every wall time: it means the *first instant at which the local clock reads that
time or later*. A time that a DST gap skips is the end of the gap; a time that comes twice is its
first occurrence. W is monotone, so a window of wall times never inverts, and neighbouring windows
tile the day exactly, however long that day is.

Refuses to know the time now. No SQL does wall-time arithmetic: PostgreSQL's AT TIME ZONE takes the
second occurrence of a repeated time.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clinic.durations import Duration
from clinic.saying import gettext, language
from clinic.saying_days import format_day

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60


class WallTimeMissing(ValueError):
    """The clock never shows this wall time: it is set forward past it.

    `next` is the first instant (UTC) after the gap.
    """

    code = "wall_time_missing"

    def __init__(self, wall: datetime, zone: str, next: datetime) -> None:
        self.field = "starts_at"
        self.wall, self.zone, self.next = wall, zone, next
        self.sentence = gettext(
            "%(time)s does not exist on %(day)s: the clocks go forward. The next time is %(next)s."
        ) % {
            "time": f"{wall:%H:%M}",
            "day": format_day(wall.date(), language()),
            "next": f"{local(next, zone):%H:%M}",
        }
        super().__init__(self.sentence)


class WallTimeRepeats(ValueError):
    """The clock shows this wall time twice; `first` and `second` are both instants (UTC)."""

    code = "wall_time_repeats"

    def __init__(self, wall: datetime, zone: str, first: datetime, second: datetime) -> None:
        self.field = "starts_at"
        self.wall, self.zone, self.first, self.second = wall, zone, first, second
        self.sentence = gettext(
            "%(time)s comes twice on %(day)s: the clocks go back. Choose the first (%(first)s) or"
            " the second (%(second)s)."
        ) % {
            "time": f"{wall:%H:%M}",
            "day": format_day(wall.date(), language()),
            "first": abbreviation(first, zone),
            "second": abbreviation(second, zone),
        }
        super().__init__(self.sentence)


def instant(day: date, minute: int, zone: str) -> datetime:
    """The UTC instant of a wall time by rule W.

    `minute` counts from midnight of `day` on the wall clock and may reach past 1440 into the
    days after.
    """
    return _first(datetime.combine(day, time()) + minute * MINUTE, zone)


def local(at: datetime, zone: str) -> datetime:
    """`at` as an aware datetime on the clock of `zone`."""
    return at.astimezone(ZoneInfo(zone))


def resolve(wall: datetime, zone: str, *, fold: int | None = None) -> datetime:
    """The UTC instant of a wall time that a person typed; `wall` is naive.

    `fold` chooses the occurrence of a repeated time: 0 the first, 1 the second.

    Raises:
        WallTimeMissing: when a DST gap skips it.
        WallTimeRepeats: when it comes twice and `fold` does not say which.
    """
    first, second = readings(wall, zone)
    if second < first:
        raise WallTimeMissing(wall, zone, _first(wall, zone))
    if second > first and fold is None:
        raise WallTimeRepeats(wall, zone, first, second)
    return second if fold else first


def _first(wall: datetime, zone: str) -> datetime:
    """Rule W for a naive wall time."""
    before, after = readings(wall, zone)
    return before if after >= before else _change(after, before, zone)


def readings(wall: datetime, zone: str) -> tuple[datetime, datetime]:
    """`wall` taken with the offset before and after the change around it (PEP 495).

    Equal without a change, rising for a repeated time, falling for a skipped one.
    """
    there = wall.replace(tzinfo=ZoneInfo(zone))
    return there.replace(fold=0).astimezone(UTC), there.replace(fold=1).astimezone(UTC)


def _change(low: datetime, high: datetime, zone: str) -> datetime:
    """The instant in (low, high] from which the clock has the offset it has at `high`."""
    info = ZoneInfo(zone)
    offset = high.astimezone(info).utcoffset()
    seconds_low, seconds_high = 0, int((high - low).total_seconds())
    while seconds_high - seconds_low > 1:
        middle = (seconds_low + seconds_high) // 2
        if (low + timedelta(seconds=middle)).astimezone(info).utcoffset() == offset:
            seconds_high = middle
        else:
            seconds_low = middle
    return low + timedelta(seconds=seconds_high)


def abbreviation(at: datetime, zone: str) -> str:
    """The clock's own name, such as EST; zones without one give their distance from UTC."""
    name = local(at, zone).tzname() or "UTC"
    return name if name[0].isalpha() else f"UTC{name}"


def after(at: datetime, duration: Duration, zone: str) -> datetime:
    """`duration` after `at`, as a UTC instant.

    Months and days keep the wall clock of `zone` (by rule W; a month clamps to its last day),
    seconds are elapsed time and count last.
    """
    return _shifted(at, duration, zone, 1)


def before(at: datetime, duration: Duration, zone: str) -> datetime:
    """`duration` before `at`, as a UTC instant; the rules of `after`."""
    return _shifted(at, duration, zone, -1)


def begun_everywhere(now: datetime) -> date:
    """The latest day that has begun in every zone: the last of them is 12 hours behind UTC."""
    return (now.astimezone(UTC) - timedelta(hours=12)).date()


def days_between(a: datetime, b: datetime, zone: str) -> int:
    """How many local calendar dates `b` lies after `a`."""
    return (local(b, zone).date() - local(a, zone).date()).days


def shifted_day(day: date, duration: Duration, sign: int = 1) -> date:
    """`day` moved by the months and days of `duration`; a month clamps to its last day."""
    months = day.year * 12 + day.month - 1 + sign * duration.months
    year, month = divmod(months, 12)
    clamped = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return clamped + sign * duration.days * DAY


# A plan asks the same several times over, for each step and channel that hangs on one visit.
@lru_cache(maxsize=4096)
def _shifted(at: datetime, duration: Duration, zone: str, sign: int) -> datetime:
    moved = at.astimezone(UTC)
    if duration.is_calendar:
        wall = local(at, zone).replace(tzinfo=None)
        moved = _first(
            datetime.combine(shifted_day(wall.date(), duration, sign), wall.time()),
            zone,
        )
    return moved + sign * timedelta(seconds=duration.seconds)
