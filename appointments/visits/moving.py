"""Moving visits: one, or several of any series together, all or nothing.

Every old place counts as free for every new one. A lost race becomes `SlotTaken` with the three
nearest places. Refuses to choose places (`proposing`) and to know what messages follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise

from appointments import clearance
from appointments.claiming import allocating, checking, gaps, taking
from appointments.claiming.allocating import Lost
from appointments.claiming.taking import Claim
from appointments.clearance import Treatment, follow_up
from appointments.finding.needs import DEVICE, PROVIDER, ROOM, body_after
from appointments.finding.ticks import TICK
from appointments.lifecycle import Move, State, after
from appointments.models import Allocation, Appointment, Hold
from appointments.proposing.places import VisitWish
from appointments.refusals import MovedTwice, MovesCollide, Refused, VisitLocked
from appointments.visits import history
from appointments.visits.history import Before
from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolVersion, Resource, Staff
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language
from clinic.saying_times import format_when
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class VisitMove:
    """A visit and the place that it shall have; `expected_version` is the one that was seen.

    `protocol_version` is the one that it shall go by from now on, if that changes (`migrating`);
    it then may keep its place. `body` (ticks) is the length that it shall have, if another one.
    """

    appointment: Appointment
    wish: VisitWish
    expected_version: int | None = None
    protocol_version: ProtocolVersion | None = None
    body: int | None = None

    @property
    def act(self) -> Move:
        if self.body is not None and self.wish.starts_at == self.appointment.starts_at:
            return Move.RESIZE
        return Move.MOVE if self.protocol_version is None else Move.MIGRATE

    def length_of(self, visit: Appointment) -> int:
        """How many ticks `visit` shall last: as many as now, unless this says otherwise."""
        if self.body is not None:
            return self.body
        old = protocols.get(visit.protocol_version)
        new = protocols.get(self.protocol_version or visit.protocol_version)
        return body_after(old, new, visit.series.areas, visit.body)

    def of(self, visit: Appointment) -> Placed:
        """`visit` by its coming version, with its place and length."""
        length = self.length_of(visit)
        visit.protocol_version = self.protocol_version or visit.protocol_version
        return Placed(visit, self.wish, length)


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit, the place that it shall have, and its length there in ticks."""

    visit: Appointment
    wish: VisitWish
    length: int


def move(
    *,
    appointment: Appointment,
    starts_at: datetime,
    by: Staff | None,
    now: datetime,
    provider_id: int | None = None,
    room_id: int | None = None,
    device_id: int | None = None,
    reason: str = "",
    expected_version: int | None = None,
    override_reason: str = "",
    overlap: bool = False,
) -> Appointment:
    """Give a visit another start (UTC), or other resources, keeping its length.

    A resource that is not named is kept when it is free then, else another eligible one is
    taken. Raises as `move_together` does.
    """
    may_move(appointment, by)
    named = {PROVIDER: provider_id, ROOM: room_id, DEVICE: device_id}
    wish = taking.wish_for_move(appointment, starts_at, named, now=now)
    (moved,) = move_together(
        moves=[VisitMove(appointment, wish, expected_version)],
        by=by,
        now=now,
        reason=reason,
        override_reason=override_reason,
        overlap=overlap,
    )
    return moved


