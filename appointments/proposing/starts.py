"""Free starts for one visit: all of a day, the first ones, those nearest to a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np

from appointments import allocating, ticks
from appointments.availability import Openings
from appointments.loading import Loaded, load
from appointments.local_days import Ints
from appointments.models import Appointment, Hold, TreatmentSeries
from appointments.places import DayStarts, Place
from appointments.proposing import problems
from appointments.proposing.series import HORIZON, narrowed
from appointments.ticks import TICK
from clinic.hours import local
from clinic.models import ProtocolVersion, Resource, Site
from patients.models import Patient

# The first free starts are looked for in three weeks, then in twice as many, up to the horizon.
SOON = timedelta(days=21)


def free_starts(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    day: date,
    now: datetime,
    provider: Resource | None = None,
    moving: Appointment | None = None,
    holding: Hold | None = None,
) -> DayStarts:
    """Every offered start of one local day. `moving` is the visit to be moved: its own place
    counts as free, and its resources are kept where they are free."""
    loaded = load(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=day,
        last_day=day,
        now=now,
        without=[moving.pk] if moving else (),
        holding=holding,
        series_id=moving.series_id if moving else None,
    )
    facts = narrowed(loaded.facts, provider.pk) if provider else loaded.facts
    openings = Openings(facts)
    usual = allocating.resources_of(moving) if moving else {}
    places = tuple(_places(loaded, openings, openings.positions_on(day), usual))
    if places:
        return DayStarts(day, places)
    sentence, binding, until = problems.of_day(openings, day)
    return DayStarts(day, (), sentence, binding, until)


def first_starts(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    now: datetime,
    first_from: date | None = None,
    provider: Resource | None = None,
    holding: Hold | None = None,
    limit: int = 20,
) -> list[Place]:
    """The first `limit` offered starts from `first_from` (default: today) on, within 90 days."""
    first = first_from or local(now, site.zone).date()
    span = SOON
    while True:
        loaded = load(
            patient=patient,
            site=site,
            version=version,
            areas=areas,
            first_day=first,
            last_day=first + min(span, HORIZON),
            now=now,
            holding=holding,
        )
        facts = narrowed(loaded.facts, provider.pk) if provider else loaded.facts
        openings = Openings(facts)
        found = np.flatnonzero(openings.feasible)[:limit]
        if len(found) == limit or span >= HORIZON:
            return list(_places(loaded, openings, found, {}))
        span *= 2


def nearest_starts(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    near: datetime,
    now: datetime,
    without: Sequence[int] = (),
    holding: Hold | None = None,
    series: TreatmentSeries | None = None,
    allowed: Callable[[date], bool] = lambda day: True,
    limit: int = 3,
    days: int = 7,
) -> list[Place]:
    """The offered starts nearest to `near` on the `allowed` days, up to `days` before and after.

    `series` is the one that the visit belongs to; the visits `without` (ids) count as free.
    """
    middle = local(near, site.zone).date()
    loaded = load(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=middle - timedelta(days=days),
        last_day=middle + timedelta(days=days),
        now=now,
        without=without,
        holding=holding,
        series_id=series.pk if series else None,
    )
    openings = Openings(loaded.facts)
    found = np.flatnonzero(openings.feasible)
    numbers = np.unique(openings.day_of[found])
    right = [number for number in numbers if allowed(openings.days.date_of(number))]
    found = found[np.isin(openings.day_of[found], right)]
    off = np.abs(openings.starts[found] - ticks.floor(near))
    nearest = found[np.argsort(off, kind="stable")[:limit]]
    return list(_places(loaded, openings, nearest, {}))


def _places(
    loaded: Loaded, openings: Openings, positions: Ints, usual: Mapping[str, int]
) -> Iterator[Place]:
    body = loaded.facts.need.body * TICK
    chosen = openings.choose_all(positions, usual)
    for number, position in enumerate(positions):
        starts_at = openings.starts_at(int(position))
        held = {kind: int(ids[number]) for kind, ids in chosen.items()}
        yield Place.of(starts_at, starts_at + body, held, loaded.resources)
