"""Times in which a resource is not to be had: maintenance, time off, anything else.

A block holds allocations like a visit does, so the database keeps both apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from appointments import allocating
from appointments.allocating import Held, Lost
from appointments.models import Allocation, Block, BlockKind
from appointments.refusals import SlotTaken, VisitsInTheWay
from clinic import access, audit
from clinic.access import Capability
from clinic.hours import Period, format_when
from clinic.models import Resource, Site, Staff


def block(
    *,
    site: Site,
    resources: Sequence[Resource],
    kind: BlockKind,
    starts_at: datetime,
    ends_at: datetime,
    by: Staff,
    now: datetime,
    reason: str = "",
) -> Block:
    """Keep `resources` free of visits in [starts_at, ends_at), UTC.

    Raises:
        VisitsInTheWay: when visits hold one of them then; move those first.
        SlotTaken: when one is already blocked then.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    wanted = [
        Held(resource.pk, piece)
        for resource in resources
        for piece in _days_of(Period(starts_at, ends_at))
    ]
    try:
        with allocating.guarded():
            allocating.lock(held.resource_id for held in wanted)
            allocating.clear_expired(wanted, now=now)
            made = Block.objects.create(
                site=site,
                kind=kind,
                starts_at=starts_at,
                ends_at=ends_at,
                reason=reason,
                created_at=now,
                created_by=by,
            )
            made.resources.set(resources)
            allocating.hold(wanted, [made] * len(wanted))
            audit.record(
                action="block.make",
                subject=made,
                by=by,
                now=now,
                site=site,
                after={
                    "kind": str(kind),
                    "resources": [resource.pk for resource in resources],
                    "starts_at": starts_at.isoformat(),
                    "ends_at": ends_at.isoformat(),
                },
                reason=reason,
            )
            return made
    except Lost:
        raise _in_the_way(wanted, site, now) from None


def release(*, block: Block, by: Staff, now: datetime) -> Block:
    """Give the blocked time back."""
    access.require(by, Capability.MANAGE_SITE, block.site)
    with transaction.atomic():
        allocating.release(block)
        block.released_at = now
        block.save(update_fields=["released_at"])
        audit.record(action="block.release", subject=block, by=by, now=now, site=block.site)
        return block


def _days_of(period: Period) -> list[Period]:
    """The period in pieces of at most 24 hours, as allocations are."""
    pieces = []
    while period.starts_at < period.ends_at:
        ends_at = min(period.starts_at + timedelta(days=1), period.ends_at)
        pieces.append(Period(period.starts_at, ends_at))
        period = Period(ends_at, period.ends_at)
    return pieces


def _in_the_way(wanted: Sequence[Held], site: Site, now: datetime) -> VisitsInTheWay | SlotTaken:
    collided = allocating.collisions(wanted, now=now)
    held = Allocation.objects.filter(
        active=True,
        resource__in=[each.held.resource_id for each in collided],
        starts_at__lt=wanted[-1].period.ends_at,
        ends_at__gt=wanted[0].period.starts_at,
    )
    visits = held.exclude(appointment=None).order_by("starts_at")
    ids = list(dict.fromkeys(visits.values_list("appointment_id", flat=True)))
    start = wanted[0].period.starts_at
    if ids:
        count = "1 visit is" if len(ids) == 1 else f"{len(ids)} visits are"
        return VisitsInTheWay(
            f"{count} booked in that time. Move or cancel first, then block it.",
            appointments=ids,
        )
    resource = Resource.objects.get(pk=collided[0].held.resource_id) if collided else None
    name = resource.name if resource else "This resource"
    return SlotTaken(
        f"{name} is already blocked around {format_when(start, site.zone, 'en')}.",
        resource_kind=resource.kind if resource else "",
        resource_name=resource.name if resource else "",
        start=start,
    )
