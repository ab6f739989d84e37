"""Visits to come that cannot stay: under a block, on closed days, or outside of exceptional hours.

They are derived from what is held, so they are work until they are moved, cancelled or the cause
is gone; nothing else is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from appointments.finding.working_time import inside
from appointments.lifecycle import TO_COME, State
from appointments.models import Allocation, Appointment, Block
from appointments.proposing import house_hours
from appointments.visits import holdings
from appointments.visits.holdings import HeldBy
from clinic import statements
from clinic.models import Closure, HoursException, Resource, Site
from clinic.wall_time import instant, local

# Visits that have not begun: a treatment under way is past helping.
NOT_BEGUN = (*TO_COME, State.ARRIVED)


def by_block(block: Block, *, now: datetime) -> QuerySet[Appointment]:
    """The visits that hold a resource of `block` in its time, the nearest first."""
    if block.released_at is not None:
        return Appointment.objects.none()
    held = Allocation.objects.filter(
        appointment=OuterRef("pk"),
        active=True,
        resource__in=block.resources.all(),
        starts_at__lt=block.ends_at,
        ends_at__gt=block.starts_at,
    )
    return _to_come(now).filter(
        Exists(held),
        starts_at__gte=block.starts_at - timedelta(days=1),
        starts_at__lt=block.ends_at + timedelta(days=1),
    )


def under_blocks(visits: Collection[Appointment]) -> dict[int, list[str]]:
    """By visit, the kinds of what it holds that is blocked."""
    over = Block.objects.standing().filter(
        resources=OuterRef("resource"),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    held = Allocation.objects.filter(
        Exists(over),
        active=True,
        appointment__in=statements.one_of([visit.pk for visit in visits]),
    )
    kinds: dict[int, list[str]] = {}
    for visit, kind in held.order_by("resource__kind").values_list(
        "appointment_id", "resource__kind"
    ):
        kinds.setdefault(visit, []).append(kind)
    return kinds


def lacking(
    visits: Collection[Appointment], held_by: HeldBy, site: Site, day: date
) -> dict[int, list[str]]:
    """By visit of a local day, the kinds of what it holds that is not to be had: under a block,
    retired, or beyond the hours of that day; "site" when the house itself is closed then."""
    found = under_blocks(visits)
    house = house_hours.load(site, day)
    for visit in visits:
        kinds = set(found.get(visit.pk, ()))
        for held in held_by[visit.pk]:
            if not held.resource.is_active:
                kinds.add(held.resource.kind)
            if not inside(held.period, house.of()):
                kinds.add("site")
            elif not inside(held.period, house.of(held.resource)):
                kinds.add(held.resource.kind)
        found[visit.pk] = sorted(kinds)
    return found


def counts(blocks: Collection[Block], *, now: datetime) -> Counter[int]:
    """How many visits are work under each of `blocks`."""
    held = Allocation.objects.filter(
        active=True,
        appointment__state__in=NOT_BEGUN,
        appointment__ends_at__gt=now,
        resource__blocks__in=blocks,
        resource__blocks__released_at=None,
        resource__blocks__starts_at__lt=F("ends_at"),
        resource__blocks__ends_at__gt=F("starts_at"),
    )
    pairs = held.values_list("resource__blocks", "appointment_id").distinct().order_by()
    return Counter(block for block, _ in pairs)


def count_at(site: Site, *, now: datetime) -> int:
    """How many visits at `site` are work under any block."""
    over = Block.objects.standing().filter(
        resources__allocations__appointment=OuterRef("pk"),
        resources__allocations__active=True,
        resources__allocations__starts_at__lt=F("ends_at"),
        resources__allocations__ends_at__gt=F("starts_at"),
        ends_at__gt=now,
    )
    return _to_come(now).filter(Exists(over), site=site).count()


def by_hours(
    site: Site, day: date, *, now: datetime, provider: Resource | None = None
) -> list[Appointment]:
    """The visits of a local day that lie outside the hours which the site, or the provider
    there, has on it; the nearest first."""
    return holding(provider, by_days(site, [day], now=now)[day])


class Outside(NamedTuple):
    """A visit outside of somebody's hours, and the ids of what it holds."""

    visit: Appointment
    holds: frozenset[int]


def holding(provider: Resource | None, outside: Iterable[Outside]) -> list[Appointment]:
    """Those visits that hold a provider; all of them without one."""
    return [each.visit for each in outside if provider is None or provider.pk in each.holds]


def by_days(site: Site, days: Collection[date], *, now: datetime) -> dict[date, list[Outside]]:
    """By local day, the visits that lie outside the hours which the site, or one of their
    providers there, has on it; in as many queries for many days as for one."""
    on_them = reduce(or_, (_begins(day, day, site.zone) for day in days), Q(pk__in=()))
    visits = _to_come(now).filter(on_them, site=site)
    rows = list(visits)
    held_by, houses = holdings.of(rows), house_hours.load_days(site, days)
    found: dict[date, list[Outside]] = {day: [] for day in days}
    for row in rows:
        day, held = local(row.starts_at, site.zone).date(), held_by[row.pk]
        if not all(inside(each.period, houses[day].of(each.resource)) for each in held):
            found[day].append(Outside(row, frozenset(each.resource.pk for each in held)))
    return found


def by_week(
    site: Site, *, now: datetime, provider: Resource | None = None
) -> dict[date, list[Appointment]]:
    """By local day to come, as `by_hours`; only days that have such visits, the nearest first."""
    visits = _to_come(now).filter(site=site)
    if provider is not None:
        held = Allocation.objects.filter(appointment=OuterRef("pk"), active=True, resource=provider)
        visits = visits.filter(Exists(held))
    starts = visits.values_list("starts_at", flat=True)
    found = by_days(site, sorted({local(each, site.zone).date() for each in starts}), now=now)
    outside = {day: holding(provider, rows) for day, rows in found.items()}
    return {day: rows for day, rows in sorted(outside.items()) if rows}


def of_exception(exception: HoursException, *, now: datetime) -> list[Appointment]:
    """Those of the day of one exception."""
    return by_hours(exception.site, exception.day, now=now, provider=exception.provider)


def by_closure(closure: Closure, *, now: datetime) -> QuerySet[Appointment]:
    """The visits on the days of `closure`, the nearest first."""
    return _to_come(now).filter(_closed(closure), site=closure.site)


def counts_on_closed_days(closures: Sequence[Closure], *, now: datetime) -> list[int]:
    """How many visits are on the days of each of `closures`, which are of one site."""
    if not closures:
        return []
    each = {f"of_{row.pk}": Count("pk", filter=_closed(row)) for row in closures}
    visits = _to_come(now).filter(site=closures[0].site).order_by().select_related(None)
    counted = visits.aggregate(**each)
    return [counted[f"of_{row.pk}"] for row in closures]


def _closed(closure: Closure) -> Q:
    return _begins(closure.first_day, closure.last_day, closure.site.zone)


def _begins(first: date, last: date, zone: str) -> Q:
    """On the local days from `first` to `last`, both included."""
    return Q(starts_at__gte=instant(first, 0, zone), starts_at__lt=instant(last, 24 * 60, zone))


def _to_come(now: datetime) -> QuerySet[Appointment]:
    return (
        Appointment.objects.filter(Q(state__in=NOT_BEGUN), ends_at__gt=now)
        .select_related(
            "site",
            "protocol_version",
            "series__patient",
            "series__site",
            "series__protocol_version",
        )
        .order_by("starts_at", "id")
    )
