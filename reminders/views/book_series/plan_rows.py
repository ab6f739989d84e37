"""The chosen places of a series as rows: who and where, and each interval against its bounds.

Owns nothing but the looking up; the rules are those of `appointments.finding.intervals`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from appointments.finding.intervals import Bounds, bounds, interval_breaches
from appointments.finding.needs import need_of
from appointments.finding.ticks import TICK
from appointments.proposing.loading import eligible_at
from appointments.proposing.places import Place, ProposedPlan, ProposedVisit, VisitWish
from appointments.refusals import Refused
from clinic.models import ProtocolVersion, Resource, Site
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.wall_time import local
from reminders.journeys.preview import ImaginedVisit
from reminders.views.book_series import draft as drafts


@dataclass(frozen=True, slots=True)
class Row:
    """One visit of the plan. `day` is the local date, `days` the local dates since the session
    before; `bounds` and `days` are None for the first, and where the protocol has no interval."""

    session: int
    place: Place
    day: date
    written: str
    days: int | None = None
    bounds: Bounds | None = None
    least: int = 0
    ideal: int = 0
    most: int = 0
    reasons: tuple[str, ...] = ()
    breach: Refused | None = None

    @property
    def imagined(self) -> ImaginedVisit:
        return ImaginedVisit(self.place.starts_at, self.place.ends_at)


def laid_out(
    wishes: Sequence[VisitWish],
    *,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    proposed: Sequence[ProposedVisit] = (),
) -> list[Row]:
    """A row for each of `wishes`, in order; none when one names a resource that does not fit.

    `proposed` are the visits of the proposal that the wishes came from, for their reasons.
    """
    protocol = protocols.get(version)
    rows = Resource.objects.filter(eligible_at(site, protocol), is_active=True).in_bulk()
    places = [_place(wish, rows, protocol, areas) for wish in wishes]
    days = [local(wish.starts_at, site.zone).date() for wish in wishes]
    breaches = dict(interval_breaches(list(enumerate(days, 1)), protocol))
    reasons = {visit.session: visit.reasons for visit in proposed}
    return [
        _row(session, place, days, protocol, breaches, reasons)
        for session, place in enumerate(places, 1)
        if place is not None and None not in places
    ]


def _place(
    wish: VisitWish, rows: Mapping[int, Resource], protocol: Protocol, areas: Sequence[str]
) -> Place | None:
    device = rows.get(wish.device_id) if wish.device_id is not None else None
    if wish.provider_id not in rows or wish.room_id not in rows:
        return None
    if (wish.device_id is None) != (device is None):
        return None
    return Place(
        wish.starts_at,
        wish.starts_at + need_of(protocol, areas).body * TICK,
        rows[wish.provider_id],
        rows[wish.room_id],
        device,
    )


def _row(
    session: int,
    place: Place,
    days: Sequence[date],
    protocol: Protocol,
    breaches: Mapping[int, Refused],
    reasons: Mapping[int, tuple[str, ...]],
) -> Row:
    day, interval = days[session - 1], protocol.series.interval
    about = {
        "session": session,
        "place": place,
        "day": day,
        "written": drafts.written(place.wish),
        "reasons": reasons.get(session, ()),
        "breach": breaches.get(session),
    }
    if session == 1 or interval is None:
        return Row(**about)  # type: ignore[arg-type]
    before = days[session - 2]
    due = bounds(before, interval)
    return Row(
        **about,  # type: ignore[arg-type]
        days=(day - before).days,
        bounds=due,
        least=(due.earliest - before).days,
        ideal=(due.ideal - before).days,
        most=(due.latest - before).days,
    )


@dataclass(frozen=True, slots=True)
class RankedPlan:
    """One of the proposed plans, `rank` from 1: its visits, and all of them as a parameter.
    `is_shown` when its places are those that are looked at."""

    rank: int
    visits: tuple[ProposedVisit, ...]
    points: float
    reasons: tuple[str, ...]
    written: str
    is_shown: bool

    @property
    def days(self) -> list[int]:
        """The local days from each visit to the next."""
        return [visit.interval_days for visit in self.visits[1:] if visit.interval_days]

    @property
    def providers(self) -> list[str]:
        return list(dict.fromkeys(visit.provider.name for visit in self.visits))


def ranked(plans: Sequence[ProposedPlan], wishes: Sequence[VisitWish]) -> list[RankedPlan]:
    """The plans in order of rank; `wishes` are the places that are looked at."""
    return [
        RankedPlan(
            rank,
            plan.visits,
            plan.points,
            plan.reasons,
            " ".join(drafts.written(visit.wish) for visit in plan.visits),
            [visit.wish for visit in plan.visits] == list(wishes),
        )
        for rank, plan in enumerate(plans, 1)
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """A free start that may be chosen: its place, and the place as a parameter."""

    place: Place
    written: str


def choices(places: Sequence[Place]) -> list[Choice]:
    return [Choice(place, drafts.written(place.wish)) for place in places]


def session_at(wishes: Sequence[VisitWish], start: datetime) -> int | None:
    """The session that begins at `start`."""
    starts = [wish.starts_at for wish in wishes]
    return starts.index(start) + 1 if start in starts else None
