"""Dates for a new series, or for the next visit of one: ranked plans, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from appointments.finding import free_times, intervals, relaxing
from appointments.finding.availability import Facts
from appointments.finding.free_times import FreeTime
from appointments.finding.intervals import Bounds, Spaced
from appointments.finding.plans import Impossible, Plan, Preference, Session, Wish
from appointments.finding.series_plans import MOST_PLANS, plans
from appointments.models import Hold, TreatmentSeries
from appointments.proposing import problems, standing
from appointments.proposing.loading import Loaded, load
from appointments.proposing.places import Place, Proposal, ProposedPlan, ProposedVisit
from clinic.models import ProtocolVersion, Resource, Site
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Interval
from clinic.wall_time import local, shifted_day
from patients.models import Patient

ONE_DAY = timedelta(days=1)
ANY = Preference()

# How far ahead the first visit of a series is looked for, and at most the last.
HORIZON = timedelta(days=90)
LONGEST = timedelta(days=3 * 366)


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
    free_time: FreeTime | None = None,
    holding: Hold | None = None,
    kept_free: Sequence[Spaced] = (),
    most: int = MOST_PLANS,
) -> Proposal:
    """Up to `most` clearly different plans for a new series, the best first.

    The first visit lies within 90 days from `first_from` (default: the day of `free_time`, else
    tomorrow), the last within three years. It lies in `free_time` where that is possible; else the
    proposal says why not, and is what it would be without. With `provider`, every visit is theirs.
    What `holding` holds counts as free. No visit lies on dates that are `kept_free`; the proposal
    says what moved its beginning.
    """
    first = first_from or local(now, site.zone).date() + ONE_DAY
    if free_time is not None and first_from is None:
        first = local(free_time.starts_at, site.zone).date()
    first, passed = intervals.first_free(first, kept_free)
    window = Bounds(first, first, first + HORIZON)
    interval = protocols.get(version).series.interval
    loaded = load(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        first_day=first,
        last_day=last_day(window.latest, interval, sessions - 1),
        now=now,
        holding=holding,
        kept_free=kept_free,
    )
    shifted = tuple(each.sentence for each in passed)
    wish = Wish.new(sessions, window, interval, preference=preference, weights=loaded.weights)
    if free_time is None:
        return replace(_proposal(loaded, provider, wish, most), shifted=shifted)
    facts = _asked(loaded, provider)
    found = free_times.plans_in(facts, wish, free_time, most)
    if isinstance(found, list):
        return Proposal(tuple(_proposed(loaded, plan, wish) for plan in found), shifted=shifted)
    unmet = problems.of_free_time(loaded, facts, free_time, found)
    return replace(_proposal(loaded, provider, wish, most), unmet=unmet, shifted=shifted)


def propose_next(
    *,
    series: TreatmentSeries,
    now: datetime,
    provider: Resource | None = None,
    preference: Preference = ANY,
    holding: Hold | None = None,
    kept_free: Sequence[Spaced] = (),
    most: int = MOST_PLANS,
) -> Proposal:
    """Dates for the visit that `booking.add_visit` would book next: the lowest session number
    without a visit, in the interval to its neighbours on both sides, on no date that is
    `kept_free`."""
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
    if window.earliest > window.latest:
        return Proposal(problem=problems.no_date(session, window))
    loaded = load(
        patient=series.patient,
        site=site,
        version=series.protocol_version,
        areas=series.areas,
        first_day=window.earliest,
        last_day=window.latest + HORIZON,
        now=now,
        holding=holding,
        series_id=series.pk,
        kept_free=kept_free,
    )
    wish = Wish(
        (Session(session),),
        window,
        interval,
        preference,
        loaded.weights,
        before=standing.place_of(series, previous[0]) if previous else None,
    )
    return _proposal(loaded, provider, wish, most)


def last_day(first: date, interval: Interval | None, following: int) -> date:
    """The latest date of the session that is `following` sessions after one on `first`."""
    last = first
    for _ in range(following):
        last = shifted_day(last, interval.max) if interval else last + HORIZON
    return min(last, first + LONGEST)


def _proposal(loaded: Loaded, provider: Resource | None, wish: Wish, most: int) -> Proposal:
    facts = _asked(loaded, provider)
    found = plans(facts, wish, most)
    if isinstance(found, Impossible):
        ways = relaxing.ways_out(facts, loaded.facts, wish, found)
        return Proposal(problem=problems.of(loaded, facts, found, ways))
    return Proposal(tuple(_proposed(loaded, plan, wish) for plan in found))


def _asked(loaded: Loaded, provider: Resource | None) -> Facts:
    return loaded.facts if provider is None else narrowed(loaded.facts, provider)


def narrowed(facts: Facts, only: Resource) -> Facts:
    """The same facts with one resource of its kind to choose from, if it suits at all."""
    suiting = (only.pk,) if only.pk in facts.pools.get(only.kind, ()) else ()
    return replace(facts, pools={**facts.pools, only.kind: suiting})


def _proposed(loaded: Loaded, plan: Plan, wish: Wish) -> ProposedPlan:
    days = [wish.before.day if wish.before else None, *(visit.day for visit in plan.visits)]
    visits = tuple(
        ProposedVisit(
            session=visit.session,
            place=Place.of(visit.starts_at, visit.ends_at, visit.resources, loaded.resources),
            interval_days=(visit.day - before).days if before else None,
            bounds=visit.bounds,
            points=visit.points,
            reasons=visit.reasons,
        )
        for before, visit in zip(days, plan.visits, strict=False)
    )
    return ProposedPlan(visits, plan.points, plan.reasons)