def move_together(
    *,
    moves: Sequence[VisitMove],
    by: Staff | None,
    now: datetime,
    reason: str = "",
    override_reason: str = "",
    overlap: bool = False,
    hold: Hold | None = None,
) -> list[Appointment]:
    """Give each visit its place, or none of them; the visits as they are then, in that order.

    They may be of any series and patients. `by` is None when the patient did it themselves:
    nobody asks for a capability then, and nothing is overridden. `override_reason` lets
    breaches of the intervals pass, for those who may; with `overlap` also that visits of others
    hold the provider, room or device. `hold` keeps the places until now.

    Raises:
        Refused: MoveRefused for visits under way or over, VisitLocked, StaleVersion, SlotTaken or
            another cause, with a sentence; nothing is written.
        Forbidden: when `by` may not book at a visit's site, or not override.
    """
    if len({each.appointment.pk for each in moves}) < len(moves):
        raise MovedTwice(gettext("One visit is given two places. Give it one."))
    try:
        with allocating.guarded():
            # In order of id, as everybody locks them.
            ordered = sorted(moves, key=lambda each: each.appointment.pk)
            claims = claims_of([each.of(_locked(each, by=by)) for each in ordered], hold)
            acts = {each.appointment.pk: each.act for each in moves}
            shorter = [claim for claim in claims if _only_ends_earlier(claim, acts)]
            for claim in claims:
                claim.overlap = claim in shorter or checking.may_overlap(
                    overlap, reason=override_reason, by=by, site=claim.site
                )
            was = _exchange(claims, acts, now=now)
            changes = []
            for claim in claims:
                found = _breaches(claim, acts, was, now=now)
                breached = [refusal for _, refusal in found]
                checking.override(breached, reason=override_reason, by=by, site=claim.site)
                over = () if claim in shorter else claim.sessions_over()
                codes = checking.codes(found, over=over)
                clearance.require_no_worse(
                    Treatment(claim.patient, claim.site, claim.version, claim.areas, claim.series),
                    moves=[
                        (_day(was[visit.pk].starts_at, visit), _day(visit.starts_at, visit))
                        for visit in claim.moving
                    ],
                    now=now,
                )
                for visit in claim.moving:
                    changes.append(
                        history.keep(
                            visit,
                            acts[visit.pk],
                            was[visit.pk],
                            by=by,
                            now=now,
                            reason=reason,
                            override_reason=override_reason,
                            overrides=codes.get(visit.session, ()),
                        )
                    )
            taking.keep(claims)
            gaps.open_for(changes, now=now)
            for patient in {claim.patient.pk: claim.patient for claim in claims}.values():
                follow_up.follow_up(patient=patient, by=by, now=now)
    except Lost:
        lost = claims_of([each.of(each.appointment) for each in moves], hold)
        taking.refuse(*lost, now=now)
    moved = {visit.pk: visit for claim in claims for visit in claim.moving}
    return [moved[each.appointment.pk] for each in moves]


def _day(at: datetime, visit: Appointment) -> date:
    return local(at, visit.site.zone).date()


def may_move(appointment: Appointment, by: Staff | None) -> None:
    """Raises Forbidden, MoveRefused (under way, over, cancelled) and VisitLocked."""
    may_change(appointment, Move.MOVE, by)


def may_change(appointment: Appointment, act: Move, by: Staff | None) -> None:
    """As `may_move`, for an act that gives the visit another time."""
    if by is not None:
        access.require(by, Capability.BOOK, appointment.site)
    after(State(appointment.state), act)
    if appointment.is_locked:
        at = format_when(appointment.starts_at, appointment.site.zone, language())
        raise VisitLocked(
            (
                gettext(
                    "Session %(session)s on %(at)s is locked, so it keeps its time. Unlock the "
                    "visit first, then move it."
                )
                if act is Move.MOVE
                else gettext(
                    "Session %(session)s on %(at)s is locked, so it keeps its time. Unlock the "
                    "visit first, then change it."
                )
            )
            % {"session": appointment.session, "at": at}
        )


def _locked(wanted: VisitMove, *, by: Staff | None) -> Appointment:
    """The visit as it is now, under a lock, if it may be moved."""
    visit = history.locked(
        wanted.appointment, by=by, capability=Capability.BOOK, expected=wanted.expected_version
    )
    if wanted.act is not Move.MIGRATE or (visit.is_locked and _changes(visit, wanted)):
        may_change(visit, Move.RESIZE if wanted.act is Move.RESIZE else Move.MOVE, by)
    after(State(visit.state), wanted.act)
    return visit


def _changes(visit: Appointment, wanted: VisitMove) -> bool:
    """Whether another version of the protocol gives the visit another time or other resources."""
    present = visit.resources_held()
    moved = (wanted.wish.starts_at, wanted.length_of(visit)) != (visit.starts_at, visit.body)
    return moved or not wanted.wish.resources.items() <= present.items()


def claims_of(placed: Sequence[Placed], hold: Hold | None = None) -> list[Claim]:
    """One claim for the visits, each with its new place, of each series that go by the same
    version and are of one length, patient by patient: that is the order in which everybody locks
    patients."""

    def group(each: Placed) -> tuple[int, int, int, int]:
        visit = each.visit
        return visit.series.patient_id, visit.series_id, visit.protocol_version_id, each.length

    ordered = sorted(placed, key=lambda each: (group(each), each.visit.session))
    claims = []
    for (*_, length), some in groupby(ordered, key=group):
        visits, wishes = zip(*((each.visit, each.wish) for each in some), strict=True)
        series, version = visits[0].series, visits[0].protocol_version
        claim = Claim(
            series.patient,
            visits[0].site,
            version,
            series.areas,
            wishes,
            [visit.session for visit in visits],
            series,
            moving=visits,
            hold=hold,
            body=length,
        )
        claim.stays = _staying(claim)
        claims.append(claim)
    return claims


