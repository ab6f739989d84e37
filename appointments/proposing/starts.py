"""Free starts for one visit: all of a day, the first ones, those nearest to a time; or why none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from appointments.finding import intervals, ticks
from appointments.finding.availability import Openings
from appointments.finding.intervals import Spaced
from appointments.finding.local_days import Ints
from appointments.finding.ticks import TICK, TICK_SECONDS
from appointments.models import Appointment, Hold, TreatmentSeries
from appointments.proposing import problems
from appointments.proposing.loading import Loaded, load
from appointments.proposing.places import DayStarts, FoundStarts, Place
from appointments.proposing.series import HORIZON, narrowed
from clinic.models import ProtocolVersion, Resource, Site
from clinic.wall_time import local
from patients.models import Patient

# The first free starts are looked for in three weeks, then in twice as many, up to the horizon.
SOON = timedelta(days=21)
# How far before and after a time a start is near to it.
NEAR = timedelta(days=7)
# The nearest ones mostly lie on the same or the next day, which costs less to look through.
NEXT = timedelta(days=1)


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
    kept_free: Sequence[Spaced] = (),
) -> DayStarts:
    """Every offered start of one local day. `moving` is the visit to be moved: its own place
    counts as free, its length is kept, and its resources where they are free. On a day that is
    `kept_free` there is none."""

    def look(last_day: date) -> tuple[Loaded, Openings]:
        return _look(
            provider,
            patient=patient,
            site=site,
            version=version,
            areas=areas,
            first_day=day,
            last_day=last_day,
            now=now,
            without=[moving.pk] if moving else (),
            holding=holding,
            series_id=moving.series_id if moving else None,
            body=moving.body if moving else None,
            kept_free=kept_free,
        )

    loaded, openings = look(day)
    usual = moving.resources_held() if moving else {}
    places = tuple(places_for(loaded, openings, openings.positions_on(day), usual))
    if places:
        return DayStarts(day, places)
    # Until when, the days after it know.
    sentence, binding, until = problems.of_days(*look(day + HORIZON), day, day)
    return DayStarts(day, (), sentence, binding, until)


def search_starts(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    now: datetime,
    first_from: date | None = None,
    near: datetime | None = None,
    provider: Resource | None = None,
    holding: Hold | None = None,
    kept_free: Sequence[Spaced] = (),
    limit: int = 20,
) -> FoundStarts:
    """The first `limit` offered starts from `first_from` (default: today) on, within 90 days; with
    `near` those nearest to it, up to a week before and after. Or why there is none. Dates that are
    `kept_free` are passed over."""
    first, _ = intervals.first_free(first_from or local(now, site.zone).date(), kept_free)
    span, farthest = SOON, HORIZON
    if near is not None:
        first, span = local(near, site.zone).date() - NEAR, 2 * NEAR
        farthest = span

    def look(days: timedelta) -> tuple[Loaded, Openings]:
        return _look(
            provider,
            patient=patient,
            site=site,
            version=version,
            areas=areas,
            first_day=first,
            last_day=first + days,
            now=now,
            holding=holding,
            kept_free=kept_free,
        )

    while True:
        days = min(span, farthest)
        loaded, openings = look(days)
        found = np.flatnonzero(openings.feasible)
        if near is not None:
            found = _by_distance(openings, found, near)
        if len(found) >= limit or span >= farthest:
            break
        span *= 2
    if places := tuple(places_for(loaded, openings, found[:limit], {})):
        return FoundStarts(first, first + days, places)
    why = problems.of_days(*look(days + HORIZON), first, first + days)
    return FoundStarts(first, first + days, (), *why)


def starts_between(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    first_day: date,
    last_day: date,
    now: datetime,
    without: Sequence[int] = (),
    holding: Hold | None = None,
    series: TreatmentSeries | None = None,
    body: int | None = None,
) -> list[datetime]:
    """Every offered start (UTC) between two local dates, both included, in order.

    `series` is the one that the visit belongs to, `body` (ticks) its length where that is not the
    usual one; the visits `without` (ids) count as free.
    """
    _, openings = _look(
        None,
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=first_day,
        last_day=last_day,
        now=now,
        without=without,
        holding=holding,
        series_id=series.pk if series else None,
        body=body,
    )
    return [openings.starts_at(int(each)) for each in np.flatnonzero(openings.feasible)]


def place_at(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    starts_at: datetime,
    now: datetime,
    usual: Mapping[str, int],
) -> Place | None:
    """The free place at an offered start, with the `usual` resources by kind where they are free;
    None when there is none."""
    day = local(starts_at, site.zone).date()
    loaded, openings = _look(
        None,
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=day,
        last_day=day,
        now=now,
    )
    position = openings.position(starts_at)
    if position is None or not openings.feasible[position]:
        return None
    return next(places_for(loaded, openings, np.array([position]), usual))


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
    body: int | None = None,
    allowed: Callable[[date], bool] = lambda day: True,
    only: Resource | None = None,
    limit: int = 3,
) -> list[Place]:
    """The offered starts nearest to `near` on the `allowed` days, up to a week before and after.

    With `only` those at which this provider, room or device is free and suits. `series` is the one
    that the visit belongs to, `body` (ticks) its length where that is not the protocol's; the
    visits `without` (ids) count as free.
    """
    middle = local(near, site.zone).date()

    def look(span: timedelta) -> tuple[Loaded, Openings, Ints]:
        loaded, openings = _look(
            only,
            patient=patient,
            site=site,
            version=version,
            areas=areas,
            first_day=middle - span,
            last_day=middle + span,
            now=now,
            without=without,
            holding=holding,
            series_id=series.pk if series else None,
            body=body,
        )
        found = np.flatnonzero(openings.feasible)
        numbers = np.unique(openings.day_of[found])
        right = [number for number in numbers if allowed(openings.days.date_of(number))]
        found = found[np.isin(openings.day_of[found], right)]
        return loaded, openings, _by_distance(openings, found, near)[:limit]

    loaded, openings, found = look(NEXT)
    if len(found) < limit or _reaches(openings, near) < abs(openings.starts_at(found[-1]) - near):
        loaded, openings, found = look(NEAR)
    return list(places_for(loaded, openings, found, {}))


def _reaches(openings: Openings, near: datetime) -> timedelta:
    """How far from `near` there is no start but those of the openings."""
    first, end = (ticks.at(each // TICK_SECONDS) for each in openings.days.begins[[0, -1]])
    return min(near - first, end - near)


def _look(only: Resource | None, **asked: Any) -> tuple[Loaded, Openings]:
    """What `loading.load` finds, and the openings of everybody and everything, or with the `only`
    one of its kind."""
    loaded = load(**asked)
    facts = narrowed(loaded.facts, only) if only else loaded.facts
    return loaded, Openings(facts)


def _by_distance(openings: Openings, positions: Ints, near: datetime) -> Ints:
    off = np.abs(openings.starts[positions] - ticks.floor(near))
    return positions[np.argsort(off, kind="stable")]


def places_for(
    loaded: Loaded, openings: Openings, positions: Ints, usual: Mapping[str, int]
) -> Iterator[Place]:
    """The places at these positions, with the `usual` resources by kind where they are free."""
    body = loaded.facts.need.body * TICK
    chosen = openings.choose_all(positions, usual)
    for number, position in enumerate(positions):
        starts_at = openings.starts_at(int(position))
        held = {kind: int(ids[number]) for kind, ids in chosen.items()}
        yield Place.of(starts_at, starts_at + body, held, loaded.resources)
