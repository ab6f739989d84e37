"""Dates for a whole series: each visit as near to its ideal as the others allow.

Owns the wishes (weekday, time of day, provider) and their points. Walks depth-first through the
days in order of points and remembers the days from which the rest cannot be reached, so it finds
a plan whenever there is one. Refuses to know where the facts come from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, partial
from heapq import heappop, heappush

from appointments.availability import (
    DEVICE,
    OFFERED_EVERY,
    PATIENT,
    PROVIDER,
    ROOM,
    Day,
    Facts,
    day,
)
from appointments.bitsets import TICK, ones
from appointments.intervals import Bounds, bounds
from clinic.hours import format_day, local
from clinic.protocols.schema import Interval

OnDay = Callable[[date], Day]
ONE_DAY = timedelta(days=1)
EVERY_DAY = frozenset(range(7))

# Points of the objective: early and late per day from the ideal, then per visit.
EARLY, LATE = 1.5, 1.0
OTHER_PROVIDER = 15.0
OTHER_WEEKDAY = 6.0
MINUTES_A_POINT, MOST_FOR_TIME = 30, 8.0


@dataclass(frozen=True, slots=True)
class Preference:
    """What the patient would like: weekdays (0 = Monday) and a time of day [earliest, latest]
    of the start, in minutes of the site's wall clock. Wishes, not conditions."""

    weekdays: frozenset[int] = EVERY_DAY
    earliest: int = 0
    latest: int = 24 * 60


@dataclass(frozen=True, slots=True)
class Usual:
    """Whom and what the visit before had, to keep it: resources by kind, and the wall minute."""

    provider: int | None = None
    room: int | None = None
    device: int | None = None
    minute: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """One visit of a plan; instants in UTC, `minute` is the wall time of its start."""

    session: int
    day: date
    starts_at: datetime
    ends_at: datetime
    minute: int
    resources: dict[str, int]
    bounds: Bounds
    points: float
    reasons: tuple[str, ...]

    @property
    def usual(self) -> Usual:
        return Usual(
            self.resources[PROVIDER],
            self.resources[ROOM],
            self.resources.get(DEVICE),
            self.minute,
        )


