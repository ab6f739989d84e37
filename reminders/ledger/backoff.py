"""What follows a call that failed: another try, and when, or the end.

Owns the delays and the number of tries. An unknown outcome is not decided here: it is never
repeated by a clock. Pure; the caller brings the chance that spreads the tries of many workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reminders.ledger.provider_codes import Action

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=30)
# Half a minute, doubled up to half an hour: an outage of about four hours is sat out.
MOST_TRIES = 12


# A phone that was off gets one more try; a carrier that wants us slower a few, further apart.
SECOND_TRY_AFTER = timedelta(hours=1)
SLOWER_BY, MOST_SLOWED = timedelta(minutes=5), 3


@dataclass(frozen=True, slots=True)
class Retry:
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """`reason` is a key of `catalogue.REASONS`."""

    reason: str


def after_not_sent(
    *,
    tries: int,
    retry_after_seconds: int | None,
    expires_at: datetime,
    now: datetime,
    chance: float,
) -> Retry | GiveUp:
    """What follows a call that the provider certainly did not process.

    `tries` counts this one. `chance` in [0, 1) moves the delay by up to a quarter either way; a
    provider's own wish for a longer pause, which channels read as an hour at most, is kept.
    """
    if tries >= MOST_TRIES:
        return GiveUp("attempts_spent")
    delay = min(FIRST_DELAY * 2 ** (tries - 1), LONGEST_DELAY) * (0.75 + chance / 2)
    at = now + max(delay, timedelta(seconds=retry_after_seconds or 0))
    return Retry(at) if at < expires_at else GiveUp("attempts_spent")


def after_failure(
    *, action: Action, failures: int, expires_at: datetime, now: datetime
) -> Retry | None:
    """What follows a message that its provider took and could not deliver; None for nothing.

    `failures` counts those of this message that could pass, this one included.
    """
    if action is Action.RETRY_ONCE and failures == 1:
        at = now + SECOND_TRY_AFTER
    elif action is Action.SLOW_DOWN and failures <= MOST_SLOWED:
        at = now + SLOWER_BY * failures
    else:
        return None
    return Retry(at) if at < expires_at else None
