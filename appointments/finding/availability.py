"""Where a visit fits: free time of provider, room, device and patient together, over many days.

A start is feasible when *some* provider and *some* room and *some* device are each free for
their own window around it (set-up, body, clean-up) and the patient is free for the body: OR
within a kind, AND across kinds. That is exact, since any provider goes with any room and any
device, and it costs the sum of the resources, not their product.

Time is counted in ticks of five minutes. Candidate starts are every third tick in which the site
is open; each taken period of a resource strikes out a run of them. Refuses to know the interval
of a series, and where the facts come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from appointments.finding import ticks
from appointments.finding.intervals import Spaced, spacing_breach
from appointments.finding.local_days import Bools, Ints, LocalDays
from appointments.finding.needs import PATIENT, PROVIDER, Need
from appointments.finding.working_time import (
    ProviderTime,
    SiteTime,
    inside,
    open_ticks,
    working_ticks,
)
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.wall_time import local

# Offered starts lie on quarters of an hour; a typed one may lie on any tick.
OFFERED_EVERY = 3

Floats = NDArray[np.float64]
# Idle ticks beyond which more make no difference.
_FAR = 2**20
NO_TIME: Ints = np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that decides where visits of one patient by one protocol fit at one site.

    From `first_day` to `last_day`, local dates, both included. `pools` names the eligible
    resources of each kind in `need.windows`; only providers have hours of their own, rooms and
    devices keep the site's. `busy` are the taken periods of each resource as rows [first, end) of
    ticks, in order; `away` those in which the patient is at another site or on the way.
    `not_before` is the first instant at which a visit may start.
    """

    site: SiteTime
    need: Need
    pools: Mapping[str, tuple[int, ...]]
    providers: Mapping[int, ProviderTime]
    busy: Mapping[int, Ints]
    not_before: datetime
    first_day: date
    last_day: date
    spaced: tuple[Spaced, ...] = ()
    away: Ints = field(default_factory=lambda: NO_TIME)


