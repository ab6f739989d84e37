"""How much of their hours providers, rooms and devices were in use: in a number of queries that
does not depend on how many weeks or visits there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Sum

from appointments.models import Allocation, Appointment
from appointments.proposing import house_hours
from appointments.proposing.house_hours import HouseHours
from clinic.models import ProviderHours, Resource, ResourceKind, Site
from clinic.periods import Period, subtract
from clinic.saying import gettext
from reminders.reporting.figures import Bar, Share
from reminders.reporting.periods import Span

ONE_DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KINDS = (ResourceKind.PROVIDER, ResourceKind.ROOM, ResourceKind.DEVICE)


def by_kind(site: Site, span: Span, *, protocol: str = "") -> dict[ResourceKind, list[Bar]]:
    """By kind each resource's minutes held by visits (of `protocol` if one is named), set-up and
    clean-up included, of those that it was to be had: in a provider's hours, for others the
    site's, without what was blocked. The least used first.

    Who was not to be had is left out.
    """
    resources = _resources(site)
    ids = [each.pk for each in resources]
    held, open_for = _held(site, ids, span, protocol), _open_for(site, resources, span)
    bars: dict[ResourceKind, list[Bar]] = {kind: [] for kind in KINDS}
    for each in resources:
        used, whole = held.get(each.pk, 0), open_for[each.pk]
        if whole:
            detail = gettext("%(used)s of %(whole)s h") % {
                "used": f"{used / 60:.0f}",
                "whole": f"{whole / 60:.0f}",
            }
            bars[ResourceKind(each.kind)].append(Bar(each.name, Share(used, whole), detail))
    return {
        kind: sorted(some, key=lambda bar: (bar.share.part / bar.share.whole, bar.name))
        for kind, some in bars.items()
    }


def _resources(site: Site) -> list[Resource]:
    works_here = Exists(ProviderHours.objects.filter(provider=OuterRef("pk"), site=site))
    here = Q(kind=ResourceKind.PROVIDER) & works_here | Q(site=site)
    return list(Resource.objects.filter(here, kind__in=KINDS, is_active=True).order_by("pk"))


def _held(site: Site, ids: Collection[int], span: Span, protocol: str) -> dict[int, int]:
    """Minutes by resource."""
    visits = Appointment.objects.filter(site=site)
    if protocol:
        visits = visits.filter(protocol_version__protocol=protocol)
    rows = Allocation.objects.filter(
        active=True,
        resource__in=ids,
        starts_at__gte=span.starts_at,
        starts_at__lt=span.ends_at,
        appointment__in=visits,
    )
    sums = (
        rows.order_by().values_list("resource").annotate(whole=Sum(F("ends_at") - F("starts_at")))
    )
    return {pk: whole // MINUTE for pk, whole in sums}


def _open_for(site: Site, resources: Sequence[Resource], span: Span) -> dict[int, int]:
    """Minutes by resource."""
    days = [span.first + number * ONE_DAY for number in range((span.until - span.first).days)]
    hours = house_hours.load_days(site, days)
    blocked = _blocked([each.pk for each in resources], span.starts_at, span.ends_at)
    return {
        each.pk: sum(_minutes(hours[day], each, blocked[each.pk]) for day in days)
        for each in resources
    }


def _minutes(house: HouseHours, resource: Resource, blocked: Sequence[Period]) -> int:
    left = subtract(house.of(resource), blocked)
    return sum((each.ends_at - each.starts_at) // MINUTE for each in left)


def _blocked(ids: Collection[int], first: datetime, end: datetime) -> dict[int, list[Period]]:
    rows = Allocation.objects.filter(
        active=True,
        block__isnull=False,
        resource__in=ids,
        starts_at__gt=first - ONE_DAY,
        starts_at__lt=end,
    )
    found: dict[int, list[Period]] = defaultdict(list)
    for pk, starts_at, ends_at in rows.values_list("resource", "starts_at", "ends_at"):
        found[pk].append(Period(starts_at, ends_at))
    return found
