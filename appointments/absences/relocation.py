"""Another place for a visit that loses who or what it has: the nearest one. Pure.

The same start with somebody or something else comes first, since the patient need not be told;
then the free start nearest to it. Refuses to move other visits of the series.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np

from appointments.finding import ticks
from appointments.finding.availability import Facts, Openings
from appointments.finding.intervals import Bounds, bounds, interval_breaches
from appointments.finding.local_days import Ints
from appointments.finding.needs import PATIENT, Need
from appointments.finding.plans import Stay
from clinic.protocols.schema import Protocol

# Periods [first, end) in ticks that proposals made before keep, by resource.
Taken = Mapping[int, Sequence[tuple[int, int]]]


def with_taken(facts: Facts, taken: Taken) -> Facts:
    """The facts as they are once the places proposed before are held too."""
    busy = dict(facts.busy)
    pooled = {resource for pool in facts.pools.values() for resource in pool}
    for resource in pooled & set(taken):
        rows: Ints = np.array(taken[resource], dtype=np.int64).reshape(-1, 2)
        both = np.concatenate([busy[resource], rows]) if resource in busy else rows
        busy[resource] = both[np.argsort(both[:, 0], kind="stable")]
    return replace(facts, busy=busy)


def occupied(need: Need, stay: Stay, patient: int) -> list[tuple[int, tuple[int, int]]]:
    """What a visit at this place takes, (resource, period in ticks); `patient` is a resource."""
    found = []
    for kind, resource in {**stay.resources, PATIENT: patient}.items():
        held = need.held(kind, stay.starts_at)
        found.append((resource, (ticks.floor(held.starts_at), ticks.ceil(held.ends_at))))
    return found


def same_start(facts: Facts, was: Stay) -> Stay | None:
    """The same start with other resources, keeping those that are free; None when it is past or
    a kind has nobody then. A date that was right when it was booked is not asked again."""
    if was.starts_at < facts.not_before:
        return None
    openings = Openings(replace(facts, first_day=was.day, last_day=was.day), every=1)
    position = openings.position(was.starts_at)
    chosen = openings.choose(position, was.resources) if position is not None else None
    if chosen is None:
        return None
    return Stay(was.day, was.starts_at, _without_patient(chosen))


def nearest(
    openings: Openings, was: Stay, allowed: Callable[[date], bool], not_before: datetime
) -> Stay | None:
    """The free start nearest to that of `was`, on an allowed day and not before `not_before`."""
    near = ticks.floor(was.starts_at)
    found = np.flatnonzero(openings.feasible & (openings.starts >= ticks.ceil(not_before)))
    off = np.abs(openings.starts[found] - near)
    right: dict[int, bool] = {}
    for position in found[np.argsort(off, kind="stable")]:
        number = int(openings.day_of[position])
        if number not in right:
            right[number] = allowed(openings.days.date_of(number))
        if right[number]:
            chosen = openings.choose(int(position), was.resources)
            assert chosen is not None
            return Stay(
                openings.day(int(position)),
                openings.starts_at(int(position)),
                _without_patient(chosen),
            )
    return None


def keeps_intervals(
    protocol: Protocol, session: int, neighbours: Mapping[int, date]
) -> Callable[[date], bool]:
    """Whether a session may lie on a day, between the sessions of the series that stand."""

    def allowed(day: date) -> bool:
        before = max((n for n in neighbours if n < session), default=None)
        after = min((n for n in neighbours if n > session), default=None)
        days = [(n, neighbours[n]) for n in (before, after) if n is not None]
        return not interval_breaches(sorted([*days, (session, day)]), protocol)

    return allowed


def window_after(
    protocol: Protocol, session: int, previous: tuple[int, date] | None, ideal: Bounds
) -> Bounds:
    """The dates of a session as the one before it allows them, as far as they lie within `ideal`,
    whose middle is wished for."""
    interval = protocol.series.interval
    if previous is None or interval is None:
        return ideal
    number, day = previous
    due = bounds(day, interval)
    latest = min(ideal.latest, day + (session - number) * (due.latest - day))
    earliest = max(ideal.earliest, due.earliest)
    return Bounds(earliest, max(earliest, min(ideal.ideal, latest)), latest)


def _without_patient(chosen: Mapping[str, int]) -> dict[str, int]:
    return {kind: resource for kind, resource in chosen.items() if kind != PATIENT}