@dataclass(frozen=True, slots=True)
class Impossible:
    """The first session that finds no place, its dates, and what binds there: a kind of
    resource, or what `Day.why_none` says."""

    session: int
    bounds: Bounds
    binding: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A series to plan: sessions `first`..`last`, the first one within `window`."""

    first: int
    last: int
    window: Bounds
    interval: Interval | None
    preference: Preference = Preference()
    usual: Usual = Usual()


def plan(facts: Facts, wish: Wish) -> list[Planned] | Impossible:
    """The visits of the series, or the session for which there is no place.

    Each visit takes the cheapest place of its window from which the sessions after it can still
    be reached.
    """
    on = cache(partial(day, facts))
    dead: set[tuple[int, date]] = set()
    stuck: dict[int, Bounds] = {}

    def visits(session: int, window: Bounds, usual: Usual) -> list[Planned] | None:
        if session > wish.last:
            return []
        for place in _places(facts, on, session, window, wish.preference, usual):
            if (session, place.day) in dead:
                continue
            following = _following(place.day, window, wish.interval)
            kept = place.usual if usual.provider is None else usual
            rest = visits(session + 1, following, kept)
            if rest is not None:
                return [place, *rest]
            dead.add((session, place.day))
        stuck.setdefault(session, window)
        return None

    found = visits(wish.first, wish.window, wish.usual)
    if found is not None:
        return found
    deepest = max(stuck)
    return Impossible(deepest, stuck[deepest], _binding(on, stuck[deepest]))


def _following(previous: date, window: Bounds, interval: Interval | None) -> Bounds:
    """The dates of the next session; without an interval, any day as far ahead as `window`."""
    if interval is not None:
        return bounds(previous, interval)
    return Bounds(
        previous + ONE_DAY, previous + ONE_DAY, previous + (window.latest - window.earliest)
    )


def _places(
    facts: Facts,
    on: OnDay,
    session: int,
    window: Bounds,
    preference: Preference,
    usual: Usual,
) -> Iterator[Planned]:
    """The best place of each day of `window`, cheapest first.

    Days are looked at in order of their own points, and only as far as needed.
    """
    waiting: list[tuple[float, date, Planned]] = []
    for points, each in _days(window, preference):
        while waiting and waiting[0][0] <= points:
            yield heappop(waiting)[2]
        place = _best(facts, on(each), session, window, preference, usual, points)
        if place is not None:
            heappush(waiting, (place.points, place.day, place))
    while waiting:
        yield heappop(waiting)[2]


def _days(window: Bounds, preference: Preference) -> list[tuple[float, date]]:
    length = (window.latest - window.earliest).days + 1
    days = (window.earliest + number * ONE_DAY for number in range(length))
    return sorted((_day_points(each, window, preference), each) for each in days)


def _day_points(each: date, window: Bounds, preference: Preference) -> float:
    off = (each - window.ideal).days
    points = off * LATE if off > 0 else -off * EARLY
    return points + (0 if each.weekday() in preference.weekdays else OTHER_WEEKDAY)


def _best(
    facts: Facts,
    free: Day,
    session: int,
    window: Bounds,
    preference: Preference,
    usual: Usual,
    points: float,
) -> Planned | None:
    """The cheapest offered start of one day."""
    starts = free.feasible & free.grid.every(OFFERED_EVERY)
    if not starts:
        return None
    same = free.starts[PROVIDER].get(usual.provider, 0) if usual.provider is not None else starts

    def cost(bit: int) -> tuple[float, int]:
        changed = 0.0 if same >> bit & 1 else OTHER_PROVIDER
        minute = _minute(facts, free.grid.at(bit))
        return changed + _time_points(minute, preference, usual), bit

    extra, bit = min(cost(each) for each in ones(starts))
    chosen = free.choose(bit, {PROVIDER: usual.provider, ROOM: usual.room, DEVICE: usual.device})
    if chosen is None:
        return None
    starts_at = free.grid.at(bit)
    minute = _minute(facts, starts_at)
    return Planned(
        session=session,
        day=free.day,
        starts_at=starts_at,
        ends_at=starts_at + facts.need.body * TICK,
        minute=minute,
        resources={kind: each for kind, each in chosen.items() if kind != PATIENT},
        bounds=window,
        points=points + extra,
        reasons=_reasons(free.day, minute, chosen, window, preference, usual),
    )


def _minute(facts: Facts, at: datetime) -> int:
    there = local(at, facts.site.zone)
    return there.hour * 60 + there.minute


def _time_points(minute: int, preference: Preference, usual: Usual) -> float:
    """Points for a start outside the wished time of day, and away from the usual one."""
    outside = max(preference.earliest - minute, minute - preference.latest, 0)
    if usual.minute is not None:
        outside = max(outside, abs(minute - usual.minute))
    return min(MOST_FOR_TIME, outside / MINUTES_A_POINT)


def _reasons(
    on: date,
    minute: int,
    chosen: dict[str, int],
    window: Bounds,
    preference: Preference,
    usual: Usual,
) -> tuple[str, ...]:
    """Why this place, in sentences for staff."""
    off = (on - window.ideal).days
    if off == 0:
        said = ["On the ideal date."]
    else:
        side = "after" if off > 0 else "before"
        count = "1 day" if abs(off) == 1 else f"{abs(off)} days"
        said = [f"{count} {side} the ideal date, {format_day(window.ideal)}."]
    if usual.provider is not None:
        same = chosen[PROVIDER] == usual.provider
        said.append("Same provider." if same else "The usual provider is not free.")
    if usual.minute is not None:
        same = minute == usual.minute
        said.append("Same time of day." if same else "The usual time of day is not free.")
    if on.weekday() not in preference.weekdays:
        said.append("No better place on the preferred weekdays.")
    if not preference.earliest <= minute <= preference.latest:
        said.append("No better place in the preferred hours.")
    return tuple(said)


def _binding(on: OnDay, window: Bounds) -> str:
    """The kind of resource that binds on most days of `window`; closed days count last."""
    length = (window.latest - window.earliest).days + 1
    kinds = [on(window.earliest + number * ONE_DAY).why_none() for number in range(length)]
    counts = Counter(kind for kind in kinds if kind is not None)
    resources = Counter({kind: counts[kind] for kind in counts if kind not in ("site", "past")})
    ((kind, _),) = (resources or counts or Counter([PROVIDER])).most_common(1)
    return kind
