"""Five-minute ticks: visits start on them, and free time is counted in them.

A tick is a whole number: how many five minutes since 1970-01-01T00:00Z. Refuses to know zones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

TICK = timedelta(minutes=5)
TICK_SECONDS = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(tick: int) -> datetime:
    """The instant (UTC) at which a tick begins."""
    return _EPOCH + int(tick) * TICK


def floor(at: datetime) -> int:
    """The tick that holds `at`."""
    return (at - _EPOCH) // TICK


def ceil(at: datetime) -> int:
    """The first tick that begins at `at` or later."""
    return -((_EPOCH - at) // TICK)


def aligned(at: datetime) -> bool:
    """Whether `at` is the beginning of a tick."""
    return not (at - _EPOCH) % TICK


def ticks(minutes: int) -> int:
    """How many ticks hold `minutes`, rounded up."""
    return -(-timedelta(minutes=minutes) // TICK)
