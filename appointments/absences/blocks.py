"""Times in which resources are not to be had: maintenance, time off, something is out of order.

A block holds allocations like a visit does, so the database keeps both apart. Over visits that
are booked already it holds what is free, and takes each one's time as it leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.claiming import allocating, freed_time
from appointments.claiming.allocating import Held, Lost
from appointments.models import Allocation, Block, BlockKind
from appointments.refusals import (
    BlockOutOfOrder,
    BlockReleased,
    NotBlockable,
    Refused,
    SlotTaken,
    VisitsInTheWay,
)
from clinic import access, audit
from clinic.access import Capability
from clinic.models import ProviderHours, Resource, ResourceKind, Site, Staff
from clinic.periods import Period
from clinic.saying import gettext, language, ngettext
from clinic.saying_times import format_when

LONGEST = timedelta(days=366)


def blockable(site: Site) -> QuerySet[Resource]:
    """The rooms and devices of `site` and the providers who work there."""
    work_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    return Resource.objects.filter(
        Q(kind=ResourceKind.PROVIDER) & Q(work_here)
        | Q(kind__in=(ResourceKind.ROOM, ResourceKind.DEVICE), site=site)
    )


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
    over_visits: bool = False,
) -> Block:
    """Keep `resources` free of visits in [starts_at, ends_at), UTC.

    With `over_visits` also where visits are booked: those are work from then on (`relocating`),
    and holds of people who look at a plan yield.

    Raises:
        VisitsInTheWay: when visits hold one of them then, and they are not to be blocked over.
        SlotTaken: when one is already blocked or held for somebody then, likewise.
        NotBlockable, BlockOutOfOrder: for resources or times that cannot be.
        Forbidden: when `by` may not block time at `site`.
    """
    access.require(by, Capability.BLOCK_TIME, site)
    period = Period(starts_at, ends_at)
    _may_be(site, resources, period, now)
    wanted = [(resource.pk, period) for resource in resources]
    try:
        with allocating.guarded():
            allocating.lock(resource for resource, _ in wanted)
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
            _take(made, wanted, now, over_visits=over_visits)
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
                    "over_visits": over_visits,
                },
                reason=reason,
            )
            return made
    except Lost:
        raise _in_the_way(wanted, site, now) from None


def change_end(
    *, block: Block, ends_at: datetime, by: Staff, now: datetime, over_visits: bool = False
) -> Block:
    """Let a block end earlier, and give back the time after it, or later, and take that time.

    Raises as `block` does, and BlockReleased.
    """
    access.require(by, Capability.BLOCK_TIME, block.site)
    more: list[tuple[int, Period]] = []
    try:
        with allocating.guarded():
            fresh = _locked(block)
            _in_order(Period(fresh.starts_at, ends_at), now)
            resources = list(fresh.resources.values_list("pk", flat=True))
            allocating.lock(resources)
            before, fresh.ends_at = fresh.ends_at, ends_at
            fresh.save(update_fields=["ends_at"])
            if ends_at < before:
                _cut(fresh)
            elif ends_at > before:
                more = [(resource, Period(before, ends_at)) for resource in resources]
                _take(fresh, more, now, over_visits=over_visits)
            audit.record(
                action="block.change_end",
                subject=fresh,
                by=by,
                now=now,
                site=fresh.site,
                before={"ends_at": before.isoformat()},
                after={"ends_at": ends_at.isoformat()},
            )
            return fresh
    except Lost:
        raise _in_the_way(more, block.site, now) from None


def release(*, block: Block, by: Staff, now: datetime) -> Block:
    """Give the blocked time back; another block that stands over it takes it.

    Raises BlockReleased when it was given back before, and Forbidden.
    """
    access.require(by, Capability.BLOCK_TIME, block.site)
    try:
        with allocating.guarded():
            fresh = _locked(block)
            fresh.released_at = now
            fresh.save(update_fields=["released_at"])
            allocating.release(fresh)
            audit.record(action="block.release", subject=fresh, by=by, now=now, site=fresh.site)
            return fresh
    except Lost:
        raise SlotTaken(
            gettext("Somebody is booking there at this moment. Try again."),
            resource_kind="",
            resource_name="",
            start=block.starts_at,
        ) from None


def _may_be(site: Site, resources: Sequence[Resource], period: Period, now: datetime) -> None:
    if not resources:
        raise NotBlockable(gettext("Choose at least one provider, room or device."))
    known = set(blockable(site).filter(pk__in=[each.pk for each in resources]))
    for resource in resources:
        if resource.kind == ResourceKind.PATIENT:
            raise NotBlockable(
                gettext("A patient cannot be blocked. Choose a provider, room or device.")
            )
        if resource not in known:
            raise NotBlockable(
                gettext("%(resource)s is not at %(site)s. Choose another one.")
                % {"resource": resource.name, "site": site.name}
            )
    _in_order(period, now)


def _in_order(period: Period, now: datetime) -> None:
    if period.ends_at <= period.starts_at:
        raise BlockOutOfOrder(gettext("The end must come after the start. Choose a later end."))
    if period.ends_at <= now:
        raise BlockOutOfOrder(gettext("That time is past. Choose an end that is still to come."))
    if period.ends_at - period.starts_at > LONGEST:
        raise BlockOutOfOrder(gettext("A block lasts a year at most. Choose an earlier end."))


def _locked(block: Block) -> Block:
    """The block as it is now, locked until the end of the transaction."""
    rows = Block.objects.select_related("site").select_for_update(no_key=True, of=("self",))
    fresh = rows.get(pk=block.pk)
    if fresh.released_at is not None:
        raise BlockReleased(gettext("This block was released before. Make a new one."))
    return fresh


def _take(
    block: Block, wanted: Sequence[tuple[int, Period]], now: datetime, *, over_visits: bool
) -> None:
    """Hold the wanted time: all of it, or with `over_visits` what is free. Else `Lost`."""
    yielding = _holding(wanted).filter(hold__isnull=False)
    if not over_visits:
        yielding = yielding.filter(expires_at__lte=now)
    yielding.delete()
    free = freed_time.free_of(wanted)
    if not over_visits and any(free[resource] != [period] for resource, period in wanted):
        raise Lost
    due = [
        Held(resource, piece)
        for resource, periods in free.items()
        for piece in freed_time.pieces(periods)
    ]
    allocating.hold(due, [block] * len(due))


def _cut(block: Block) -> None:
    """Give back what the block holds after its end."""
    beyond = block.allocations.filter(active=True, ends_at__gt=block.ends_at)
    freed = [
        (held.resource_id, Period(max(held.starts_at, block.ends_at), held.ends_at))
        for held in beyond
    ]
    beyond.filter(starts_at__gte=block.ends_at).update(active=False)
    beyond.update(ends_at=block.ends_at)
    allocating.to_blocks(freed)


def _holding(wanted: Iterable[tuple[int, Period]]) -> QuerySet[Allocation]:
    """The active allocations that touch the wanted time."""
    touching = Q(pk__in=())
    for resource, period in wanted:
        touching |= Q(
            resource=resource,
            starts_at__lt=period.ends_at,
            starts_at__gt=period.starts_at - freed_time.LONGEST,
            ends_at__gt=period.starts_at,
        )
    return Allocation.objects.filter(touching, active=True)


def _in_the_way(wanted: Sequence[tuple[int, Period]], site: Site, now: datetime) -> Refused:
    held = _holding(wanted).exclude(expires_at__lte=now).order_by("starts_at")
    ids = held.exclude(appointment=None).values_list("appointment_id", flat=True)
    visits = list(dict.fromkeys(ids))
    if visits:
        return VisitsInTheWay(
            ngettext(
                "%(count)s visit is booked in that time. Move or cancel first, or block the time"
                " over what is booked: the visits are then listed, to be moved.",
                "%(count)s visits are booked in that time. Move or cancel first, or block the time"
                " over what is booked: the visits are then listed, to be moved.",
                len(visits),
            )
            % {"count": len(visits)},
            appointments=visits,
        )
    first = held.select_related("resource").first()
    start = wanted[0][1].starts_at if wanted else now
    name = first.resource.name if first else gettext("This resource")
    state = gettext("held for somebody") if first and first.hold_id else gettext("already blocked")
    return SlotTaken(
        gettext(
            "%(name)s is %(state)s around %(start)s. Choose another time, or block over "
            "what is booked."
        )
        % {"name": name, "state": state, "start": format_when(start, site.zone, language())},
        resource_kind=first.resource.kind if first else "",
        resource_name=first.resource.name if first else "",
        start=start,
    )