class Openings:
    """All candidate starts of the days of some facts, and who is free for each.

    A *position* is the place of a start in `starts`. `starts` are ticks, rising; `day_of` is the
    number of each start's local day in `days`; `allowed` tells those that are neither past nor
    too near to another treatment. `free` has by kind one row for each resource of its pool.
    """

    def __init__(self, facts: Facts, every: int = OFFERED_EVERY) -> None:
        self.facts = facts
        # Of equal resources the one with the lowest id is taken, in whatever order they come.
        self.pools = {kind: tuple(sorted(pool)) for kind, pool in facts.pools.items()}
        self.days = LocalDays.between(facts.first_day, facts.last_day, facts.site.zone)
        self._open = open_ticks(facts.site, self.days)
        self.starts = _multiples(self._open, every)
        self._rank = _Rank(self.starts)
        self.day_of = self.days.days_of(self.starts)
        self.timely: Bools = self.starts >= ticks.ceil(facts.not_before)
        self.spacious: Bools = self._spacious_days()[self.day_of]
        self.allowed: Bools = self.timely & self.spacious
        self.free = {kind: self._free(kind) for kind in facts.need.windows}
        self._idle: dict[str, tuple[Ints, Ints]] = {}
        self._loads: dict[str, Ints] = {}

    # --- What is feasible ---

    @cached_property
    def feasible(self) -> Bools:
        """The starts at which every kind has somebody."""
        return self._all_but("")

    @cached_property
    def by_provider(self) -> Bools:
        """The same for each provider of the pool."""
        return self.free[PROVIDER] & self._all_but(PROVIDER)

    def positions_on(self, day: date) -> Ints:
        """The feasible starts of one local day."""
        number = self.days.number_of(day)
        low, high = np.searchsorted(self.day_of, [number, number + 1])
        found: Ints = low + np.flatnonzero(self.feasible[low:high])
        return found

    def position(self, at: datetime) -> int | None:
        """The position of a start; None when it is no candidate."""
        found = int(np.searchsorted(self.starts, ticks.floor(at)))
        same = found < len(self.starts) and ticks.at(self.starts[found]) == at
        return found if same else None

    def starts_at(self, position: int) -> datetime:
        return ticks.at(self.starts[position])

    def day(self, position: int) -> date:
        return self.days.date_of(self.day_of[position])

    # --- Who takes it ---

    def choose(self, position: int, usual: Mapping[str, int | None]) -> dict[str, int] | None:
        """The resource of each kind for a start; None when a kind has none."""
        if not all(rows[:, position].any() for rows in self.free.values()):
            return None
        chosen = self.choose_all(np.array([position]), usual)
        return {kind: int(ids[0]) for kind, ids in chosen.items()}

    def choose_all(self, positions: Ints, usual: Mapping[str, int | None]) -> dict[str, Ints]:
        """By kind the resources for some feasible starts.

        The `usual` one if it is free, else the one that leaves the least idle time around the
        visit, then the one with the least to do that day, then the one with the lowest id.
        """
        return {kind: self._chosen(kind, positions, usual.get(kind)) for kind in self.free}

    def _chosen(self, kind: str, positions: Ints, usual: int | None) -> Ints:
        pool = self.pools[kind]
        if not len(positions):
            return positions
        before, after = self.idle(kind)
        idle = np.minimum(before[:, positions] + after[:, positions], _FAR)
        # No day has as many ticks as one tick of idle time weighs.
        order = idle * 1024 + self.load(kind)[:, self.day_of[positions]]
        order = np.where(self.free[kind][:, positions], order, _FAR * 2048)
        if usual is not None and usual in pool:
            row = pool.index(usual)
            order[row, self.free[kind][row, positions]] = -1
        chosen: Ints = np.array(pool, dtype=np.int64)[order.argmin(axis=0)]
        return chosen

    def idle(self, kind: str) -> tuple[Ints, Ints]:
        """Ticks left idle before and after a visit at each start, by resource of the kind."""
        if kind not in self._idle:
            self._idle[kind] = self._idle_of(kind)
        return self._idle[kind]

    def load(self, kind: str) -> Ints:
        """Ticks taken of each resource of a kind by what begins on each day."""
        if kind not in self._loads:
            self._loads[kind] = self._load_of(kind)
        return self._loads[kind]

    def _load_of(self, kind: str) -> Ints:
        rows, taken = self._taken_of(kind)
        numbers = self.days.days_of(taken[:, 0])
        among = (numbers >= 0) & (numbers < self.days.count)
        size = len(self.pools[kind]), self.days.count
        used = np.bincount(
            rows[among] * self.days.count + numbers[among],
            weights=(taken[:, 1] - taken[:, 0])[among],
            minlength=size[0] * size[1],
        )
        return used.astype(np.int64).reshape(size)

    def day_load(self, kind: str) -> Floats:
        """How much of the open time of each day is taken of all resources of a kind, 0 to 1."""
        if kind not in self.free:
            return np.zeros(self.days.count)
        used = self.load(kind)
        hours = np.zeros(self.days.count)
        np.add.at(hours, self.days.days_of(self._open[:, 0]), self._open[:, 1] - self._open[:, 0])
        share: Floats = used.sum(axis=0) / np.maximum(1.0, hours * max(1, len(used)))
        return np.minimum(1.0, share)

    # --- Why there is none ---

    def why_none(self, first: date, last: date) -> str | None:
        """The kind of resource that binds from `first` to `last`, both included: the one without
        which there would be the most starts. Also "site", "past" or "spacing"; None when there
        are feasible starts."""
        part = self._part(first, last)
        if part.start == part.stop:
            return "site"
        if not self.timely[part].any():
            return "past"
        if not self.allowed[part].any():
            return "spacing"
        if self.feasible[part].any():
            return None

        def without(kind: str) -> tuple[int, int]:
            rest = int(self._all_but(kind)[part].sum())
            return rest, -int((self.free[kind].any(axis=0) & self.allowed)[part].sum())

        return max(self.free, key=without)

    def free_again(self, kind: str, after: date) -> datetime | None:
        """The first start from `after` on at which somebody of `kind` is free; None when nobody
        is within the days."""
        low = self._part(after, after).start
        some = np.flatnonzero((self.free[kind].any(axis=0) & self.allowed)[low:])
        return self.starts_at(low + int(some[0])) if len(some) else None

    def barred(self, day: date) -> str | None:
        """Why nothing is possible on a day, whoever is free: a sentence."""
        site = self.facts.site
        if not site.open_on(day):
            reason = site.closed_for(day) or site.reasons.get(day, "")
            because = f" ({reason})" if reason else ""
            return gettext("%(site)s is closed on %(day)s%(because)s.") % {
                "site": site.name,
                "day": format_day(day, language()),
                "because": because,
            }
        near = spacing_breach(day, self.facts.spaced)
        return near.sentence if near else None

    # --- Inside ---

    def _part(self, first: date, last: date) -> slice:
        ends = [self.days.number_of(first), self.days.number_of(last) + 1]
        low, high = np.searchsorted(self.day_of, ends)
        return slice(int(low), int(high))

    def _all_but(self, kind: str) -> Bools:
        """The allowed starts at which every other kind has somebody."""
        both = self.allowed
        for each, rows in self.free.items():
            if each != kind:
                both = both & rows.any(axis=0)
        return both

    def _spacious_days(self) -> Bools:
        spacious = np.ones(self.days.count, dtype=bool)
        for spaced in self.facts.spaced:
            first = max(0, self.days.number_of(spaced.after) + 1)
            spacious[first : max(0, self.days.number_of(spaced.before))] = False
        return spacious

    def _taken(self, pool: tuple[int, ...]) -> tuple[Ints, Ints]:
        """The taken periods of a pool: the row of each one's resource, and the periods."""
        periods = [self.facts.busy.get(resource, NO_TIME) for resource in pool]
        rows = np.repeat(np.arange(len(pool)), [len(each) for each in periods])
        return rows, np.concatenate([NO_TIME, *periods])

    def _taken_of(self, kind: str) -> tuple[Ints, Ints]:
        rows, taken = self._taken(self.pools[kind])
        if kind == PATIENT and len(self.facts.away):
            away = np.zeros(len(self.facts.away), dtype=np.int64)
            rows, taken = np.concatenate([rows, away]), np.concatenate([taken, self.facts.away])
        return rows, taken

    @cached_property
    def _working(self) -> tuple[Ints, Ints]:
        """The working periods of all providers: the row of each one's provider, and the periods."""
        providers = [self.facts.providers[pk] for pk in self.pools[PROVIDER]]
        return working_ticks(providers, self.facts.site, self.days)

    def _free(self, kind: str) -> Bools:
        """By resource of the pool, whether its whole window is free around each start."""
        window = self.facts.need.windows[kind]
        tail = self.facts.need.body + window.clean_up
        rows, taken = self._taken_of(kind)
        struck = [
            (rows, self._rank(taken[:, 0] - tail + 1), self._rank(taken[:, 1] + window.set_up))
        ]
        count = len(self.pools[kind])
        if kind == PATIENT:
            return _untouched(count, len(self.starts), struck)
        if kind == PROVIDER:
            whose, hours = self._working
        else:
            whose, hours = np.zeros(len(self._open), dtype=np.int64), self._open
        first = self._rank(hours[:, 0] + window.set_up)
        end = np.maximum(first, self._rank(hours[:, 1] - tail + 1))
        if kind == PROVIDER:
            return _untouched(count, len(self.starts), struck, (whose, first, end))
        inside = _untouched(1, len(self.starts), [], (whose, first, end))
        return _untouched(count, len(self.starts), struck) & inside

    def _idle_of(self, kind: str) -> tuple[Ints, Ints]:
        window, width = self.facts.need.windows[kind], len(self.starts)
        pool, tail = self.pools[kind], self.facts.need.body + window.clean_up
        rows, taken = self._taken_of(kind)
        if kind == PROVIDER:
            whose, hours = self._working
        else:
            whose = np.repeat(np.arange(len(pool)), len(self._open))
            hours = np.tile(self._open, (len(pool), 1))
        rows, opens, closes = (
            np.concatenate([rows, whose]),
            np.concatenate([taken[:, 1], hours[:, 0]]),
            np.concatenate([taken[:, 0], hours[:, 1]]),
        )
        # From which start on a limit counts; a limit beyond all starts falls off the edge.
        before = np.full(len(pool) * (width + 1), -(2**40), dtype=np.int64)
        np.maximum.at(before, rows * (width + 1) + self._rank(opens + window.set_up), opens)
        after = np.full(len(pool) * (width + 1), 2**40, dtype=np.int64)
        np.minimum.at(after, rows * (width + 1) + self._rank(closes - tail + 1), closes)
        shape = (len(pool), width + 1)
        before = np.maximum.accumulate(before.reshape(shape), axis=1)[:, :width]
        after = np.minimum.accumulate(after.reshape(shape)[:, ::-1], axis=1)[:, ::-1][:, 1:]
        return self.starts - window.set_up - before, after - (self.starts + tail)


