"""Free time as big integers: bit i is the tick i of a grid, and set means free.

A tick is five minutes; visits start on ticks. Every operation handles a whole day, or year, at
once. Refuses to know what the time is free for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from clinic.hours import Period

TICK = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """`length` ticks from `first`, the number of its first tick since 1970-01-01T00:00Z."""

    first: int
    length: int

    @classmethod
    def over(cls, period: Period) -> Grid:
        """The grid of every tick that `period` touches."""
        first, end = _floor(period.starts_at), _ceil(period.ends_at)
        return cls(first, max(0, end - first))

    @property
    def all(self) -> int:
        """Every tick free."""
        return (1 << self.length) - 1

    def at(self, bit: int) -> datetime:
        """The instant (UTC) at which the tick of `bit` begins."""
        return _EPOCH + (self.first + bit) * TICK

    def bit(self, at: datetime) -> int:
        """The bit of the tick that holds `at`; negative before the grid."""
        return _floor(at) - self.first

    def free(self, periods: Iterable[Period]) -> int:
        """The ticks that lie wholly inside one of `periods`."""
        bits = 0
        for period in periods:
            bits |= self._span(_ceil(period.starts_at), _floor(period.ends_at))
        return bits

    def busy(self, periods: Iterable[Period]) -> int:
        """The ticks that any of `periods` touches."""
        bits = 0
        for period in periods:
            bits |= self._span(_floor(period.starts_at), _ceil(period.ends_at))
        return bits

    def every(self, ticks: int) -> int:
        """The ticks whose number since 1970 is a multiple of `ticks`."""
        return _comb(-self.first % ticks, ticks, self.length)

    def _span(self, first: int, end: int) -> int:
        low, high = max(0, first - self.first), min(self.length, end - self.first)
        return (1 << high) - (1 << low) if low < high else 0


def aligned(at: datetime) -> bool:
    """Whether `at` is the beginning of a tick."""
    return not (at - _EPOCH) % TICK


def ticks(minutes: int) -> int:
    """How many ticks hold `minutes`, rounded up."""
    return -(-timedelta(minutes=minutes) // TICK)


def erode(bits: int, length: int) -> int:
    """The ticks from which `length` ticks in a row are free."""
    done = 1
    while bits and done < length:
        step = min(done, length - done)
        bits &= bits >> step
        done += step
    return bits


def ones(bits: int) -> Iterator[int]:
    """The numbers of the set bits, rising."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def idle_around(free: int, first: int, end: int) -> int:
    """How many free ticks touch [first, end) on both sides: what would be left idle there."""
    taken_below = ~free & ((1 << first) - 1)
    above = ~(free >> end)
    return (first - taken_below.bit_length()) + ((above & -above).bit_length() - 1)


def _floor(at: datetime) -> int:
    return (at - _EPOCH) // TICK


def _ceil(at: datetime) -> int:
    return -((_EPOCH - at) // TICK)


@cache
def _comb(first: int, step: int, length: int) -> int:
    return sum(1 << bit for bit in range(first, length, step))
