"""The hours of a site and of providers there on one day, whatever they may treat with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from appointments.finding.working_time import ProviderTime, SiteTime, Stretches
from clinic.hours import Period
from clinic.models import Closure, HoursException, OpeningHours, ProviderHours, Site

_ALWAYS = ((date.min, None),)


@dataclass(frozen=True, slots=True)
class HouseHours:
    """Of one local day: what is asked without a provider is the site's."""

    day: date
    site: SiteTime
    providers: dict[int, ProviderTime]

    def of(self, provider: int | None) -> tuple[Period, ...]:
        if provider is None:
            return self.site.open_on(self.day)
        return self.providers[provider].works_on(self.day, self.site)


def load(site: Site, day: date, providers: Collection[int]) -> HouseHours:
    """The hours on `day`, a local date of `site`, in four queries."""
    return load_days(site, [day], providers)[day]


def load_days(
    site: Site, days: Collection[date], providers: Collection[int]
) -> dict[date, HouseHours]:
    """The hours on each of `days`, in four queries however many they are."""
    exceptions = HoursException.objects.filter(
        Q(provider=None) | Q(provider__in=providers), site=site, day__in=days
    )
    other: dict[int | None, dict[date, Stretches]] = defaultdict(dict)
    for row in exceptions.order_by("starts"):
        is_open = row.starts is not None and row.ends is not None
        stretch = ((row.starts, row.ends),) if is_open else ()
        own = other[row.provider_id]
        own[row.day] = (*own.get(row.day, ()), *stretch)
    weeks = ProviderHours.objects.filter(site=site, provider__in=providers).values_list(
        "provider_id", "weekday", "starts", "ends"
    )
    hours: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for who, weekday, starts, ends in weeks:
        hours[who].append((weekday, starts, ends))
    opening = OpeningHours.objects.filter(site=site).values_list("weekday", "opens", "closes")
    closures = Closure.objects.filter(site=site, last_day__gte=min(days, default=date.min))
    closed = closures.values_list("first_day", "last_day", "reason")
    there = SiteTime(site.name, site.zone, tuple(opening), tuple(closed), other[None])
    people = {pk: ProviderTime(tuple(hours[pk]), _ALWAYS, other[pk]) for pk in providers}
    return {day: HouseHours(day, there, people) for day in days}