def _staying(claim: Claim) -> frozenset[int]:
    """The visits that would hold just what they hold: whatever lies over them or under them, they
    stay as they are, and no rule is asked again."""
    rows = Allocation.objects.filter(appointment__in=claim.moving, active=True)
    held, wanted = defaultdict(set), defaultdict(set)
    for owner, *place in rows.values_list("appointment", "resource", "starts_at", "ends_at"):
        held[owner].add(tuple(place))
    for each in claim.wanted:
        period = each.period
        wanted[each.visit].add((each.resource_id, period.starts_at, period.ends_at))
    same = (held[visit.pk] == wanted[number] for number, visit in enumerate(claim.moving))
    return frozenset(number for number, is_same in enumerate(same) if is_same)


def _exchange(
    claims: Sequence[Claim], acts: Mapping[int, Move], *, now: datetime
) -> dict[int, Before]:
    """Give up every old place and write the new ones into the visits; how each was, by id.

    What is checked afterwards sees the visits as they would stand. Raises Lost and MovesCollide.
    """
    _apart(claims)
    visits = [visit for claim in claims for visit in claim.moving]
    leaving = [visit for claim in claims for visit in claim.leaving]
    taking.take(*claims, now=now, also=allocating.held_by(*leaving))
    was = {
        visit.pk: history.before(
            visit, allocating.release(visit) if visit in leaving else allocating.held_by(visit)
        )
        for visit in visits
    }
    for claim in claims:
        for visit, wish in zip(claim.moving, claim.visits, strict=True):
            stays = wish.starts_at == visit.starts_at
            if not stays:
                visit.schedule_version += 1
                visit.scheduled_at = now
            following = after(State(visit.state), acts[visit.pk] if stays else Move.MOVE)
            # Who confirmed the start has not to confirm it again because of another room.
            visit.state = visit.state if stays else following
            visit.starts_at = wish.starts_at
            visit.ends_at = wish.starts_at + claim.need.body * TICK
    Appointment.objects.bulk_update(visits, ["starts_at", "ends_at"])
    return was


def _only_ends_earlier(claim: Claim, acts: Mapping[int, Move]) -> bool:
    """Whether it takes nothing: what it will lie over, it lies over now."""
    return all(
        acts[visit.pk] is Move.RESIZE and claim.need.body < visit.body for visit in claim.moving
    )


def _apart(claims: Sequence[Claim]) -> None:
    """Raises MovesCollide when two of the new places want one resource at one time. One that a
    single place names twice, as two kinds, is left to `checking` to refuse."""
    wanted = [(held, claim) for claim in claims for held in claim.wanted]
    wanted.sort(key=lambda pair: (pair[0].resource_id, pair[0].period.starts_at))
    for (one, whose), (other, claim) in pairwise(wanted):
        is_one_visit = whose is claim and one.visit == other.visit
        is_one_time = one.period.ends_at > other.period.starts_at
        if one.resource_id == other.resource_id and is_one_time and not is_one_visit:
            at = format_when(claim.visits[other.visit].starts_at, claim.site.zone, language())
            who = Resource.objects.get(pk=other.resource_id).name or gettext("The patient")
            raise MovesCollide(
                gettext(
                    "%(who)s would have two of these visits at %(at)s. Give one of them another "
                    "place."
                )
                % {"who": who, "at": at}
            )


def _breaches(
    claim: Claim, acts: Mapping[int, Move], was: Mapping[int, Before], *, now: datetime
) -> list[tuple[int, Refused]]:
    """The intervals and spacings that the new places breach, with their session.

    A visit that keeps its date was right when it was booked. Raises what no reason lets pass.
    """
    if not claim.leaving:
        return []
    # A visit whose length changes may have begun.
    resized = any(acts[visit.pk] is Move.RESIZE for visit in claim.moving)
    loaded = claim.load(now=min(now, claim.visits[0].starts_at) if resized else now)
    for number, wish in enumerate(claim.visits):
        if number not in claim.stays:
            checking.place_is_right(loaded, claim.patient, wish)
    zone = claim.site.zone
    changed = {
        visit.session
        for visit in claim.moving
        if local(visit.starts_at, zone).date() != local(was[visit.pk].starts_at, zone).date()
    }
    return checking.breaches(loaded, claim.days(), changed) if changed else []
