"""Where a visit fits: free time per resource and for provider, room, device and patient together.

A start is feasible when *some* provider and *some* room and *some* device are each free for
their own window around it (set-up, body, clean-up) and the patient is free for the body: erode
each resource's free time by its window, OR within a kind, AND across kinds. That is exact, since
any provider goes with any room and any device. Refuses to know the interval of a series.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from appointments.bitsets import TICK, Grid, erode, idle_around, ticks
from appointments.intervals import Spaced, spacing_breach
from appointments.working_time import ProviderTime, SiteTime
from clinic.hours import Period, format_day, instant
from clinic.protocols.schema import Protocol, SetUp

PROVIDER, ROOM, DEVICE, PATIENT = "provider", "room", "device", "patient"

# Offered starts lie on quarters of an hour; a typed one may lie on any tick.
OFFERED_EVERY = 3


@dataclass(frozen=True, slots=True)
class Window:
    """Ticks that a resource is held before and after the body of a visit."""

    set_up: int
    clean_up: int


@dataclass(frozen=True, slots=True)
class Need:
    """What one visit takes: ticks of its body, and the window of each kind of resource."""

    body: int
    windows: Mapping[str, Window]

    def held(self, kind: str, starts_at: datetime) -> Period:
        """The whole time for which a resource of `kind` is held by a visit at `starts_at`."""
        window = self.windows[kind]
        return Period(
            starts_at - window.set_up * TICK,
            starts_at + (self.body + window.clean_up) * TICK,
        )


def need_of(protocol: Protocol, areas: Sequence[str]) -> Need:
    """The need of one visit by `protocol` in `areas`: numbing, then the chair, rounded up."""
    resources = protocol.resources
    windows = {PROVIDER: _window(resources.provider), ROOM: _window(resources.room)}
    if resources.device is not None:
        windows[DEVICE] = _window(resources.device)
    windows[PATIENT] = Window(0, 0)
    body = ticks(protocol.numbing_minutes(areas) + protocol.chair_minutes(areas))
    return Need(body, windows)


def _window(held: SetUp) -> Window:
    return Window(ticks(held.set_up.minutes), ticks(held.clean_up.minutes))


@dataclass(frozen=True, slots=True)
class Busy:
    """The taken periods of one resource, disjoint and in order."""

    periods: tuple[Period, ...] = ()

    def within(self, period: Period) -> Sequence[Period]:
        """Those that may touch `period`."""
        low = bisect_left(self.periods, period.starts_at, key=lambda each: each.ends_at)
        high = bisect_left(self.periods, period.ends_at, key=lambda each: each.starts_at)
        return self.periods[low:high]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that decides where visits of one patient by one protocol fit at one site.

    `pools` names the eligible resources of each kind in `need.windows`; only providers have
    hours of their own, rooms and devices keep the site's. `not_before` is the first instant at
    which a visit may start.
    """

    site: SiteTime
    need: Need
    pools: Mapping[str, tuple[int, ...]]
    providers: Mapping[int, ProviderTime]
    busy: Mapping[int, Busy]
    not_before: datetime
    spaced: tuple[Spaced, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The feasible starts of one local day, as bits of `grid`.

    `free` and `starts` are per resource: free ticks, and starts at which its whole window is
    free. `feasible` are the starts at which every kind has somebody. `barred` says why nothing
    is possible all day, whoever is free: ("site" or "spacing", a sentence).
    """

    day: date
    grid: Grid
    need: Need
    free: Mapping[int, int] = field(default_factory=dict)
    starts: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    mask: int = 0
    barred: tuple[str, str] | None = None

    @property
    def feasible(self) -> int:
        return _all_of(self.starts, self.mask)

    def choose(self, bit: int, usual: Mapping[str, int | None]) -> dict[str, int] | None:
        """The resource of each kind for the start at `bit`; None when a kind has none."""
        chosen: dict[str, int] = {}
        for kind in self.starts:
            resource = self.pick(kind, bit, usual.get(kind))
            if resource is None:
                return None
            chosen[kind] = resource
        return chosen

    def pick(self, kind: str, bit: int, usual: int | None) -> int | None:
        """A resource of `kind` that is free for the start at `bit`.

        The `usual` one if it is, else the one that leaves the least idle time around the visit,
        then the lowest id.
        """
        pool = self.starts.get(kind, {})
        free = [resource for resource, bits in pool.items() if bit >= 0 and bits >> bit & 1]
        if usual in free or not free:
            return usual if usual in free else None
        return min(free, key=self._idle(kind, bit))

    def _idle(self, kind: str, bit: int) -> Callable[[int], tuple[int, int]]:
        window = self.need.windows[kind]
        first, end = max(0, bit - window.set_up), bit + self.need.body + window.clean_up
        return lambda resource: (idle_around(self.free[resource], first, end), resource)

    def why_none(self) -> str | None:
        """The kind of resource that binds: without it there would be the most starts.

        Also "site", "spacing" or "past"; None when there are feasible starts.
        """
        if self.barred is not None:
            return self.barred[0]
        if not self.mask:
            return "past"
        return None if self.feasible else max(self.starts, key=self._starts_without)

    def _starts_without(self, kind: str) -> tuple[int, int]:
        rest = {each: pool for each, pool in self.starts.items() if each != kind}
        own = _any_of(self.starts[kind]) & self.mask
        return _all_of(rest, self.mask).bit_count(), -own.bit_count()


def _any_of(pool: Mapping[int, int]) -> int:
    bits = 0
    for each in pool.values():
        bits |= each
    return bits


def _all_of(starts: Mapping[str, Mapping[int, int]], mask: int) -> int:
    if not starts:
        return 0
    for pool in starts.values():
        mask &= _any_of(pool)
    return mask


def day(facts: Facts, on: date) -> Day:
    """Where a visit may start on one local day of the site."""
    zone = facts.site.zone
    whole = Period(instant(on, 0, zone), instant(on, 24 * 60, zone))
    grid = Grid.over(whole)
    barred = _barred(facts, on)
    if barred is not None:
        return Day(on, grid, facts.need, barred=barred)
    free: dict[int, int] = {}
    starts: dict[str, dict[int, int]] = {}
    for kind, window in facts.need.windows.items():
        length = window.set_up + facts.need.body + window.clean_up
        starts[kind] = {}
        for resource in facts.pools[kind]:
            free[resource] = _free(facts, kind, resource, on, grid, whole)
            starts[kind][resource] = erode(free[resource], length) << window.set_up & grid.all
    mask = grid.all & ~grid.busy([Period(whole.starts_at, facts.not_before)])
    return Day(on, grid, facts.need, free, starts, mask)


def _barred(facts: Facts, on: date) -> tuple[str, str] | None:
    if not facts.site.open_on(on):
        reason = facts.site.closed_for(on)
        because = f" ({reason})" if reason else ""
        return "site", f"{facts.site.name} is closed on {format_day(on)}{because}."
    too_near = spacing_breach(on, facts.spaced)
    return None if too_near is None else ("spacing", too_near.sentence)


def _free(facts: Facts, kind: str, resource: int, on: date, grid: Grid, whole: Period) -> int:
    """The free ticks of one resource on one day."""
    if kind == PATIENT:
        free = grid.all
    elif kind == PROVIDER:
        free = grid.free(facts.providers[resource].works_on(on, facts.site))
    else:
        free = grid.free(facts.site.open_on(on))
    taken = facts.busy.get(resource)
    return free & ~grid.busy(taken.within(whole)) if free and taken else free
