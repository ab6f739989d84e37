"""How fast a provider account may be called, and when not at all. Pure.

A bucket holds up to `burst` tokens and gains `rate` a second; a call costs one. A breaker stops all
calls for a while when answers stop saying what became of messages, because an unknown outcome costs
a person's time and a delay does not; then one call goes ahead and its answer decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from reminders.channels.base import Outcome, Submission

# Of the last hundred or two calls, judged from twenty on.
MOST_UNKNOWN = 0.05
JUDGED_FROM = 20
REMEMBERED = 200
MOST_LOST_IN_A_ROW = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# A call that is tried after a pause has this long to answer before another is tried.
TRIAL = timedelta(seconds=60)
# A carrier counts by the minute, for all that a sender has there.
CARRIER_PAUSE = timedelta(seconds=60)
# What a provider answers to everybody, whatever the message.
TO_EVERYBODY = frozenset({"20003", "20005", "20429", "30002", "http-401", "http-403", "http-429"})
NO_CONNECTION = frozenset({"no-connection", "421"})
# The account works, whatever it thinks of the message.
WELL = frozenset({Outcome.ACCEPTED, Outcome.REFUSED})


@dataclass(frozen=True, slots=True)
class Pace:
    """The state of one account. `rate` (a second) and `most_at_once` None mean no limit.

    `calls` and `unknown` are of the recent past, halved now and then; `lost` counts connections
    that failed since one worked; `pauses` those since a call worked.
    """

    rate: float | None
    burst: int
    tokens: float
    filled_at: datetime
    most_at_once: int | None = None
    blocked_until: datetime | None = None
    calls: int = 0
    unknown: int = 0
    lost: int = 0
    pauses: int = 0


def is_limited(pace: Pace) -> bool:
    """Whether a call costs this account anything."""
    return pace.rate is not None or pace.most_at_once is not None or pace.pauses > 0


def allow(pace: Pace, wanted: int, *, under_way: int, now: datetime) -> tuple[int, Pace]:
    """How many of `wanted` calls may begin now, and the account after that.

    `under_way` are the calls of all processes. A clock that is behind fills nothing.
    """
    if pace.blocked_until is not None and now < pace.blocked_until:
        return 0, pace
    granted = wanted
    if pace.most_at_once is not None:
        granted = min(granted, pace.most_at_once - under_way)
    if pace.pauses:
        granted = min(granted, 1)
    tokens, filled_at = _filled(pace, now)
    if pace.rate is not None:
        granted = min(granted, int(tokens))
    granted = max(granted, 0)
    spent = 0 if pace.rate is None else granted
    after = replace(pace, tokens=tokens - spent, filled_at=filled_at)
    if pace.pauses and granted:
        after = replace(after, blocked_until=now + TRIAL)
    return granted, after


def ready_in(pace: Pace, *, now: datetime) -> float:
    """The seconds until a call may begin, as far as bucket and pauses go."""
    blocked = max(((pace.blocked_until or now) - now).total_seconds(), 0.0)
    tokens, _ = _filled(pace, now)
    if pace.rate is None or tokens >= 1:
        return blocked
    return max(blocked, (1 - tokens) / pace.rate)


def _filled(pace: Pace, now: datetime) -> tuple[float, datetime]:
    gained = (pace.rate or 0.0) * max((now - pace.filled_at).total_seconds(), 0.0)
    return min(float(pace.burst), pace.tokens + gained), max(pace.filled_at, now)


def after(pace: Pace, answers: Sequence[Submission], *, now: datetime) -> Pace:
    """The account after these answers, in the order in which they came."""
    for is_good, several in groupby(answers, _is_good):
        if is_good and not (pace.unknown or pace.pauses):
            pace = _after_good(pace, len(list(several)))
        else:
            for answer in several:
                pace = _after(pace, answer, now)
    return pace


def _is_good(answer: Submission) -> bool:
    """Whether an answer says what became of a message and nothing of the account."""
    return answer.outcome in WELL and answer.code not in TO_EVERYBODY


def _after_good(pace: Pace, number: int) -> Pace:
    """An account of which nothing was unknown, after good answers: nearly always and to nearly
    all, so they are counted together."""
    calls = pace.calls
    for _ in range(number):
        calls = (calls // 2 if calls >= REMEMBERED else calls) + 1
    return replace(pace, calls=calls, lost=0)


def slowed(pace: Pace, *, now: datetime) -> Pace:
    """The account after a carrier said of a text that too many came at once."""
    return _blocked(pace, now + CARRIER_PAUSE)


def _after(pace: Pace, answer: Submission, now: datetime) -> Pace:
    pace = _counted(pace, answer)
    if answer.code in TO_EVERYBODY:
        pause = timedelta(seconds=answer.retry_after_seconds or FIRST_PAUSE.total_seconds())
        return _blocked(pace, now + pause)
    if pace.lost >= MOST_LOST_IN_A_ROW or _is_blind(pace):
        pause = min(FIRST_PAUSE * 2 ** min(pace.pauses, 10), LONGEST_PAUSE)
        return replace(
            _blocked(pace, now + pause), pauses=pace.pauses + 1, calls=0, unknown=0, lost=0
        )
    if pace.pauses and answer.outcome in WELL:
        return replace(pace, pauses=0, blocked_until=None)
    if pace.pauses and answer.outcome is Outcome.UNKNOWN:
        pause = min(FIRST_PAUSE * 2 ** min(pace.pauses, 10), LONGEST_PAUSE)
        return replace(_blocked(pace, now + pause), pauses=pace.pauses + 1)
    return pace


def _counted(pace: Pace, answer: Submission) -> Pace:
    if pace.calls >= REMEMBERED:
        pace = replace(pace, calls=pace.calls // 2, unknown=pace.unknown // 2)
    is_lost = answer.outcome is Outcome.NOT_SENT and answer.code in NO_CONNECTION
    return replace(
        pace,
        calls=pace.calls + 1,
        unknown=pace.unknown + (answer.outcome is Outcome.UNKNOWN),
        lost=pace.lost + 1 if is_lost else 0,
    )


def _is_blind(pace: Pace) -> bool:
    return pace.calls >= JUDGED_FROM and pace.unknown > MOST_UNKNOWN * pace.calls


def _blocked(pace: Pace, until: datetime) -> Pace:
    return replace(pace, blocked_until=max(until, pace.blocked_until or until))
