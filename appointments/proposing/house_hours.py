"""The hours of a site and of providers there on one day, whatever they may treat with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from appointments.finding.working_time import Exceptions, ProviderTime, SiteTime
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
    opening = OpeningHours.objects.filter(site=site, weekday=day.weekday())
    closures = Closure.objects.filter(site=site, first_day__lte=day, last_day__gte=day)
    exceptions = HoursException.objects.filter(
        Q(provider=None) | Q(provider__in=providers), site=site, day=day
    ).order_by("starts")
    weeks = ProviderHours.objects.filter(
        site=site, provider__in=providers, weekday=day.weekday()
    ).values_list("provider_id", "weekday", "starts", "ends")
    rows, hours = list(exceptions), list(weeks)

    def other(provider: int | None) -> Exceptions:
        own = [row for row in rows if row.provider_id == provider]
        stretches = tuple(
            (row.starts, row.ends) for row in own if row.starts is not None and row.ends is not None
        )
        return {day: stretches} if own else {}

    return HouseHours(
        day,
        SiteTime(
            site.name,
            site.zone,
            tuple(opening.values_list("weekday", "opens", "closes")),
            tuple(closures.values_list("first_day", "last_day", "reason")),
            other(None),
        ),
        {
            pk: ProviderTime(
                tuple(stretch for who, *stretch in hours if who == pk),  # type: ignore[misc]
                _ALWAYS,
                other(pk),
            )
            for pk in providers
        },
    )
