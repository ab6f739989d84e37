"""The moment below which this process need not look for due messages.

What was sent stays in the index until it is cleared away, and while somebody keeps an old snapshot
it is not: each tick would walk over all of it.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from reminders.ledger import claiming

# Transactions that take longer commit messages that were due before; they wait for the next look.
SLACK = timedelta(seconds=10)
LOOK_EVERY_SECONDS = 30.0


class Floor:
    """Of one process. Looks at everything every half minute, and in between above what it saw."""

    def __init__(self) -> None:
        self._floor = claiming.BOTTOM
        self._look_at = 0.0

    def above(self, now: datetime) -> datetime:
        """The floor for a look at `now`."""
        if time.monotonic() < self._look_at:
            return self._floor
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
        found = claiming.oldest()
        self._floor = min(now - SLACK, found or now)
        return self._floor