def fits(facts: Facts, starts_at: datetime, resources: Mapping[str, int]) -> bool:
    """Whether a visit at `starts_at`, on any tick, may have these resources, one by kind."""
    return set(resources) == set(facts.need.windows) - {PATIENT} and all(
        is_free(facts, kind, resource, starts_at) for kind, resource in resources.items()
    )


def is_free(facts: Facts, kind: str, resource: int, starts_at: datetime) -> bool:
    """Whether one eligible resource of `kind` works and is free for a visit at `starts_at`."""
    if resource not in facts.pools[kind]:
        return False
    held = facts.need.held(kind, starts_at)
    day = local(starts_at, facts.site.zone).date()
    hours = (
        facts.providers[resource].works_on(day, facts.site)
        if kind == PROVIDER
        else facts.site.open_on(day)
    )
    taken = facts.busy.get(resource, NO_TIME)
    first, end = ticks.floor(held.starts_at), ticks.ceil(held.ends_at)
    return inside(held, hours) and not ((taken[:, 0] < end) & (taken[:, 1] > first)).any()


class _Rank:
    """How many starts lie before a tick, for many ticks at once."""

    def __init__(self, starts: Ints) -> None:
        self._first = int(starts[0]) if len(starts) else 0
        length = int(starts[-1]) - self._first + 2 if len(starts) else 1
        marks = np.zeros(length, dtype=np.int64)
        marks[starts - self._first + 1] = 1
        self._before = np.cumsum(marks)

    def __call__(self, at: Ints) -> Ints:
        found: Ints = self._before[np.clip(at - self._first, 0, len(self._before) - 1)]
        return found


