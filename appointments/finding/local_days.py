"""A run of local days of one zone as numbers: where each begins, and its wall times as ticks.

The rule is that of `clinic.wall_time` (W: the first instant at which the clock reads that time or
later). On the few days whose clock changes it is asked there; all other days are arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from appointments.finding.ticks import TICK_SECONDS
from clinic.wall_time import instant

ONE_DAY = timedelta(days=1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LocalDays:
    """`count` local days from `first`. `begins` are their first seconds since 1970 (UTC), and
    that of the day after the last; `changing` marks the days on which the clock changes."""

    first: date
    zone: str
    begins: Ints
    changing: Bools

    @classmethod
    def between(cls, first: date, last: date, zone: str) -> LocalDays:
        """The days `first` to `last`, both included; at least one."""
        count = max(1, (last - first).days + 1)
        there, midnight = ZoneInfo(zone), time()
        dates = [first + number * ONE_DAY for number in range(count + 1)]
        away = [datetime.combine(day, midnight, there).utcoffset() for day in dates]
        offsets = np.array([off.total_seconds() for off in away if off is not None])
        steps = offsets[1:] != offsets[:-1]
        ordinal = first.toordinal() - _EPOCH_DAY
        begins = np.arange(ordinal, ordinal + count + 1, dtype=np.int64) * 86_400
        begins -= offsets.astype(np.int64)
        # Where an offset changes, the midnight on either side may be the one that is skipped.
        for number in np.flatnonzero(steps):
            for each in (number, number + 1):
                begins[each] = _seconds(dates[each], 0, zone)
        return cls(first, zone, begins, steps)

    @property
    def count(self) -> int:
        return len(self.begins) - 1

    def date_of(self, number: int) -> date:
        return self.first + int(number) * ONE_DAY

    def number_of(self, day: date) -> int:
        """Negative, or beyond `count`, for a day that is not among them."""
        return (day - self.first).days

    @property
    def weekdays(self) -> Ints:
        """The weekday of each day; 0 is Monday."""
        return (self.first.weekday() + np.arange(self.count, dtype=np.int64)) % 7

    def wall(self, numbers: Ints, minutes: Ints) -> Ints:
        """The seconds since 1970 of a wall time on each of some days."""
        seconds: Ints = self.begins[numbers] + 60 * minutes
        for place in np.flatnonzero(self.changing[numbers]):
            day = self.date_of(int(numbers[place]))
            seconds[place] = _seconds(day, int(minutes[place]), self.zone)
        return seconds

    def days_of(self, ticks: Ints) -> Ints:
        """The number of the day in which each tick begins."""
        found = np.searchsorted(self.begins, ticks * TICK_SECONDS, side="right") - 1
        return found.astype(np.int64)

    def minutes_of(self, ticks: Ints, days: Ints) -> Ints:
        """The wall minute at which each tick of its day begins."""
        minutes = (ticks * TICK_SECONDS - self.begins[days]) // 60
        for place in np.flatnonzero(self.changing[days]):
            at = datetime.fromtimestamp(int(ticks[place]) * TICK_SECONDS, ZoneInfo(self.zone))
            minutes[place] = at.hour * 60 + at.minute
        return minutes


def _seconds(day: date, minute: int, zone: str) -> int:
    return int(instant(day, minute, zone).timestamp())
