"""What the days between two visits cost, for all days at once.

Early and late days cost in proportion, so the cheapest following day within the interval is a
minimum over two stretches, before the ideal day and after it; a table of minima over runs of
1, 2, 4 … days answers each in two look-ups, however wide the interval is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appointments.finding.intervals import Bounds, bounds
from appointments.finding.local_days import Ints, LocalDays
from clinic.protocols.schema import Interval

Floats = NDArray[np.float64]


class DatePoints(Protocol):
    """Points for each day before and after the ideal one."""

    @property
    def early(self) -> float: ...
    @property
    def late(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Gaps:
    """By day number of a visit, the day numbers on which the next may lie: first, ideal, last.
    They may lie beyond the days that are looked at."""

    lo: Ints
    ideal: Ints
    hi: Ints

    def bounds_after(self, days: LocalDays, number: int) -> Bounds:
        """The same for one visit, as dates."""
        return Bounds(*(days.date_of(int(each[number])) for each in (self.lo, self.ideal, self.hi)))

    def bounds_over(self, days: LocalDays, numbers: Ints) -> Bounds:
        """From the first to the last date that any of these days allows."""
        return Bounds(
            days.date_of(self.lo[numbers].min()),
            days.date_of(self.ideal[numbers].min()),
            days.date_of(self.hi[numbers].max()),
        )

    def reach(self, came: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The days that some day of `came` allows."""
        count = len(came)
        lo, hi = (np.minimum(each[came], count) for each in (self.lo, self.hi + 1))
        depth = np.bincount(lo, minlength=count + 1) - np.bincount(hi, minlength=count + 1)
        return np.cumsum(depth)[:count] > 0


def gaps(days: LocalDays, interval: Interval | None, steps: int, window: Bounds) -> Gaps:
    """The gaps from a visit to the one `steps` sessions later; a session that is left out in
    between accounts for a longer one. Without an interval any day after, as far as `window` is
    long."""
    numbers = np.arange(days.count, dtype=np.int64)
    if interval is None:
        return Gaps(numbers + 1, numbers + 1, numbers + (window.latest - window.earliest).days)
    if any(each.months for each in (interval.min, interval.ideal, interval.max)):
        due = [bounds(days.date_of(int(number)), interval) for number in numbers]
        lo, ideal, hi = (
            np.array([days.number_of(day) for day in each], dtype=np.int64)
            for each in zip(*((b.earliest, b.ideal, b.latest) for b in due), strict=True)
        )
    else:
        once = bounds(days.first, interval)
        lo, ideal, hi = (
            numbers + days.number_of(day) for day in (once.earliest, once.ideal, once.latest)
        )
    return Gaps(lo, numbers + steps * (ideal - numbers), numbers + steps * (hi - numbers))


def best_after(following: Floats, gaps: Gaps, points: DatePoints) -> Floats:
    """By day and column, the least that a following day costs: its own entry in `following` and
    the points of its distance from the ideal."""
    numbers = np.arange(len(following), dtype=np.float64)[:, None]
    last = len(following) - 1
    ideal, hi = np.minimum(gaps.ideal, last), np.minimum(gaps.hi, last)
    sooner = _Minima(following - points.early * numbers).over(gaps.lo, ideal)
    later = _Minima(following + points.late * numbers).over(np.maximum(gaps.lo, gaps.ideal), hi)
    about = gaps.ideal.astype(np.float64)[:, None]
    return np.minimum(sooner + points.early * about, later - points.late * about)


def best_day(following: Floats, day: Ints, column: Ints, gaps: Gaps, points: DatePoints) -> Ints:
    """For each (day, column) the following day that costs the least; of equal ones the first."""
    lo, ideal, hi = gaps.lo[day], gaps.ideal[day], np.minimum(gaps.hi[day], len(following) - 1)
    width = int(max(1, (hi - lo).max() + 1))
    days = lo[:, None] + np.arange(width)
    off = days - ideal[:, None]
    costs = np.where(off > 0, off * points.late, -off * points.early)
    costs = costs + following[np.minimum(days, len(following) - 1), column[:, None]]
    costs[days > hi[:, None]] = np.inf
    found: Ints = lo + costs.argmin(axis=1)
    return found


class _Minima:
    """The minimum over any run of rows, for many runs at once."""

    def __init__(self, rows: Floats) -> None:
        self._levels = [rows]

    def over(self, first: Ints, last: Ints) -> Floats:
        """The minima of the rows first..last, both included; infinite for empty runs."""
        found = np.full((len(first), self._levels[0].shape[1]), np.inf)
        lengths = last - first + 1
        for level in np.unique(np.log2(lengths[lengths > 0]).astype(np.int64)):
            chosen = (lengths >= 1 << level) & (lengths < 2 << level)
            table = self._level(int(level))
            found[chosen] = np.minimum(table[first[chosen]], table[last[chosen] - (1 << level) + 1])
        return found

    def _level(self, level: int) -> Floats:
        """Minima over runs of 2 to the power of `level` rows, by the first of them."""
        while len(self._levels) <= level:
            step = 1 << (len(self._levels) - 1)
            rows = self._levels[-1]
            self._levels.append(np.minimum(rows[:-step], rows[step:]))
        return self._levels[level]
