"""Plans whose first visit lies in a free time that somebody chose, or why it cannot.

A free time is named by its beginning and by the resource that is free: it lasts until that
resource has something else, or is not there. The visit takes the first start in it at which
everybody is free, on any tick, and the following ones are planned on from there. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from appointments.finding import plan_words, ticks
from appointments.finding.availability import NO_TIME, Facts, Openings
from appointments.finding.intervals import Bounds, bounds
from appointments.finding.local_days import Bools, Ints
from appointments.finding.needs import PATIENT, PROVIDER
from appointments.finding.plans import Impossible, Plan, Planned, Points, Stay, Wish
from appointments.finding.series_plans import MOST_PLANS, plans
from appointments.finding.ticks import TICK, TICK_SECONDS
from clinic.wall_time import local

ONE_DAY = timedelta(days=1)
MINUTES = TICK_SECONDS // 60


@dataclass(frozen=True, slots=True)
class FreeTime:
    """The free time of `resource` (its id) that begins at `starts_at` (UTC)."""

    starts_at: datetime
    resource: int


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a first visit has no place in a free time. `binding` is what is lacking there: a kind of
    resource, or "unsuitable" (not for this treatment), "taken" (no longer free), "short" (for the
    minutes that it `takes`; so many are `left`), "dates", "wishes", "past", "spacing", "together".
    """

    binding: str
    takes: int = 0
    left: int = 0


def plans_in(
    facts: Facts, wish: Wish, free: FreeTime, most: int = MOST_PLANS
) -> list[Plan] | Impossible | Unfit:
    """Up to `most` clearly different plans whose first visit lies in `free`, the best first.

    Where the free time leaves a choice of provider, the first visit has the one with whom the
    whole costs least.
    """
    day = local(free.starts_at, facts.site.zone).date()
    if not wish.window.earliest <= day <= wish.window.latest:
        return Unfit("dates")
    places = _places(facts, wish, free, day)
    if isinstance(places, Unfit):
        return places
    if len(wish.sessions) == 1:
        return _told([Plan((places[0],))])
    stuck, best = None, list[Plan]()
    for place in places:
        found = plans(facts, _after(place, wish), most)
        if isinstance(found, Impossible):
            stuck = stuck or found
        elif not best or _points(place, found[0]) < _points(best[0].visits[0], best[0]):
            best = [Plan((place, *each.visits)) for each in found]
    if best:
        return _told(best)
    assert stuck is not None
    return stuck


def _points(place: Planned, plan: Plan) -> float:
    following = (visit for visit in plan.visits if visit.session != place.session)
    return round(sum(visit.points.total for visit in following), 6)


def _told(found: Sequence[Plan]) -> list[Plan]:
    return [Plan(plan.visits, plan_words.of_plan(plan.visits, found)) for plan in found]


def _after(place: Planned, wish: Wish) -> Wish:
    """The sessions that follow, planned on from the first."""
    due = Bounds(
        place.day + ONE_DAY,
        place.day + ONE_DAY,
        place.day + (wish.window.latest - wish.window.earliest),
    )
    if wish.interval is not None:
        due = bounds(place.day, wish.interval)
    before = Stay(place.day, place.starts_at, place.resources)
    return replace(wish, sessions=wish.sessions[1:], window=due, before=before)


def _places(facts: Facts, wish: Wish, free: FreeTime, day: date) -> list[Planned] | Unfit:
    """The first start in the free time, once for each provider who may take it."""
    kind = next((kind for kind, pool in facts.pools.items() if free.resource in pool), None)
    if kind is None or kind == PATIENT:
        return Unfit("unsuitable")
    last = _free_until(facts, free, kind, day)
    if last is None:
        return Unfit("taken")
    window, first = facts.need.windows[kind], ticks.ceil(free.starts_at)
    takes = window.set_up + facts.need.body + window.clean_up
    if last - first < takes:
        return Unfit("short", takes * MINUTES, (last - first) * MINUTES)
    openings = Openings(replace(facts, first_day=day, last_day=day), every=1)
    earliest, latest = first + window.set_up, last - window.clean_up - facts.need.body
    low, high = np.searchsorted(openings.starts, [earliest, latest + 1])
    among = np.arange(low, high)
    possible = among[openings.feasible[among]]
    possible = possible[openings.free[kind][openings.pools[kind].index(free.resource), possible]]
    if not len(possible):
        return Unfit(_lacking(openings, among))
    if wish.preference.strict:
        possible = possible[_wished(openings, possible, wish)]
        if not len(possible):
            return Unfit("wishes")
    return list(_planned(openings, int(possible[0]), kind, free, wish))


def _free_until(facts: Facts, free: FreeTime, kind: str, day: date) -> int | None:
    """The tick at which the free time ends; None when it has not even begun."""
    hours = facts.site.open_on(day)
    if kind == PROVIDER:
        hours = facts.providers[free.resource].works_on(day, facts.site)
    there = next((each for each in hours if each.starts_at <= free.starts_at < each.ends_at), None)
    first, taken = ticks.ceil(free.starts_at), facts.busy.get(free.resource, NO_TIME)
    if there is None or ((taken[:, 0] <= first) & (first < taken[:, 1])).any():
        return None
    later = taken[taken[:, 0] > first, 0]
    return min([ticks.floor(there.ends_at), *(int(each) for each in later[:1])])


def _lacking(openings: Openings, among: Ints) -> str:
    """What keeps every one of these starts from being had."""
    if not openings.timely[among].any():
        return "past"
    if not openings.allowed[among].any():
        return "spacing"
    allowed = among[openings.allowed[among]]
    for kind, rows in openings.free.items():
        if not rows[:, allowed].any():
            return kind
    return "together"


def _wished(openings: Openings, positions: Ints, wish: Wish) -> Bools:
    minutes = openings.days.minutes_of(openings.starts, openings.day_of)[positions]
    prefers = wish.preference
    is_wished = openings.days.first.weekday() in prefers.weekdays
    inside: Bools = is_wished & (minutes >= prefers.earliest) & (minutes <= prefers.latest)
    return inside


def _planned(
    openings: Openings, position: int, kind: str, free: FreeTime, wish: Wish
) -> Iterator[Planned]:
    starts_at, need = openings.starts_at(position), openings.facts.need
    reason = plan_words.in_free_time(
        free.starts_at, starts_at, _until_then(openings, starts_at, kind, free), openings.days.zone
    )
    providers = [free.resource]
    if kind != PROVIDER:
        rows = openings.free[PROVIDER][:, position]
        providers = [
            pk for pk, free_too in zip(openings.pools[PROVIDER], rows, strict=True) if free_too
        ]
    for provider in providers:
        chosen = openings.choose(position, {kind: free.resource, PROVIDER: provider})
        assert chosen is not None
        yield Planned(
            wish.sessions[0].number,
            openings.day(position),
            starts_at,
            starts_at + need.body * TICK,
            {each: pk for each, pk in chosen.items() if each != PATIENT},
            wish.window,
            Points(),
            (reason,),
        )


def _until_then(openings: Openings, starts_at: datetime, kind: str, free: FreeTime) -> str:
    """What keeps the visit from starting as soon as the free time allows; empty when nothing."""
    begins = ticks.at(ticks.ceil(free.starts_at) + openings.facts.need.windows[kind].set_up)
    if starts_at == begins:
        return ""
    sooner = openings.position(begins)
    if sooner is None or openings.feasible[sooner]:
        return "wishes"
    return _lacking(openings, np.array([sooner]))
