"""Wall time and instants: the one place where local clocks are read and set.

Rule W governs every wall time: it means the *first instant at which the local clock reads that
time or later*. A time that a DST gap skips is the end of the gap; a time that comes twice is its
first occurrence. W is monotone, so a window of wall times never inverts, and neighbouring windows
tile the day exactly, however long that day is.

Refuses to know the time now, and what the hours are for. No SQL does wall-time arithmetic:
PostgreSQL's AT TIME ZONE takes the second occurrence of a repeated time.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from clinic.durations import Duration
from clinic.saying import gettext, language

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60


# --- Wall time to instants ------------------------------------------------------------------------


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
            "first": _abbreviation(first, zone),
            "second": _abbreviation(second, zone),
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
    first, second = _readings(wall, zone)
    if second < first:
        raise WallTimeMissing(wall, zone, _first(wall, zone))
    if second > first and fold is None:
        raise WallTimeRepeats(wall, zone, first, second)
    return second if fold else first


def _first(wall: datetime, zone: str) -> datetime:
    """Rule W for a naive wall time."""
    before, after = _readings(wall, zone)
    return before if after >= before else _change(after, before, zone)


def _readings(wall: datetime, zone: str) -> tuple[datetime, datetime]:
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


# --- Calendar arithmetic --------------------------------------------------------------------------


def after(at: datetime, duration: Duration, zone: str) -> datetime:
    """`duration` after `at`, as a UTC instant.

    Months and days keep the wall clock of `zone` (by rule W; a month clamps to its last day),
    seconds are elapsed time and count last.
    """
    return _shifted(at, duration, zone, 1)


def before(at: datetime, duration: Duration, zone: str) -> datetime:
    """`duration` before `at`, as a UTC instant; the rules of `after`."""
    return _shifted(at, duration, zone, -1)


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


# --- Periods --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Half-open time [starts_at, ends_at), in UTC."""

    starts_at: datetime
    ends_at: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    def overlaps(self, other: Period) -> bool:
        """Whether the two have time in common."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def merge(periods: Iterable[Period]) -> list[Period]:
    """The same time as disjoint periods in order; touching ones become one, empty ones go."""
    merged: list[Period] = []
    for period in sorted(each for each in periods if each.starts_at < each.ends_at):
        if merged and period.starts_at <= merged[-1].ends_at:
            last = merged.pop()
            period = Period(last.starts_at, max(last.ends_at, period.ends_at))
        merged.append(period)
    return merged


def subtract(periods: Iterable[Period], taken: Iterable[Period]) -> list[Period]:
    """The time in `periods` that is not in `taken`."""
    left = merge(periods)
    for gone in merge(taken):
        left = [
            part
            for period in left
            for part in (
                Period(period.starts_at, min(period.ends_at, gone.starts_at)),
                Period(max(period.starts_at, gone.ends_at), period.ends_at),
            )
            if part.starts_at < part.ends_at
        ]
    return left


def intersect(a: Iterable[Period], b: Iterable[Period]) -> list[Period]:
    """The time that is both in `a` and in `b`."""
    others = merge(b)
    return merge(
        Period(max(one.starts_at, other.starts_at), min(one.ends_at, other.ends_at))
        for one in merge(a)
        for other in others
    )


# --- Allowed hours --------------------------------------------------------------------------------


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


# --- Dates for people -----------------------------------------------------------------------------

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "en": (
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
    ),
    "es": (
        "ene",
        "feb",
        "mar",
        "abr",
        "may",
        "jun",
        "jul",
        "ago",
        "sep",
        "oct",
        "nov",
        "dic",
    ),
}


# Nearer than this, a date without a year can only be one.
_FAR = timedelta(days=300)
_reader_day: ContextVar[date | None] = ContextVar("afterglow_reader_day", default=None)


@contextmanager
def read_on(day: date) -> Iterator[None]:
    """Within it `day` is the day of who reads: dates of another year say their year. Outside,
    where nobody knows who will read, they do not."""
    token = _reader_day.set(day)
    try:
        yield
    finally:
        _reader_day.reset(token)


def is_far(day: date, today: date) -> bool:
    """Whether nobody may be left to take a date for the one nearer to `today`."""
    return abs(day - today) > _FAR


@dataclass(frozen=True, slots=True)
class When:
    """The words of a moment: weekday "Fri", day of the month "12 Mar", its year where that has to
    be said, time "10:00" (with its zone if asked for, or if the clock shows that time twice)."""

    weekday: str
    day_of_month: str
    year: str
    time: str
    is_far: bool = False

    @property
    def date(self) -> str:
        return f"{self.day_of_month} {self.year}".rstrip()

    @property
    def day(self) -> str:
        return f"{self.weekday} {self.date}"

    @property
    def brief(self) -> str:
        """For texts, which have no room: a year is said of a far date alone, for the weekday."""
        said = self.date if self.is_far else f"{self.weekday} {self.day_of_month}"
        return f"{said} {self.time}"

    def __str__(self) -> str:
        return f"{self.day} {self.time}"


def when(
    at: datetime,
    zone: str,
    language: str,
    *,
    with_zone: bool = False,
    seen_at: datetime | None = None,
    year: bool | None = None,
) -> When:
    """The words of `at` on the clock of `zone`, in English ("en") or Spanish ("es"), for who reads
    them at `seen_at`; see `format_day` for `year`."""
    there = local(at, zone)
    today = local(seen_at, zone).date() if seen_at else _reader_day.get()
    weekday, number, month, *of = format_day(there.date(), language, today=today, year=year).split(
        " "
    )
    far = today is not None and is_far(there.date(), today)
    shown = time_of_day(at, zone, with_zone=with_zone)
    return When(weekday, f"{number} {month}", "".join(of), shown, far)


def time_of_day(at: datetime, zone: str, *, with_zone: bool = False) -> str:
    """Such as "10:00" on the clock of `zone`, whose name follows if that is asked for, or if the
    clock shows that time twice."""
    there = local(at, zone)
    first, second = _readings(there.replace(tzinfo=None), zone)
    shown = f"{there:%H:%M}"
    return f"{shown} {_abbreviation(at, zone)}" if with_zone or first != second else shown


def format_when(
    at: datetime,
    zone: str,
    language: str,
    *,
    with_zone: bool = False,
    seen_at: datetime | None = None,
    year: bool | None = None,
) -> str:
    """Such as "Fri 12 Mar 10:00" or "vie 12 mar 10:00"; see `when`."""
    return str(when(at, zone, language, with_zone=with_zone, seen_at=seen_at, year=year))


def format_day(
    day: date, language: str = "en", *, today: date | None = None, year: bool | None = None
) -> str:
    """Such as "Fri 12 Mar" or "vie 12 mar", and "Fri 12 Mar 2028" in another year than `today` or
    far from it; `today` is the day of who reads (`read_on`). Whether it has its year can be said
    by `year` as well."""
    said = f"{_WEEKDAYS[language][day.weekday()]} {day.day} {_MONTHS[language][day.month - 1]}"
    if year is None:
        reader = today or _reader_day.get()
        year = reader is not None and (day.year != reader.year or is_far(day, reader))
    return f"{said} {day.year}" if year else said


def _abbreviation(at: datetime, zone: str) -> str:
    """The clock's own name, such as EST; zones without one give their distance from UTC."""
    name = local(at, zone).tzname() or "UTC"
    return name if name[0].isalpha() else f"UTC{name}"
