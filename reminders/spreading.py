"""Spreading what falls due for many at once, so that a thousand do not leave in one second.

Visits, reminders and the ends of quiet hours stand on quarters of an hour; only what falls due on
one is spread, and never up to the next, where quiet hours may begin. The same recipient always has
the same lag: what is said to them together stays together. Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from clinic.retelling import kept, text

_QUARTER = 15 * 60


def lag(recipient: int, *, over: timedelta) -> timedelta:
    """How much later than others a recipient's messages leave: whole seconds, less than `over`."""
    seconds = int(over.total_seconds())
    if seconds < 1:
        return timedelta()
    number = int.from_bytes(sha256(str(recipient).encode()).digest()[:8])
    return timedelta(seconds=number % seconds)


def later(at: datetime, by: timedelta, *, before: datetime) -> datetime:
    """`at` (UTC), later `by` a lag where many things fall due then and it is still before
    `before`."""
    is_crowded = at.timestamp() % _QUARTER == 0
    return at + by if is_crowded and at + by < before else at


def in_words(by: timedelta) -> str:
    """The sentence that says so, to store."""
    minutes, seconds = divmod(int(by.total_seconds()), 60)
    return kept(
        "It leaves %(by)s minutes later, so that not all leave at once.",
        by=text(f"{minutes}:{seconds:02}"),
    )
