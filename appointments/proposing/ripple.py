"""A series planned anew when some of its visits get another place.

Later visits that still fit stay where they are; the others get the best place that is left.
Done, locked and present visits never move.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime

from appointments.finding import availability, plan_words
from appointments.finding.intervals import Bounds, bounds, interval_breaches
from appointments.finding.needs import Need, body_after, need_of
from appointments.finding.plans import Impossible, Plan, Planned, Session, Stay, Wish
from appointments.finding.series_plans import plans
from appointments.finding.ticks import TICK
from appointments.lifecycle import Move, State, allowed
from appointments.models import Appointment, Hold, TreatmentSeries
from appointments.proposing import problems, standing
from appointments.proposing.loading import Loaded, load
from appointments.proposing.places import Place, Replan, ReplanLine, VisitWish
from appointments.proposing.series import HORIZON, last_day
from clinic.models import ProtocolVersion, Resource
from clinic.protocols import loading as protocols
from clinic.wall_time import local

Visits = Mapping[int, tuple[Appointment, Stay]]


def replan(
    *,
    series: TreatmentSeries,
    wished: Mapping[int, VisitWish],
    now: datetime,
    version: ProtocolVersion | None = None,
    holding: Hold | None = None,
) -> Replan:
    """The visits from the first wished session on, each with its place now and then.

    `wished` are new places by session. Without any, all visits to come are looked at: `version`
    is then another version of the protocol, by whose length and intervals they must fit.

    Raises the interval's refusal when the first wished date does not keep it to the session
    before, which stays: no plan for the later ones could mend that.
    """
    version = version or series.protocol_version
    visits = _standing(series)
    first = min(wished) if wished else _first_to_come(visits)
    looked = {session: both for session, both in visits.items() if first and session >= first}
    if not looked:
        return Replan()
    loaded = _load(series, version, looked, wished, now, holding)
    wish = _wish(loaded, version, visits, looked, wished)
    _keeps_to_the_one_before(loaded, visits, wish)
    found = plans(loaded.facts, wish, most=1)
    if isinstance(found, Impossible):
        return Replan(problem=problems.of(loaded, loaded.facts, found, ()))
    return Replan(_lines(loaded, version, found[0], visits, looked, wish, wished))


def _standing(series: TreatmentSeries) -> dict[int, tuple[Appointment, Stay]]:
    rows = series.appointments.exclude(state__in=(State.CANCELLED, State.NO_SHOW))
    places = ((row, standing.stay_of(row)) for row in rows.order_by("session"))
    return {row.session: (row, place) for row, place in places if place is not None}


def _first_to_come(visits: Visits) -> int | None:
    coming = (session for session, (visit, _) in visits.items() if _may_move(visit))
    return min(coming, default=None)


def _may_move(visit: Appointment) -> bool:
    return not visit.is_locked and Move.MOVE in allowed(State(visit.state))


def _load(
    series: TreatmentSeries,
    version: ProtocolVersion,
    looked: Visits,
    wished: Mapping[int, VisitWish],
    now: datetime,
    holding: Hold | None,
) -> Loaded:
    zone, today = series.site.zone, local(now, series.site.zone).date()
    days = [_day(wished[each].starts_at, zone) for each in wished]
    stays = [stay.day for _, stay in looked.values()]
    begins = min(days, default=max(today, min(stays)))
    interval = protocols.get(version).series.interval
    return load(
        patient=series.patient,
        site=series.site,
        version=version,
        areas=series.areas,
        first_day=begins,
        last_day=max(*days, *stays, last_day(max([begins, *days]), interval, len(looked) - 1)),
        now=now,
        without=[visit.pk for visit, _ in looked.values() if _may_move(visit)],
        holding=holding,
        series_id=series.pk,
        # Room for the longest of them is room for each.
        body=max((_body(visit, version) for visit, _ in looked.values()), default=None),
    )


def _body(visit: Appointment, version: ProtocolVersion) -> int:
    """The length of a visit (ticks) by that version."""
    old, new = protocols.get(visit.protocol_version), protocols.get(version)
    return body_after(old, new, visit.series.areas, visit.body)


def _wish(
    loaded: Loaded,
    version: ProtocolVersion,
    visits: Visits,
    looked: Visits,
    wished: Mapping[int, VisitWish],
) -> Wish:
    zone = loaded.facts.site.zone
    sessions = []
    for number, (visit, stay) in looked.items():
        if number in wished:
            place = wished[number]
            moved = Stay(_day(place.starts_at, zone), place.starts_at, place.resources)
            sessions.append(Session(number, fixed=moved))
        elif not _may_move(visit):
            sessions.append(Session(number, fixed=stay))
        else:
            need = replace(loaded.facts.need, body=_body(visit, version))
            fits = (not wished and _needed(visit) == need) or availability.fits(
                replace(loaded.facts, need=need), stay.starts_at, stay.resources
            )
            sessions.append(Session(number, present=stay if fits else None))
    before = max((number for number in visits if number < sessions[0].number), default=None)
    first, interval = loaded.facts.first_day, loaded.protocol.series.interval
    window = Bounds(first, first, first + HORIZON)
    previous = visits[before][1] if before is not None else None
    if previous is not None and interval is not None:
        window = _window(loaded, previous, sessions[0].number - (before or 0))
    return Wish(tuple(sessions), window, interval, weights=loaded.weights, before=previous)


def _keeps_to_the_one_before(loaded: Loaded, visits: Visits, wish: Wish) -> None:
    """A visit that keeps its date was right when it was booked."""
    first, earlier = (
        wish.sessions[0],
        [number for number in visits if number < wish.sessions[0].number],
    )
    if first.fixed is None or not earlier or first.fixed.day == visits[first.number][1].day:
        return
    before = max(earlier)
    days = [(before, visits[before][1].day), (first.number, first.fixed.day)]
    for _, refusal in interval_breaches(days, loaded.protocol):
        raise refusal


def _needed(visit: Appointment) -> Need:
    """What the visit has. Where another version asks for just that, nothing of it has to be right
    again, though it lies over another visit or under a block."""
    return need_of(protocols.get(visit.protocol_version), visit.series.areas, visit.body)


def _window(loaded: Loaded, previous: Stay, steps: int) -> Bounds:
    interval, first = loaded.protocol.series.interval, loaded.facts.first_day
    assert interval is not None
    due = bounds(previous.day, interval)
    latest = previous.day + steps * (due.latest - previous.day)
    return Bounds(max(first, due.earliest), max(first, due.ideal), max(first, latest))


def _lines(
    loaded: Loaded,
    version: ProtocolVersion,
    plan: Plan,
    visits: Visits,
    looked: Visits,
    wish: Wish,
    wished: Collection[int],
) -> tuple[ReplanLine, ...]:
    ids = {each for _, stay in looked.values() for each in stay.resources.values()}
    ids |= {each for visit in plan.visits for each in visit.resources.values()}
    rows = {**loaded.resources, **Resource.objects.in_bulk(ids - set(loaded.resources))}
    days = [wish.before.day if wish.before else None, *(visit.day for visit in plan.visits)]
    lines = []
    for before, visit in zip(days, plan.visits, strict=False):
        appointment, stay = looked[visit.session]
        lines.append(
            ReplanLine(
                session=visit.session,
                appointment=appointment,
                before=Place.of(stay.starts_at, appointment.ends_at, stay.resources, rows),
                after=Place.of(
                    visit.starts_at,
                    _ends(version, visit.starts_at, appointment),
                    visit.resources,
                    rows,
                ),
                interval_days=(visit.day - before).days if before else None,
                bounds=_bounds(loaded, visit, before, visits),
                reasons=visit.reasons if visit.session not in wished else (plan_words.CHOSEN,),
            )
        )
    return tuple(lines)


def _bounds(loaded: Loaded, visit: Planned, before: date | None, visits: Visits) -> Bounds:
    """The dates that the protocol allows, also where the planner had less to choose from."""
    interval = loaded.protocol.series.interval
    if before is None or interval is None:
        return visit.bounds
    due = bounds(before, interval)
    last = max((number for number in visits if number < visit.session), default=visit.session - 1)
    # A session that was left out in between accounts for a longer gap.
    latest = before + (due.latest - before) * (visit.session - last)
    return Bounds(due.earliest, due.ideal, latest)


def _ends(version: ProtocolVersion, starts_at: datetime, visit: Appointment) -> datetime:
    """A visit that may not move keeps its length too."""
    if not _may_move(visit) and visit.starts_at == starts_at:
        return visit.ends_at
    return starts_at + _body(visit, version) * TICK


def _day(at: datetime, zone: str) -> date:
    return local(at, zone).date()
