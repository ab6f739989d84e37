"""Freed time under standing blocks: which block takes what of it.

A block that was put over visits takes each one's time as it leaves. Reads only; `allocating`
writes, under the locks of the resources.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from appointments.models import Allocation, Block
from clinic.periods import Period, intersect, subtract

# As long as an allocation may be.
LONGEST = timedelta(days=1)

Freed = tuple[int, Period]


def taken_by_blocks(freed: Sequence[Freed]) -> list[tuple[int, Period, Block]]:
    """The parts of `freed`, (resource, period), that belong to standing blocks: (resource,
    period, block). Where several blocks lie over each other, the earliest takes it."""
    if not freed:
        return []
    span = _span(period for _, period in freed)
    over = list(
        Block.resources.through.objects.filter(
            resource__in={resource for resource, _ in freed},
            block__released_at=None,
            block__starts_at__lt=span.ends_at,
            block__ends_at__gt=span.starts_at,
        )
        .select_related("block")
        .order_by("block__starts_at", "block_id")
    )
    left = free_of(freed) if over else {}
    taken = []
    for each in over:
        block = each.block
        own = intersect(left[each.resource_id], [Period(block.starts_at, block.ends_at)])
        left[each.resource_id] = subtract(left[each.resource_id], own)
        taken += [(each.resource_id, piece, block) for piece in pieces(own)]
    return taken


def free_of(wanted: Sequence[Freed]) -> dict[int, list[Period]]:
    """What of `wanted`, (resource, period), nothing holds, by resource."""
    asked = defaultdict(list)
    for resource, period in wanted:
        asked[resource].append(period)
    span = _span(period for _, period in wanted)
    held = Allocation.objects.filter(
        active=True,
        resource__in=asked,
        starts_at__lt=span.ends_at,
        starts_at__gt=span.starts_at - LONGEST,
        ends_at__gt=span.starts_at,
    )
    taken = defaultdict(list)
    for resource, starts_at, ends_at in held.values_list("resource_id", "starts_at", "ends_at"):
        taken[resource].append(Period(starts_at, ends_at))
    return {resource: subtract(periods, taken[resource]) for resource, periods in asked.items()}


def pieces(periods: Iterable[Period]) -> list[Period]:
    """The periods in pieces of at most 24 hours, as allocations are."""
    found = []
    for period in periods:
        starts_at = period.starts_at
        while starts_at < period.ends_at:
            ends_at = min(starts_at + LONGEST, period.ends_at)
            found.append(Period(starts_at, ends_at))
            starts_at = ends_at
    return found


def _span(periods: Iterable[Period]) -> Period:
    some = list(periods)
    return Period(min(each.starts_at for each in some), max(each.ends_at for each in some))
