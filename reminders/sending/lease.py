"""How long what was marked may still be submitted, by this process's own clock."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

LEASE = timedelta(seconds=60)
# The longest that one call may take, with some margin: none begins with less of the lease left.
CALL_SECONDS = 25.0


class Lease:
    """Time from before the mark at `now`, the database's. A clock that is set back or forward
    does not lengthen it."""

    def __init__(self, now: datetime) -> None:
        self.marked_at = now
        self._begun = time.monotonic()

    @property
    def until(self) -> datetime:
        return self.marked_at + LEASE

    @property
    def now(self) -> datetime:
        return self.marked_at + timedelta(seconds=time.monotonic() - self._begun)

    @property
    def seconds_left(self) -> float:
        return LEASE.total_seconds() - (time.monotonic() - self._begun)

    @property
    def allows_call(self) -> bool:
        return self.seconds_left > CALL_SECONDS
