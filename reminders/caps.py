"""How many messages a number or address gets: the caps, and from when another may go. Pure.

Counts by local days of the recipient, however long those days are. Everything automated counts;
only what can be spared and is not urgent ever gives way. Whether it then waits or is dropped is the
gate's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic import wall_time
from clinic.retelling import kept
from clinic.saying import noop
from reminders.catalogue import CATALOGUE, Channel, Kind, Purpose

# Up to this priority a message never gives way: notices, reminders, check-ins, critical steps.
URGENT = 1


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` messages within `days` local days."""

    days: int
    most: int


# For one number or address, everybody who shares it together (messaging rules, part b).
CAPS: Mapping[tuple[Purpose, Channel], tuple[Cap, ...]] = {
    (Purpose.CARE, Channel.SMS): (Cap(1, 1), Cap(7, 3)),
    (Purpose.MARKETING, Channel.SMS): (Cap(7, 1),),
    (Purpose.MARKETING, Channel.EMAIL): (Cap(7, 1),),
}
# As far back as any of this looks.
LONGEST = timedelta(
    days=1
    + max(
        *(cap.days for caps in CAPS.values() for cap in caps),
        *(entry.every_days for entry in CATALOGUE.values()),
    )
)


@dataclass(frozen=True, slots=True)
class Had:
    """A message that an address had: when (UTC), and what it was."""

    at: datetime
    purpose: Purpose
    channel: Channel
    kind: Kind


@dataclass(frozen=True, slots=True)
class Full:
    """No further message before `until` (UTC); `reason` is a key of `catalogue.REASONS`."""

    until: datetime
    reason: str
    why: str


def counts(purpose: Purpose, channel: Channel) -> bool:
    """Whether such messages fall under a cap at all."""
    return (purpose, channel) in CAPS


def may_give_way(kind: Kind, priority: int) -> bool:
    """Whether a message waits or falls away when there were enough; what is urgent never does."""
    return CATALOGUE[kind].sparable and priority > URGENT


def full(
    *,
    kind: Kind,
    purpose: Purpose,
    channel: Channel,
    priority: int,
    had: Sequence[Had],
    zones: Sequence[str],
    now: datetime,
) -> Full | None:
    """Why an address that had `had` gets no message of this kind at `now`, None when it may.

    Where several zones are possible, the day that ends last counts.
    """
    if not may_give_way(kind, priority):
        return None
    alike = [each for each in had if (each.purpose, each.channel) == (purpose, channel)]
    found = [
        _until(alike, cap, "cap", _in_words(cap, purpose), zones)
        for cap in CAPS.get((purpose, channel), ())
    ]
    if every := CATALOGUE[kind].every_days:
        same = [each for each in had if each.kind is kind]
        found.append(
            _until(
                same,
                Cap(every, 1),
                "too_often",
                kept("At most one in %(days)s days.", days=every),
                zones,
            )
        )
    standing = [each for each in found if each is not None and each.until > now]
    return max(standing, key=lambda each: each.until, default=None)


def _until(
    had: Iterable[Had], cap: Cap, reason: str, why: str, zones: Sequence[str]
) -> Full | None:
    """When a cap has room again: when the oldest of the last `most` is `days` local days ago."""
    latest = sorted((each.at for each in had), reverse=True)[: cap.most]
    if len(latest) < cap.most:
        return None
    until = max(
        wall_time.instant(
            wall_time.local(latest[-1], zone).date() + timedelta(days=cap.days), 0, zone
        )
        for zone in zones
    )
    return Full(until, reason, why)


# By whether it is about prompts and about a single day.
_WORDS = {
    (True, True): noop(
        "A number or address gets at most %(most)s prompts a day, everybody who shares it together."
    ),
    (True, False): noop(
        "A number or address gets at most %(most)s prompts in %(days)s days, everybody who shares"
        " it together."
    ),
    (False, True): noop(
        "A number or address gets at most %(most)s texts about care a day, everybody who shares it"
        " together."
    ),
    (False, False): noop(
        "A number or address gets at most %(most)s texts about care in %(days)s days, everybody who"
        " shares it together."
    ),
}


def _in_words(cap: Cap, purpose: Purpose) -> str:
    message = _WORDS[purpose is Purpose.MARKETING, cap.days == 1]
    return kept(message, most=cap.most, days=cap.days)
