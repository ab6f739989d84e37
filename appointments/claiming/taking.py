"""The claim of one act on places: what it wants held, and what its loser is told.

Shared by booking and moving. Refuses to decide whether a place is right (`checking`) and to
know how it is locked (`allocating`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NoReturn

from appointments import proposing
from appointments.claiming import allocating, checking, elsewhere
from appointments.claiming.allocating import Collision, Held, Lost
from appointments.finding import availability
from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, Need, need_of
from appointments.finding.ticks import TICK
from appointments.lifecycle import State
from appointments.models import Appointment, Hold, HoldPurpose, TreatmentSeries
from appointments.proposing import loading, standing
from appointments.proposing.loading import Loaded
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused, SlotHeld, SlotTaken, StaleVersion
from clinic import statements
from clinic.models import ProtocolVersion, Resource, Site, Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language
from clinic.saying_times import format_when
from clinic.wall_time import local
from patients.models import Patient


@dataclass(slots=True)
class Claim:
    """Places for visits of one series that are to be held together.

    `sessions` are their numbers, from 1 on when left out. `series` is theirs if it exists
    already, `moving` are the visits themselves if they have places, which then count as free.
    Those at the places `stays` keep all that they hold, so nothing is claimed for them. `hold`
    keeps the new places until they are claimed; without one it is what `holder` keeps for the
    patient by then. With `overlap` the claim may lie over visits of others: once it was taken,
    `over` is what it came to lie over, and `lost_to` what it was refused for. `body` (ticks) is
    how long each visit is, where that is not what the protocol asks for.
    """

    patient: Patient
    site: Site
    version: ProtocolVersion
    areas: Sequence[str]
    visits: Sequence[VisitWish]
    sessions: Sequence[int] = ()
    series: TreatmentSeries | None = None
    moving: Sequence[Appointment] = ()
    stays: frozenset[int] = frozenset()
    hold: Hold | None = None
    holder: Staff | None = None
    overlap: bool = False
    over: Sequence[Collision] = ()
    lost_to: Sequence[Collision] = ()
    body: int | None = None
    need: Need = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = self.sessions or range(1, len(self.visits) + 1)
        self.need = need_of(protocols.get(self.version), self.areas, self.body)

    @property
    def leaving(self) -> list[Appointment]:
        """The visits that give up their places."""
        return [visit for number, visit in enumerate(self.moving) if number not in self.stays]

    def days(self) -> list[tuple[int, date]]:
        """(session, local date) of the series as it would stand with these visits, in order."""
        starts = {n: wish.starts_at for n, wish in zip(self.sessions, self.visits, strict=True)}
        if self.series is not None:
            return standing.days_of(self.series, starts)
        return [(n, local(at, self.site.zone).date()) for n, at in starts.items()]

    @property
    def wanted(self) -> list[Held]:
        """Every resource of every visit that is to be claimed, for its whole time with set-up and
        clean-up.

        Resources of kinds that the protocol does not need are left to `checking` to refuse.
        """
        need = self.need
        return [
            Held(resource, need.held(kind, wish.starts_at), number)
            for number, wish in enumerate(self.visits)
            for kind, resource in self._resources(wish).items()
            if kind in need.windows and resource is not None and number not in self.stays
        ]

    def _resources(self, wish: VisitWish) -> dict[str, int | None]:
        return {
            PROVIDER: wish.provider_id,
            ROOM: wish.room_id,
            DEVICE: wish.device_id,
            PATIENT: self.patient.resource_id,
        }

    def load(self, *, now: datetime) -> Loaded:
        """The facts to check the visits against, for the wished resources alone."""
        days = [local(wish.starts_at, self.site.zone).date() for wish in self.visits]
        ids = {each for wish in self.visits for each in self._resources(wish).values() if each}
        return loading.load(
            patient=self.patient,
            site=self.site,
            version=self.version,
            areas=self.areas,
            first_day=min(days),
            last_day=max(days),
            now=now,
            only=ids,
            series_id=self.series.pk if self.series else None,
            body=self.body,
            with_busy=False,
        )

    def book(
        self,
        series: TreatmentSeries,
        *,
        now: datetime,
        overrides: Mapping[int, Sequence[str]],
        reason: str,
    ) -> list[Appointment]:
        """Write the visits and what they hold; `overrides` are the codes of the refusals that
        `reason` let pass, by session."""
        booked = [
            Appointment(
                series=series,
                site=self.site,
                protocol_version=self.version,
                session=session,
                state=State.BOOKED,
                starts_at=wish.starts_at,
                ends_at=wish.starts_at + self.need.body * TICK,
                booked_at=now,
                scheduled_at=now,
                override_reason=reason if overrides.get(session) else "",
                overrides=list(overrides.get(session, ())),
            )
            for session, wish in zip(self.sessions, self.visits, strict=True)
        ]
        statements.add(*booked)
        wanted = self.wanted
        owners = [booked[held.visit] for held in wanted]
        allocating.hold(wanted, owners, deliberate=[each.held for each in self.over])
        return booked

    def may_lie_over(self, each: Collision) -> bool:
        """Whether it is a visit of others; no patient is ever in two places."""
        return each.visit_id is not None and each.held.resource_id != self.patient.resource_id

    def sessions_over(self) -> list[int]:
        """The sessions that came to lie over other visits."""
        return sorted({self.sessions[each.held.visit] for each in self.over})

    def trace_over(self) -> dict[str, list[int]]:
        """The ids of the visits that it came to lie over, for the audit."""
        visits = sorted({each.visit_id for each in self.over if each.visit_id is not None})
        return {"over": visits} if visits else {}


def take(*claims: Claim, now: datetime, also: Iterable[int] = ()) -> None:
    """Lock the resources of all claims (and `also` those given up) and let go of their holds;
    `Lost` when one is already held by another than the visits that are moving, unless it is a
    visit that the claim may lie over."""
    # From here on nobody else takes or keeps anything for these patients. What their clerks keep
    # is asked now and not before: another window of theirs may just have put it elsewhere.
    allocating.lock(claim.patient.resource_id for claim in claims)
    for claim in claims:
        if claim.hold is None and claim.holder is not None:
            claim.hold = Hold.objects.plan_of(claim.holder, claim.patient)
    wanted = [held for claim in claims for held in claim.wanted]
    holds = {claim.hold.pk: claim.hold for claim in claims if claim.hold is not None}.values()
    kept = allocating.held_by(*holds) if holds else ()
    allocating.lock([*(held.resource_id for held in wanted), *also, *kept])
    for hold in holds:
        allocating.let_go(hold, now=now)
    leaving = [visit for claim in claims for visit in claim.leaving]
    for claim in claims:
        found = allocating.clear_the_way(claim.wanted, now=now, without=leaving)
        claim.over = [each for each in found if claim.overlap and claim.may_lie_over(each)]
        claim.lost_to = [each for each in found if each not in claim.over]
    if any(claim.lost_to for claim in claims):
        raise Lost


def keep(claims: Sequence[Claim]) -> None:
    """Hold the places of visits that have rows already. Raises Lost."""
    pairs = [(held, claim.moving[held.visit]) for claim in claims for held in claim.wanted]
    allocating.hold(
        [held for held, _ in pairs],
        [visit for _, visit in pairs],
        deliberate=[each.held for claim in claims for each in claim.over],
    )


def wish_for_move(
    appointment: Appointment,
    starts_at: datetime,
    named: Mapping[str, int | None],
    *,
    now: datetime,
    partner: Appointment | None = None,
    holding: Hold | None = None,
) -> VisitWish:
    """Who and what to hold at `starts_at`: the `named`; else those of the `partner`, whose place
    becomes free, then those of now, then others, as far as they are free and suit. What `holding`
    keeps counts as free."""
    series, site = appointment.series, appointment.site
    on = local(starts_at, site.zone).date()
    loaded = loading.load(
        patient=series.patient,
        site=site,
        version=appointment.protocol_version,
        areas=series.areas,
        first_day=on,
        last_day=on,
        now=now,
        without=[appointment.pk, *([partner.pk] if partner else [])],
        holding=holding,
        series_id=series.pk,
        body=appointment.body,
    )
    present = appointment.resources_held()
    usual = partner.resources_held() if partner else {}

    def chosen(kind: str) -> int | None:
        facts = loaded.facts
        pool = facts.pools.get(kind, ())
        free = [each for each in pool if availability.is_free(facts, kind, each, starts_at)]
        known = (each for each in (usual.get(kind), present.get(kind)) if each in free)
        return named.get(kind) or next(known, None) or next(iter(free), present.get(kind))

    provider, room = chosen(PROVIDER), chosen(ROOM)
    if provider is None or room is None:
        # It holds nothing any more, so it was cancelled after it was read.
        raise StaleVersion(
            gettext(
                "Somebody changed this visit since you opened it. Look at it again, then repeat."
            )
        )
    return VisitWish(starts_at, provider, room, chosen(DEVICE))


# --- Losing ---------------------------------------------------------------------------------------


def refuse(*claims: Claim, now: datetime) -> NoReturn:
    """Tell the loser of a race what collided and where the nearest free places are.

    Call it after the rollback: looking for places must not hold anybody's locks.

    Raises:
        WrongResource: when one could not be had anyway; of those of other sites nothing is told.
        PatientElsewhere: when the patient has another visit then.
        SlotHeld: when somebody keeps the place for a few minutes.
        SlotTaken: otherwise.
    """

    def is_own(claim: Claim, each: Collision) -> bool:
        return each.held.resource_id == claim.patient.resource_id

    for claim in claims:
        checking.resources_suit(claim.load(now=now), claim.visits, without=claim.stays)
    collided = [(claim, each) for claim in claims for each in claim.lost_to]
    if not collided:
        collided = _collisions(claims, now=now)
    # The patient's own visit is what the caller can mend; whose room it is comes second.
    claim, first = min(
        collided,
        key=lambda pair: (not is_own(*pair), pair[1].held.visit),
        default=(claims[0], None),
    )
    moving = [visit.pk for each in claims for visit in each.moving]
    overlappable = bool(collided) and all(one.may_lie_over(each) for one, each in collided)
    refusal = _refusal(claim, first, moving, overlappable=overlappable, now=now)
    refusal.visit = first.held.visit if first else 0
    raise refusal


def _collisions(claims: Sequence[Claim], *, now: datetime) -> list[tuple[Claim, Collision]]:
    """Who or what is in the way of each claim at this moment, besides what is theirs."""
    leaving = [visit for claim in claims for visit in claim.leaving]
    return [
        (claim, each)
        for claim in claims
        for each in allocating.collisions(
            claim.wanted, now=now, without=leaving, holding=claim.hold
        )
    ]


def _refusal(
    claim: Claim,
    first: Collision | None,
    moving: Sequence[int],
    *,
    overlappable: bool,
    now: datetime,
) -> Refused:
    """Why the place of the `first` collision, or the claim's first place, cannot be had."""
    visit = first.held.visit if first else 0
    wish = claim.visits[visit]
    at = format_when(wish.starts_at, claim.site.zone, language())
    own = claim.patient.resource_id
    if first is not None and first.held.resource_id == own and first.hold_id is None:
        return elsewhere.refusal(
            patient=claim.patient,
            site=claim.site,
            body=first.held.period,
            among=Appointment.objects.exclude(pk__in=moving),
            now=now,
        )
    nearest = proposing.nearest_starts(
        patient=claim.patient,
        site=claim.site,
        version=claim.version,
        areas=claim.areas,
        near=wish.starts_at,
        now=now,
        without=[each.pk for each in claim.moving],
        holding=claim.hold,
        series=claim.series,
        body=claim.body,
        allowed=keeping_intervals(claim, visit),
    )
    shown = ", ".join(
        format_when(place.starts_at, claim.site.zone, language()) for place in nearest
    )
    near = (
        gettext(" Nearest: %(shown)s.") % {"shown": shown}
        if shown
        else gettext(" There is nothing else that week.")
    )
    resource = Resource.objects.get(pk=first.held.resource_id) if first else None
    about: dict[str, Any] = {
        "resource_kind": resource.kind if resource else "",
        "resource_name": resource.name if resource else "",
        "start": wish.starts_at,
        "nearest": nearest,
        "overlappable": overlappable,
    }
    if first is not None and first.hold_id is not None and resource is not None:
        hold = Hold.objects.select_related("held_by").get(pk=first.hold_id)
        return SlotHeld(
            f"{_held(hold, resource, claim.site)}{near}", held_until=hold.expires_at, **about
        )
    who = resource.name if resource else gettext("This place")
    if claim.moving and claim.moving[visit].starts_at == wish.starts_at:
        ends_at = wish.starts_at + claim.need.body * TICK
        until = f"{local(ends_at, claim.site.zone):%H:%M}"
        return SlotTaken(
            gettext("%(who)s is not free for all of %(at)s to %(until)s.%(near)s")
            % {"who": who, "at": at, "until": until, "near": near},
            **about,
        )
    state = (
        gettext("is blocked")
        if first is not None and first.block_id is not None
        else gettext("was just taken")
    )
    return SlotTaken(
        gettext("%(who)s %(state)s at %(at)s.%(near)s")
        % {"who": who, "state": state, "at": at, "near": near},
        **about,
    )


def _held(hold: Hold, resource: Resource, site: Site) -> str:
    until = f"{local(hold.expires_at, site.zone):%H:%M}"
    if hold.purpose == HoldPurpose.OFFER:
        return gettext("%(resource)s is offered to the wait-list until %(until)s.") % {
            "resource": resource.name,
            "until": until,
        }
    if resource.kind == PATIENT and hold.purpose == HoldPurpose.OWN:
        return gettext("The patient is choosing another time on their page until %(until)s.") % {
            "until": until
        }
    if resource.kind == PATIENT:
        return gettext("%(held_by)s holds other places for this patient until %(until)s.") % {
            "held_by": hold.holder,
            "until": until,
        }
    return gettext("%(resource)s is held by %(held_by)s until %(until)s.") % {
        "resource": resource.name,
        "held_by": hold.holder,
        "until": until,
    }


def keeping_intervals(claim: Claim, visit: int) -> Callable[[date], bool]:
    """Whether the series would keep its intervals with that visit on a day."""
    session, others = claim.sessions[visit], dict(claim.days())
    protocol = protocols.get(claim.version)

    def keeps(day: date) -> bool:
        days = sorted({**others, session: day}.items())
        return not checking.interval_refusals(days, protocol, [session])

    return keeps
