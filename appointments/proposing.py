"""Proposes places: whole series by the protocol's intervals, and the free starts of a day.

Loads facts, calls the pure planner, gives back rows. Nothing is held by a proposal: `booking`
checks again, and the database decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta

from appointments import intervals, standing
from appointments.availability import (
    DEVICE,
    OFFERED_EVERY,
    PROVIDER,
    ROOM,
    Day,
    Facts,
)
from appointments.availability import (
    day as day_of,
)
from appointments.bitsets import TICK, ones
from appointments.intervals import Bounds
from appointments.loading import Loaded, load
from appointments.models import Appointment, TreatmentSeries
from appointments.places import DayStarts, Place, Problem, Proposal, ProposedVisit
from appointments.series_plans import Impossible, Planned, Preference, Usual, Wish, plan
from clinic.hours import format_day, local, shifted_day
from clinic.models import ProtocolVersion, Resource, Site
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Interval
from patients.models import Patient

ONE_DAY = timedelta(days=1)
ANY = Preference()

# How far ahead the first visit of a series, and the first free starts, are looked for.
HORIZON = timedelta(days=90)


def propose_series(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    sessions: int,
    now: datetime,
    first_from: date | None = None,
    provider: Resource | None = None,
    preference: Preference = ANY,
) -> Proposal:
    """Dates for a new series: the first visit from `first_from` (default: tomorrow) on, within
    90 days, each next one near its ideal date. With `provider`, every visit is theirs."""
    first = first_from or local(now, site.zone).date() + ONE_DAY
    window = Bounds(first, first, first + HORIZON)
    loaded = _loaded(patient, site, version, areas, window, sessions - 1, now, provider)
    wish = Wish(1, sessions, window, loaded.protocol.series.interval, preference)
    return _proposal(loaded, wish, None)


def propose_next(
    *,
    series: TreatmentSeries,
    now: datetime,
    provider: Resource | None = None,
    preference: Preference = ANY,
) -> Proposal:
    """A date for the visit that `booking.add_visit` would book next: the lowest session number
    without a visit, in the interval to its neighbours on both sides."""
    site, today = series.site, local(now, series.site.zone).date()
    session, days = standing.free_session(series), standing.days_of(series, {})
    previous = max((pair for pair in days if pair[0] < session), default=None)
    following = min((pair for pair in days if pair[0] > session), default=None)
    interval = protocols.get(series.protocol_version).series.interval
    window = Bounds(today, today, today + HORIZON)
    if interval is not None and (previous or following):
        due = intervals.bounds_between(
            previous and previous[1], following and following[1], interval
        )
        # An overdue visit is due today: a longer interval is for a clinician to review.
        latest = max(due.latest, today) if following is None else due.latest
        window = Bounds(max(due.earliest, today), max(due.ideal, today), latest)
    loaded = _loaded(
        series.patient,
        site,
        series.protocol_version,
        series.areas,
        window,
        0,
        now,
        provider,
        series_id=series.pk,
    )
    usual = Usual()
    if previous is not None:
        before = series.appointments.standing().get(session=previous[0])
        usual = _usual(before, site.zone)
    wish = Wish(session, session, window, interval, preference, usual)
    return _proposal(loaded, wish, previous and previous[1])


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
        provider=provider,
        without=moving,
        series_id=moving.series_id if moving else None,
    )
    usual = _usual(moving, site.zone) if moving else Usual()
    free = day_of(loaded.facts, day)
    places = tuple(_places(loaded, free, usual))
    return DayStarts(day, places, "" if places else _why_none(loaded.facts, free))


def first_starts(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    now: datetime,
    first_from: date | None = None,
    provider: Resource | None = None,
    limit: int = 20,
) -> list[Place]:
    """The first `limit` offered starts from `first_from` (default: today) on, within 90 days."""
    first = first_from or local(now, site.zone).date()
    loaded = load(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=first,
        last_day=first + HORIZON,
        now=now,
        provider=provider,
    )
    found: list[Place] = []
    for number in range(HORIZON.days + 1):
        found += _places(loaded, day_of(loaded.facts, first + number * ONE_DAY), Usual())
        if len(found) >= limit:
            break
    return found[:limit]


def nearest_starts(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    near: datetime,
    now: datetime,
    moving: Appointment | None = None,
    series: TreatmentSeries | None = None,
    allowed: Callable[[date], bool] = lambda day: True,
    limit: int = 3,
    days: int = 7,
) -> list[Place]:
    """The offered starts nearest to `near` on the `allowed` days, up to `days` before and after.

    `series` is the one that the visit belongs to, `moving` the visit itself if it has a place.
    """
    middle = local(near, site.zone).date()
    loaded = load(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=middle - days * ONE_DAY,
        last_day=middle + days * ONE_DAY,
        now=now,
        without=moving,
        series_id=series.pk if series else None,
    )
    found: list[Place] = []
    for off in range(days + 1):
        # A start on a day further away is never nearer than the ones of the days before it.
        for on in filter(allowed, {middle - off * ONE_DAY, middle + off * ONE_DAY}):
            found += _places(loaded, day_of(loaded.facts, on), Usual())
        if off and len(found) >= limit:
            break
    return sorted(found, key=lambda place: (abs(place.starts_at - near), place.starts_at))[:limit]


# --- From facts to rows ---------------------------------------------------------------------------


def _loaded(
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    window: Bounds,
    following: int,
    now: datetime,
    provider: Resource | None,
    series_id: int | None = None,
) -> Loaded:
    """The facts from `window` to the latest date of the `following` sessions after it."""
    interval = protocols.get(version).series.interval
    last = window.latest
    for _ in range(following):
        last = _latest_after(last, interval)
    return load(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=window.earliest,
        last_day=last,
        now=now,
        provider=provider,
        series_id=series_id,
    )


def _latest_after(previous: date, interval: Interval | None) -> date:
    return shifted_day(previous, interval.max) if interval else previous + HORIZON


def _proposal(loaded: Loaded, wish: Wish, previous: date | None) -> Proposal:
    found = plan(loaded.facts, wish)
    if isinstance(found, Impossible):
        return Proposal(problem=_problem(loaded, found))
    days = [previous, *(visit.day for visit in found)]
    return Proposal(
        tuple(
            ProposedVisit(
                session=visit.session,
                place=_planned_place(loaded, visit),
                interval_days=(visit.day - before).days if before else None,
                bounds=visit.bounds,
                reasons=visit.reasons,
            )
            for before, visit in zip(days, found, strict=False)
        )
    )


def _planned_place(loaded: Loaded, visit: Planned) -> Place:
    return _place(loaded, visit.starts_at, visit.ends_at, visit.resources)


def _place(loaded: Loaded, starts_at: datetime, ends_at: datetime, chosen: dict[str, int]) -> Place:
    device = chosen.get(DEVICE)
    return Place(
        starts_at,
        ends_at,
        loaded.resources[chosen[PROVIDER]],
        loaded.resources[chosen[ROOM]],
        loaded.resources[device] if device is not None else None,
    )


def _places(loaded: Loaded, free: Day, usual: Usual) -> Iterator[Place]:
    wished = {PROVIDER: usual.provider, ROOM: usual.room, DEVICE: usual.device}
    for bit in ones(free.feasible & free.grid.every(OFFERED_EVERY)):
        chosen = free.choose(bit, wished)
        if chosen is not None:
            starts_at = free.grid.at(bit)
            yield _place(loaded, starts_at, starts_at + loaded.facts.need.body * TICK, chosen)


def _usual(visit: Appointment, zone: str) -> Usual:
    """Who and what a visit holds, and its time of day."""
    rows = visit.allocations.filter(active=True).values_list("resource__kind", "resource_id")
    held: dict[str, int] = dict(rows)
    there = local(visit.starts_at, zone)
    return Usual(
        held.get(PROVIDER),
        held.get(ROOM),
        held.get(DEVICE),
        there.hour * 60 + there.minute,
    )


# --- Why there is none ----------------------------------------------------------------------------

_NONE_FREE = {
    PROVIDER: "no provider with a valid credential is free long enough",
    ROOM: "no room of the right kind is free long enough",
    DEVICE: "no device is free long enough",
    "patient": "the patient has other visits then",
    "site": "the site is closed",
    "spacing": "it would be too near to another treatment",
    "past": "those dates are past",
}


def _problem(loaded: Loaded, found: Impossible) -> Problem:
    if found.bounds.earliest > found.bounds.latest:
        return Problem(
            found.session,
            found.bounds,
            "interval",
            f"No date for session {found.session} keeps the interval to the sessions before and"
            " after it. Move one of those first.",
        )
    first, last = format_day(found.bounds.earliest), format_day(found.bounds.latest)
    between = f"on {first}" if first == last else f"between {first} and {last}"
    return Problem(
        found.session,
        found.bounds,
        found.binding,
        f"Session {found.session} finds no place {between}:"
        f" {_lacking(loaded.facts, found.binding)}.",
    )


def _why_none(facts: Facts, free: Day) -> str:
    if free.barred is not None:
        return free.barred[1]
    binding = free.why_none()
    if binding is None:
        return f"On {format_day(free.day)} there is a place, but none on a quarter of an hour."
    return f"On {format_day(free.day)} {_lacking(facts, binding)}."


def _lacking(facts: Facts, binding: str) -> str:
    if facts.pools.get(binding) == ():
        return f"{facts.site.name} has no suitable {binding}"
    return _NONE_FREE[binding]
