"""When those who wait may hear of an offer, and how long it therefore stands. Pure.

Offers are care messages, which go out by day only. An offer that is made at night waits for the
morning, and the time to answer begins then. Refuses to know what is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from clinic.hours import CARE_HOURS, NeverAllowed, next_allowed


def hears_at(
    zones: Sequence[str], *, now: datetime, quiet: tuple[time, time] | None = None
) -> datetime | None:
    """The first moment (UTC) from `now` on at which a message may reach a patient who may be in
    any of `zones`, outside of their own `quiet` hours; None when there is none."""
    windows = CARE_HOURS.without(*map(_minute, quiet)) if quiet else (CARE_HOURS,)
    try:
        return next_allowed(now, windows, zones)
    except NeverAllowed:
        return None


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def stands_until(
    heard: Iterable[datetime | None], *, minutes: int, first_start: datetime, now: datetime
) -> datetime:
    """The end of an offer whose patients hear of it at `heard`: all have so many minutes to
    answer, as far as the first of its places does not begin before."""
    latest = max((at for at in heard if at is not None), default=now)
    return min(max(latest, now) + timedelta(minutes=minutes), first_start)
