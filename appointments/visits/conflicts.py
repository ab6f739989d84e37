"""Everything that keeps a visit from a place, at once: for who has to choose another.

A refusal names the first cause and changes nothing; this reads on and names them all. Takes no
locks, so what it says is what was true when it was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments import proposing
from appointments.claiming import allocating, checking, taking
from appointments.claiming.allocating import Collision
from appointments.claiming.taking import Claim
from appointments.models import Allocation, Appointment, Block, Hold, HoldPurpose
from appointments.proposing.places import Place, VisitWish
from appointments.refusals import Refused
from clinic.hours import local
from clinic.models import Resource, ResourceKind
from clinic.saying import gettext


@dataclass(frozen=True, slots=True)
class Conflict:
    """One cause as a sentence. `visit` is the other visit that is in the way, if it is one;
    `overridable` causes yield to a reason."""

    sentence: str
    visit: Appointment | None = None
    overridable: bool = False


@dataclass(frozen=True, slots=True)
class Conflicts:
    """`nearest` are up to three places that are free and keep the intervals."""

    causes: list[Conflict]
    nearest: Sequence[Place]


def of_move(*, appointment: Appointment, wish: VisitWish, now: datetime) -> Conflicts:
    """Why `appointment` may not have the place `wish`, cause by cause; none when it may."""
    series, site = appointment.series, appointment.site
    claim = Claim(
        series.patient,
        site,
        appointment.protocol_version,
        series.areas,
        [wish],
        [appointment.session],
        series,
        moving=[appointment],
    )
    causes = [*_wrong(claim, now=now), *_taken(claim, now=now)]
    if not causes:
        return Conflicts([], ())
    nearest = proposing.nearest_starts(
        patient=series.patient,
        site=site,
        version=appointment.protocol_version,
        areas=series.areas,
        near=wish.starts_at,
        now=now,
        without=[appointment.pk],
        series=series,
        allowed=taking.keeping_intervals(claim, 0),
    )
    return Conflicts(causes, nearest)


def _wrong(claim: Claim, *, now: datetime) -> Iterator[Conflict]:
    """What is wrong with the place itself, and with its distance to other visits."""
    loaded = claim.load(now=now)
    try:
        checking.places_are_right(loaded, claim.patient, claim.visits)
    except Refused as refused:
        yield Conflict(refused.sentence, overridable=refused.overridable)
    for _, breach in checking.breaches(loaded, claim.days(), claim.sessions):
        yield Conflict(breach.sentence, overridable=breach.overridable)


def _taken(claim: Claim, *, now: datetime) -> Iterator[Conflict]:
    """Who and what holds something of the place, each once."""
    found = allocating.collisions(claim.wanted, now=now, without=claim.moving)
    names = Resource.objects.in_bulk({each.held.resource_id for each in found})
    for each in dict.fromkeys(found):
        yield _told(claim, each, names[each.held.resource_id])


def _told(claim: Claim, collision: Collision, resource: Resource) -> Conflict:
    is_patient = resource.kind == ResourceKind.PATIENT
    name = gettext("The patient") if is_patient else resource.name
    held = Allocation.objects.filter(
        resource=resource,
        active=True,
        appointment=collision.visit_id,
        block=collision.block_id,
        hold=collision.hold_id,
        starts_at__lt=collision.held.period.ends_at,
        ends_at__gt=collision.held.period.starts_at,
    ).order_by("starts_at")
    zone = claim.site.zone
    first = held[0]
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
        % {"name": name, "held_by": hold.held_by.name, "until": until}
    )
