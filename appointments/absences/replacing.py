"""Another place for one visit that cannot stay, beside those that were proposed before it.

Loads facts and asks the pure `relocation`; when the visits after it leave no room, the whole rest
of the series is planned anew, as far as it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from appointments.absences import relocation
from appointments.absences.places_so_far import Known, Placed
from appointments.finding import availability, relaxing
from appointments.finding.availability import Openings
from appointments.finding.intervals import Bounds
from appointments.finding.plans import Impossible, Preference, Session, Stay, Wish
from appointments.finding.series_plans import plans
from appointments.lifecycle import Move, State, allowed
from appointments.models import Appointment
from appointments.proposing import problems
from appointments.proposing.loading import Loaded, load
from appointments.proposing.places import Problem
from appointments.proposing.series import HORIZON, last_day
from clinic.protocols import loading as protocols
from clinic.saying import gettext, ngettext
from clinic.wall_time import local

ONE_DAY = timedelta(days=1)
# Free places are looked for so many days around, and then as far as plans look ahead.
NEAR = timedelta(days=21)
# Nobody is asked to come at another time sooner than this.
NOTICE = timedelta(hours=2)


def placed(visit: Appointment, known: Known, *, now: datetime) -> tuple[Placed, ...] | Problem:
    """Another place for the visit, and for later ones of its series if they must move too."""
    was = known.former(visit)
    if (stays := _may_not_move(visit, was)) is not None:
        return stays
    protocol = protocols.get(visit.protocol_version)
    days = {each.session: known.stay(each).day for each in known.series[visit.series_id]}
    others = {session: day for session, day in days.items() if session != visit.session}
    right = relocation.keeps_intervals(protocol, visit.session, others)
    today, soonest = local(now, visit.site.zone).date(), now + NOTICE
    for span in (NEAR, HORIZON):
        first, last = _between(visit.session, was.day, others, span, today)
        loaded = _load(visit, known, [visit], first, last, now)
        facts = relocation.with_taken(loaded.facts, known.taken)
        if span is NEAR and (same := relocation.same_start(facts, was)) is not None:
            return (Placed(visit, same, _same_words(loaded, was, same)),)
        near = relocation.nearest(Openings(facts), was, right, soonest)
        if near is not None:
            return (Placed(visit, near, _near_words(was, near)),)
        if (first, last) == _between(visit.session, was.day, others, HORIZON, today):
            break
    return _rippled(visit, known, others, now=now)


def _may_not_move(visit: Appointment, was: Stay) -> Problem | None:
    here = Bounds(was.day, was.day, was.day)
    if visit.is_locked:
        return Problem(
            visit.session,
            here,
            "locked",
            gettext("This visit is locked, so it keeps its time. Unlock it, then move it."),
        )
    if Move.MOVE not in allowed(State(visit.state)):
        return Problem(
            visit.session,
            here,
            "state",
            gettext("The patient has been checked in. Undo that, then move the visit."),
        )
    return None


def _between(
    session: int, day: date, others: dict[int, date], span: timedelta, today: date
) -> tuple[date, date]:
    """The days to look at: `span` around `day`, between the neighbours, and not in the past."""
    first = max([today, day - span, *(d + ONE_DAY for n, d in others.items() if n < session)])
    last = min([day + span, *(d - ONE_DAY for n, d in others.items() if n > session)])
    return min(first, day), max(last, day)


def _load(
    visit: Appointment,
    known: Known,
    moving: Sequence[Appointment],
    first: date,
    last: date,
    now: datetime,
) -> Loaded:
    return load(
        patient=visit.series.patient,
        site=visit.site,
        version=visit.protocol_version,
        areas=visit.series.areas,
        first_day=first,
        last_day=last,
        now=now,
        without=[each.pk for each in moving] + known.moved_of(visit.series.patient_id),
        series_id=visit.series_id,
        # Room for the longest of them is room for each.
        body=max(each.body for each in moving),
    )


# --- Later visits move along ----------------------------------------------------------------------


def _rippled(
    visit: Appointment, known: Known, others: dict[int, date], *, now: datetime
) -> tuple[Placed, ...] | Problem:
    """The rest of the series from this visit on, planned anew: what still fits stays."""
    was, protocol = known.former(visit), protocols.get(visit.protocol_version)
    today = local(now, visit.site.zone).date()
    rest = [row for row in known.series[visit.series_id] if row.session >= visit.session]
    previous = max(((n, day) for n, day in others.items() if n < visit.session), default=None)
    ideal = Bounds(max(today, was.day - HORIZON), was.day, was.day + HORIZON)
    window = relocation.window_after(protocol, visit.session, previous, ideal)
    if window.earliest > window.latest:
        return problems.no_date(visit.session, window)
    interval = protocol.series.interval
    last = max(
        last_day(window.latest, interval, len(rest) - 1), *(known.stay(row).day for row in rest)
    )
    loaded = _load(visit, known, [row for row in rest if _moves(row)], window.earliest, last, now)
    facts = replace(relocation.with_taken(loaded.facts, known.taken), not_before=now + NOTICE)
    wish = Wish(
        tuple(_session(row, row == visit, known, facts) for row in rest),
        window,
        interval,
        _at_the_same_time(was, visit.site.zone),
        loaded.weights,
        before=_before(visit, known, previous),
    )
    found = plans(facts, wish, most=1)
    if isinstance(found, Impossible):
        ways = relaxing.ways_out(facts, facts, wish, found)
        return problems.of(loaded, facts, found, ways)
    rows = {row.session: row for row in rest}
    lines = (
        Placed(
            rows[each.session],
            Stay(each.day, each.starts_at, dict(each.resources)),
            each.reasons,
        )
        for each in found[0].visits
    )
    return tuple(
        each for each in lines if each.visit == visit or each.stay != known.stay(each.visit)
    )


def _session(row: Appointment, is_free: bool, known: Known, facts: availability.Facts) -> Session:
    stay = known.stay(row)
    if is_free:
        return Session(row.session)
    if not _moves(row):
        return Session(row.session, fixed=stay)
    fits = availability.fits(facts, stay.starts_at, stay.resources)
    return Session(row.session, present=stay if fits else None)


def _before(visit: Appointment, known: Known, previous: tuple[int, date] | None) -> Stay | None:
    rows = known.series[visit.series_id]
    return next((known.stay(row) for row in rows if previous and row.session == previous[0]), None)


def _at_the_same_time(was: Stay, zone: str) -> Preference:
    there = local(was.starts_at, zone)
    minute = there.hour * 60 + there.minute
    return Preference(earliest=minute, latest=minute)


def _moves(row: Appointment) -> bool:
    return not row.is_locked and Move.MOVE in allowed(State(row.state))


# --- In words -------------------------------------------------------------------------------------


def _same_words(loaded: Loaded, was: Stay, now: Stay) -> tuple[str, ...]:
    changed = [
        loaded.resources[pk].name
        for kind, pk in now.resources.items()
        if was.resources.get(kind) != pk
    ]
    return (
        gettext("The same time, with %(names)s.") % {"names": gettext(" and ").join(changed)}
        if changed
        else gettext("The same place."),
    )


def _near_words(was: Stay, now: Stay) -> tuple[str, ...]:
    off = (now.day - was.day).days
    if off == 0:
        when = gettext("the same day")
    elif off > 0:
        when = ngettext("%(count)s day later", "%(count)s days later", off) % {"count": off}
    else:
        when = ngettext("%(count)s day earlier", "%(count)s days earlier", -off) % {"count": -off}
    return (gettext("The nearest free start that keeps the intervals: %(when)s.") % {"when": when},)