def _multiples(periods: Ints, every: int) -> Ints:
    """The multiples of `every` inside the periods, which are disjoint and in order."""
    first = -(-periods[:, 0] // every)
    counts = np.maximum(0, -(-periods[:, 1] // every) - first)
    ends = np.cumsum(counts)
    offsets = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
    found: Ints = (np.repeat(first, counts) + offsets) * every
    return found


def _untouched(
    count: int,
    width: int,
    struck: list[tuple[Ints, Ints, Ints]],
    inside: tuple[Ints, Ints, Ints] | None = None,
) -> Bools:
    """Of `count` rows of `width`, what no run of `struck` covers and a run of `inside` does, if
    given. Runs are (row, first, end); those of `inside` are disjoint within a row."""
    size = count * (width + 1)
    depth = np.zeros(size, dtype=np.int64)
    for rows, first, end in struck:
        depth += np.bincount(rows * (width + 1) + first, minlength=size)
        depth -= np.bincount(rows * (width + 1) + end, minlength=size)
    if inside is not None:
        rows, first, end = inside
        depth -= np.bincount(rows * (width + 1) + first, minlength=size)
        depth += np.bincount(rows * (width + 1) + end, minlength=size)
        depth[:: width + 1] += 1
    grid = np.cumsum(depth.reshape(count, width + 1), axis=1)[:, :width]
    untouched: Bools = grid == 0
    return untouched
