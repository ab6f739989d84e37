"""The database's clock, believed only while it runs as fast as this process's own.

A clock that leaps ahead makes everything due that is not, and no text can be called back. So a
process that sees a leap sends nothing for some minutes; whoever sets clocks right has that long.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from reminders.ledger import claiming

log = logging.getLogger(__name__)

MOST_APART_SECONDS = 60.0
# After that the clock is believed as it is: a machine that slept leaps, too.
REST_SECONDS = 300.0


class ClockLeapt(Exception):
    """Nothing is sent by this clock for now."""


class SteadyClock:
    """Of one process. Asked for the time it gives that of the database (UTC).

    Raises:
        ClockLeapt: for five minutes after two readings lay more than a minute further apart, or
            less, than they do by this process's own clock, which nobody can set.
    """

    def __init__(
        self,
        read: Callable[[], datetime] = claiming.database_now,
        own: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._own = read, own
        self._last: tuple[datetime, float] | None = None
        self._rests_until = 0.0

    def __call__(self) -> datetime:
        now, own = self._read(), self._own()
        if self._last is not None:
            before, own_before = self._last
            apart = (now - before).total_seconds() - (own - own_before)
            if abs(apart) > MOST_APART_SECONDS:
                log.error("the database's clock leapt by %.0f s: nothing is sent for now", apart)
                self._rests_until = own + REST_SECONDS
        self._last = now, own
        if own < self._rests_until:
            raise ClockLeapt
        return now
