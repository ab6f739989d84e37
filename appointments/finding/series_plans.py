"""Dates for a whole series, exactly: the plans with the fewest points that the calendar allows.

A plan is a way through the days, one visit each: what a visit costs depends on its own place and
on the day and provider of the visit before, on nothing else. So the best way from every day on is
known from the best ways behind it (dynamic programming over session, day and provider), and no
cheaper plan exists than the one found. Visits that must stay are places with no choice; visits
that may stay cost more anywhere else. Refuses to know where the facts come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from appointments.finding import interval_costs, plan_words
from appointments.finding.availability import OFFERED_EVERY, Facts, Openings
from appointments.finding.interval_costs import Gaps
from appointments.finding.intervals import Bounds, spacing_breach
from appointments.finding.local_days import Bools, Ints
from appointments.finding.needs import PATIENT, PROVIDER
from appointments.finding.plans import Impossible, Plan, Planned, Points, Session, Stay, Wish
from appointments.finding.ticks import TICK, TICK_SECONDS
from clinic.wall_time import local

Floats = NDArray[np.float64]
HALF_HOUR = 30
# Points for each minute of the day: far below all others, so that of equal plans the one that
# starts sooner is taken.
SOONER = 1e-9
MOST_PLANS = 5
NOBODY = 0


def plans(facts: Facts, wish: Wish, most: int = MOST_PLANS) -> list[Plan] | Impossible:
    """Up to `most` clearly different plans, the best first; or the session without a place.

    The first is the best there is. Each other one is the best of those that begin on its first
    day, or with its first provider. Two plans differ clearly when at least two visits (or the
    only one) have another provider or lie two days apart.
    """
    openings = Openings(facts)
    ways = _Ways(openings, wish)
    found = [
        Plan(tuple(ways.visits(way)))
        for way in _different(ways.candidates(), most, min(2, len(wish.sessions)))
    ]
    if not found:
        return ways.impossible()
    return [Plan(plan.visits, plan_words.of_plan(plan.visits, found)) for plan in found]


def _different(ways: Iterator[Ints], most: int, visits: int) -> list[Ints]:
    """The first ways of which any two differ in at least so many visits."""
    kept: list[Ints] = []
    for way in ways:
        if len(kept) == most:
            break
        # A way is rows (day, provider).
        if all(
            np.count_nonzero((abs(way - other)[:, 0] >= 2) | (way[:, 1] != other[:, 1])) >= visits
            for other in kept
        ):
            kept.append(way)
    return kept


class _Ways:
    """The costs of every place, and of the best way on from each."""

    def __init__(self, openings: Openings, wish: Wish) -> None:
        self.openings, self.wish, self.weights = openings, wish, wish.weights
        self.days = openings.days
        self.providers = self._all_providers()
        self.minutes = self.days.minutes_of(openings.starts, openings.day_of)
        self.idle = self._idle_gaps()
        self.load = openings.day_load("device")
        self.costs = self._slot_costs()
        self.gaps = [
            interval_costs.gaps(self.days, wish.interval, later.number - sooner.number, wish.window)
            for sooner, later in zip(wish.sessions, wish.sessions[1:], strict=False)
        ]
        grid = self._day_costs()
        self.cells = [self._cells(session, grid) for session in wish.sessions]
        self.rest = self._rest()

    # --- What each place costs ---

    def _all_providers(self) -> tuple[int, ...]:
        """Those of the pool and those of visits that stay, in order of id; where there are none,
        a column of nobody, so that there is an array to find nothing in."""
        stays = [self.wish.before, *(s.fixed for s in self.wish.sessions)]
        stays += [session.present for session in self.wish.sessions]
        held = {stay.resources[PROVIDER] for stay in stays if stay is not None}
        return tuple(sorted({*self.openings.pools[PROVIDER], *held})) or (NOBODY,)

    def _slot_costs(self) -> Floats:
        """By provider of the pool and candidate start, what a visit there costs by itself."""
        openings, weights, wish = self.openings, self.weights, self.wish.preference
        wished = np.array([self._is_wished(number) for number in range(self.days.count)])
        outside = self._outside()
        base = np.minimum(weights.most_off_time, outside / HALF_HOUR * weights.off_time)
        day_costs = weights.other_weekday * ~wished + weights.device_load * self.load
        base = base + day_costs[openings.day_of]
        allowed = openings.by_provider
        if wish.strict:
            allowed = allowed & wished[openings.day_of] & (outside == 0)
        return np.where(allowed, base + weights.idle_gap * self.idle, np.inf)

    def _is_wished(self, number: int) -> bool:
        return (self.days.first.weekday() + number) % 7 in self.wish.preference.weekdays

    def _outside(self) -> Ints:
        """Minutes by which each start lies outside the wished time of day."""
        wish = self.wish.preference
        return np.maximum(0, np.maximum(wish.earliest - self.minutes, self.minutes - wish.latest))

    def _idle_gaps(self) -> Ints:
        """How many of the gaps beside a visit are too short for another: 0, 1 or 2. One of less
        than a quarter of an hour is no loss, since starts lie on quarters."""
        usable = self.weights.usable_minutes * 60 // TICK_SECONDS
        before, after = self.openings.idle(PROVIDER)
        return sum(  # type: ignore[return-value]
            ((idle >= OFFERED_EVERY) & (idle < usable)).astype(np.int64) for idle in (before, after)
        )

    def _day_costs(self) -> Floats:
        """The cheapest place of each day and provider; infinite where there is none."""
        pool = self.openings.pools[PROVIDER]
        grid = np.full((self.days.count, len(self.providers)), np.inf)
        numbers, firsts = np.unique(self.openings.day_of, return_index=True)
        if len(numbers) and pool:
            columns = np.array([self.providers.index(each) for each in pool])
            costs = self.costs + SOONER * self.minutes
            grid[np.ix_(numbers, columns)] = np.minimum.reduceat(costs, firsts, axis=1).T
        return grid

    def _cells(self, session: Session, grid: Floats) -> Floats:
        """What one session costs on each day with each provider, the way to it aside."""
        stay = session.fixed or session.present
        if stay is None:
            return grid
        cells = np.full_like(grid, np.inf) if session.fixed else grid + self.weights.unchanged
        number = self.days.number_of(stay.day)
        if 0 <= number < self.days.count:
            cells[number, self.providers.index(stay.resources[PROVIDER])] = 0.0
        return cells

    def _rest(self) -> list[Floats]:
        """By session, day and provider, the cost of the best way from there to the end."""
        finish = self.weights.finish * np.arange(self.days.count, dtype=np.float64)
        rest = [self.cells[-1] + finish[:, None]]
        for cells, gaps in zip(self.cells[-2::-1], self.gaps[::-1], strict=True):
            rest.append(cells + interval_costs.best_after(self._from(rest[-1]), gaps, self.weights))
        return rest[::-1]

    def _from(self, rest: Floats) -> Floats:
        """The same for who comes from a visit with each provider: stays with them, or changes."""
        changed = rest.min(axis=1, keepdims=True) + self.weights.other_provider
        cheapest: Floats = np.minimum(rest, changed)
        return cheapest

    # --- The ways ---

    def candidates(self) -> Iterator[Ints]:
        """The best way of each first day and of each first provider, the cheapest first: rows
        (day number, place in `providers`), one for each session."""
        total = self.rest[0] + self._way_to_first()
        days = np.flatnonzero(_some(total))
        if not len(days):
            return
        whose = np.flatnonzero(_some(total.T))
        cells = {(int(d), int(total[d].argmin())) for d in days}
        cells |= {(int(total[:, p].argmin()), int(p)) for p in whose}
        ordered = sorted(cells, key=lambda cell: (round(float(total[cell]), 9), cell))
        yield from np.stack(self._walk(np.array(ordered)), axis=1)

    def _way_to_first(self) -> Floats:
        """What it costs to begin on each day with each provider; infinite outside the window."""
        window, first = self.wish.window, self.wish.sessions[0]
        days = np.arange(self.days.count)
        costs = np.zeros((self.days.count, len(self.providers)))
        if first.fixed is None:
            off = days - self.days.number_of(window.ideal)
            points = np.where(off > 0, off * self.weights.late, -off * self.weights.early)
            outside = (days < self.days.number_of(window.earliest)) | (
                days > self.days.number_of(window.latest)
            )
            costs += np.where(outside, np.inf, points)[:, None]
        if self.wish.before is not None:
            same = self.providers.index(self.wish.before.resources[PROVIDER])
            costs += self.weights.other_provider
            costs[:, same] -= self.weights.other_provider
        return costs

    def _walk(self, cells: Ints) -> list[Ints]:
        """From each first cell along its best way; one array of cells for each session."""
        walked = [cells]
        for gaps, rest in zip(self.gaps, self.rest[1:], strict=True):
            day, whose = walked[-1].T
            following = interval_costs.best_day(self._from(rest), day, whose, gaps, self.weights)
            stays = rest[following, whose] <= (
                rest[following].min(axis=1) + self.weights.other_provider
            )
            other = rest[following].argmin(axis=1)
            walked.append(np.stack([following, np.where(stays, whose, other)], axis=1))
        return walked

    # --- Back to visits ---

    def visits(self, way: Ints) -> Iterator[Planned]:
        """The visits of a way, each at the best start of its cell."""
        before, like = self.wish.before, self._minute(self.wish.before)
        for step, (session, (number, column)) in enumerate(
            zip(self.wish.sessions, way, strict=True)
        ):
            planned = self._planned(step, session, int(number), int(column), before, like)
            if like is None:
                like = self._minute(planned)
            before = Stay(planned.day, planned.starts_at, planned.resources)
            yield planned

    def _planned(
        self,
        step: int,
        session: Session,
        number: int,
        column: int,
        before: Stay | None,
        like: int | None,
    ) -> Planned:
        provider, day = self.providers[column], self.days.date_of(number)
        stay = session.fixed or session.present
        bounds = self.wish.window
        if step:
            assert before is not None
            gaps = self.gaps[step - 1]
            bounds = gaps.bounds_after(self.days, self.days.number_of(before.day))
        date_points = 0.0
        if step or session.fixed is None:
            off = (day - bounds.ideal).days
            date_points = off * self.weights.late if off > 0 else -off * self.weights.early
        changed = before is not None and before.resources[PROVIDER] != provider
        points = {
            "date": date_points,
            "provider": self.weights.other_provider if changed else 0.0,
            "finish": self.weights.finish * number if session is self.wish.sessions[-1] else 0.0,
        }
        if stay is not None and (stay.day, stay.resources[PROVIDER]) == (day, provider):
            starts_at, resources = stay.starts_at, stay.resources
        else:
            position = self._best_start(number, provider, like)
            starts_at = self.openings.starts_at(position)
            resources = self._resources(position, provider)
            points |= self._points_at(position, provider)
            points["moved"] = self.weights.unchanged if session.present else 0.0
        tally = Points(**points)
        near = spacing_breach(bounds.ideal, self.openings.facts.spaced)
        facts = plan_words.About(
            day=day,
            minute=self._minute_at(starts_at),
            bounds=bounds,
            previous=before.day if before else None,
            same_provider=None if before is None else not changed,
            like=like,
            stays=points.get("moved") is None and stay is not None,
            near=near.sentence if near else "",
        )
        return Planned(
            session.number,
            day,
            starts_at,
            starts_at + self.openings.facts.need.body * TICK,
            resources,
            bounds,
            tally,
            plan_words.of_visit(facts, tally),
        )

    def _best_start(self, number: int, provider: int, like: int | None) -> int:
        """The cheapest start of a cell; of equal ones the nearest to the usual time of day."""
        low, high = np.searchsorted(self.openings.day_of, [number, number + 1])
        costs = self.costs[self.openings.pools[PROVIDER].index(provider), low:high]
        equal = low + np.flatnonzero(costs <= costs.min() + 1e-9)
        if like is None:
            return int(equal[0])
        return int(equal[np.abs(self.minutes[equal] - like).argmin()])

    def _resources(self, position: int, provider: int) -> dict[str, int]:
        chosen = self.openings.choose(position, {PROVIDER: provider})
        assert chosen is not None
        return {kind: each for kind, each in chosen.items() if kind != PATIENT}

    def _points_at(self, position: int, provider: int) -> dict[str, float]:
        number = int(self.openings.day_of[position])
        row = self.openings.pools[PROVIDER].index(provider)
        outside = float(self._outside()[position])
        return {
            "weekday": 0.0 if self._is_wished(number) else self.weights.other_weekday,
            "time": min(self.weights.most_off_time, outside / HALF_HOUR * self.weights.off_time),
            "gap": float(self.idle[row, position]) * self.weights.idle_gap,
            "load": float(self.load[number]) * self.weights.device_load,
        }

    def _minute(self, visit: Stay | Planned | None) -> int | None:
        return None if visit is None else self._minute_at(visit.starts_at)

    def _minute_at(self, at: datetime) -> int:
        there = local(at, self.days.zone)
        return there.hour * 60 + there.minute

    # --- When there is no way ---

    def impossible(self) -> Impossible:
        """The first session that cannot be reached, whatever days the sessions before it take."""
        reached: Bools = _some(self.cells[0] + self._way_to_first())
        window = self.wish.window
        gaps: Gaps | None = None
        came = reached
        for step, session in enumerate(self.wish.sessions):
            if step:
                gaps, came = self.gaps[step - 1], reached
                window = gaps.bounds_over(self.days, np.flatnonzero(came))
                reached = gaps.reach(came) & _some(self.cells[step])
            if not reached.any():
                return self._stuck(step, session, window, gaps, came)
        raise AssertionError("every session can be reached, so there is a plan")

    def _stuck(
        self,
        step: int,
        session: Session,
        window: Bounds,
        gaps: Gaps | None,
        came: Bools,
    ) -> Impossible:
        openings, cells = self.openings, _some(self.cells[step])
        binding = openings.why_none(window.earliest, window.latest)
        if session.fixed is not None:
            binding = "locked"
        elif binding is None:
            binding = "wishes" if self.wish.preference.strict else "together"
        until = None
        if binding in openings.free:
            until = openings.free_again(binding, window.earliest)
        latest = np.array([self.days.number_of(window.latest)])
        if gaps is not None:
            latest = gaps.hi[np.flatnonzero(came)]
        return Impossible(session.number, window, binding, until, self._beyond(cells, latest))

    def _beyond(self, cells: Bools, latest: Ints) -> tuple[date, int] | None:
        """The first possible day after one of the latest ones, and how many days after it."""
        possible = np.flatnonzero(cells)
        places = np.searchsorted(possible, latest, side="right")
        after = [
            (int(possible[place] - last), int(possible[place]))
            for place, last in zip(places, latest, strict=True)
            if place < len(possible)
        ]
        if not after:
            return None
        days, number = min(after)
        return self.days.date_of(number), days


def _some(costs: Floats) -> Bools:
    """By row, whether any entry is possible."""
    return np.asarray(np.isfinite(costs).any(axis=1))
