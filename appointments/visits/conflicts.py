"""Everything that keeps a visit from a place, at once: for who has to choose another.

A refusal names the first cause and changes nothing; this reads on and names them all. Takes no
locks, so what it says is what was true when it was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from appointments import proposing
from appointments.claiming import allocating, checking, taking
from appointments.claiming.allocating import Collision
from appointments.claiming.taking import Claim
from appointments.finding import ticks
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.models import Allocation, Appointment, Block, Hold, HoldPurpose
from appointments.proposing.places import Place, VisitWish
from appointments.refusals import Refused
from clinic.models import Resource, ResourceKind
from clinic.saying import gettext
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class Conflict:
    """One cause as a sentence. `visit` is the other visit that is in the way, if it is one;
    `overridable` causes yield to a reason."""

    sentence: str
    visit: Appointment | None = None
    overridable: bool = False


@dataclass(frozen=True, slots=True)
class Conflicts:
    """`nearest` are up to three places that are free and keep the intervals; `longest` is how many
    ticks the visit may last where it is, if that is what does not fit."""

    causes: list[Conflict]
    nearest: Sequence[Place]
    longest: int | None = None


def of_move(
    *,
    appointment: Appointment,
    wish: VisitWish,
    now: datetime,
    body: int | None = None,
    onto: Resource | None = None,
) -> Conflicts:
    """Why `appointment` may not have the place `wish`, cause by cause; none when it may.

    The nearest places are those of the provider, room or device that it was to go `onto`, if there
    are any.
    `body` (ticks) is the length that it shall have, if not the one it has; it may have begun.
    """
    claim = _claim(appointment, wish, appointment.body if body is None else body)
    since = now if body is None else min(now, wish.starts_at)
    found = allocating.collisions(claim.wanted, now=now, without=claim.moving)
    wrong = list(_wrong(claim, now=since))
    causes = [*wrong, *_taken(claim, found)]
    if not causes:
        return Conflicts([], ())
    nearest = (onto and _nearest(claim, now=now, only=onto)) or _nearest(claim, now=now)
    grows = body is not None and not wrong and wish.starts_at == appointment.starts_at
    return Conflicts(causes, nearest, _longest(claim, found) if grows else None)


def near(*, appointment: Appointment, now: datetime) -> list[Place]:
    """Up to three other places near the visit's own that are free and keep the intervals."""
    held = appointment.resources_held()
    if PROVIDER not in held or ROOM not in held:
        return []
    wish = VisitWish(appointment.starts_at, held[PROVIDER], held[ROOM], held.get(DEVICE))
    found = _nearest(_claim(appointment, wish, appointment.body), now=now, limit=4)
    return [place for place in found if place.starts_at != appointment.starts_at][:3]


def _claim(appointment: Appointment, wish: VisitWish, body: int) -> Claim:
    series = appointment.series
    return Claim(
        series.patient,
        appointment.site,
        appointment.protocol_version,
        series.areas,
        [wish],
        [appointment.session],
        series,
        moving=[appointment],
        body=body,
    )


def _nearest(
    claim: Claim, *, now: datetime, only: Resource | None = None, limit: int = 3
) -> list[Place]:
    return proposing.nearest_starts(
        patient=claim.patient,
        site=claim.site,
        version=claim.version,
        areas=claim.areas,
        near=claim.visits[0].starts_at,
        now=now,
        without=[visit.pk for visit in claim.moving],
        series=claim.series,
        body=claim.body,
        allowed=taking.keeping_intervals(claim, 0),
        only=only,
        limit=limit,
    )


def _wrong(claim: Claim, *, now: datetime) -> Iterator[Conflict]:
    """What is wrong with the place itself, and with its distance to other visits."""
    loaded = claim.load(now=now)
    try:
        checking.places_are_right(loaded, claim.patient, claim.visits)
    except Refused as refused:
        yield Conflict(refused.sentence, overridable=refused.overridable)
    for _, breach in checking.breaches(loaded, claim.days(), claim.sessions):
        yield Conflict(breach.sentence, overridable=breach.overridable)


def _taken(claim: Claim, found: Sequence[Collision]) -> Iterator[Conflict]:
    """Who and what holds something of the place, each once."""
    names = Resource.objects.in_bulk({each.held.resource_id for each in found})
    for each in dict.fromkeys(found):
        yield _told(claim, each, names[each.held.resource_id])


def _longest(claim: Claim, found: Sequence[Collision]) -> int | None:
    """Until what is in the way, clean-up included; None when that is no longer than now."""
    starts_at, latest = claim.visits[0].starts_at, []
    for each in found:
        held = ticks.floor(each.held.period.ends_at) - ticks.floor(starts_at)
        taken = ticks.floor(_in_the_way(each)[0].starts_at) - ticks.floor(starts_at)
        latest.append(taken - (held - claim.need.body))
    longest = min(latest, default=0)
    return longest if longest > claim.moving[0].body else None


def _in_the_way(collision: Collision) -> QuerySet[Allocation]:
    """What of the other holds the resource then."""
    return Allocation.objects.filter(
        resource=collision.held.resource_id,
        active=True,
        appointment=collision.visit_id,
        block=collision.block_id,
        hold=collision.hold_id,
        starts_at__lt=collision.held.period.ends_at,
        ends_at__gt=collision.held.period.starts_at,
    ).order_by("starts_at")


def _told(claim: Claim, collision: Collision, resource: Resource) -> Conflict:
    is_patient = resource.kind == ResourceKind.PATIENT
    name = gettext("The patient") if is_patient else resource.name
    zone = claim.site.zone
    first = _in_the_way(collision)[0]
    span = f"{local(first.starts_at, zone):%H:%M}–{local(first.ends_at, zone):%H:%M}"
    if collision.visit_id is not None:
        visit = Appointment.objects.select_related("series__patient").get(pk=collision.visit_id)
        has = gettext("has another visit") if is_patient else gettext("is taken")
        return Conflict(f"{name} {has} {span}.", visit)
    if collision.block_id is not None:
        block = Block.objects.get(pk=collision.block_id)
        why = f": {block.reason}" if block.reason else ""
        return Conflict(
            gettext("%(name)s is blocked %(span)s, %(get_kind_display)s%(why)s.")
            % {
                "name": name,
                "span": span,
                "get_kind_display": block.get_kind_display().lower(),
                "why": why,
            }
        )
    hold = Hold.objects.select_related("held_by").get(allocations=first)
    until = f"{local(hold.expires_at, zone):%H:%M}"
    if hold.purpose == HoldPurpose.OFFER:
        return Conflict(
            gettext("%(name)s is offered to the wait-list until %(until)s.")
            % {"name": name, "until": until}
        )
    return Conflict(
        gettext("%(name)s is held by %(held_by)s until %(until)s.")
        % {"name": name, "held_by": hold.holder, "until": until}
    )
