"""Days on which clocks are set, in every zone."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

NEW_YORK = "America/New_York"
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
# Of the wall clock, up to the end of the next day.
MINUTES = st.integers(0, 2880)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@cache
def days_of_change(zone: str) -> tuple[date, ...]:
    """The local dates of the changes of the clock from 1970 to 2037."""
    info, found = ZoneInfo(zone), []
    fortnights = [utc(1970, 1, 2) + timedelta(days=14 * n) for n in range(68 * 26)]
    for low, high in pairwise(fortnights):
        if low.astimezone(info).utcoffset() == high.astimezone(info).utcoffset():
            continue
        while high - low > timedelta(hours=1):
            middle = low + (high - low) / 2
            if middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset():
                low = middle
            else:
                high = middle
        found.append(high.astimezone(info).date())
    return tuple(found) or (date(2027, 1, 1),)


@st.composite
def zone_and_day(draw: st.DrawFn) -> tuple[str, date]:
    zone = draw(st.sampled_from(ZONES))
    near = draw(st.sampled_from(days_of_change(zone)))
    return zone, near + timedelta(days=draw(st.integers(-1, 2)))
