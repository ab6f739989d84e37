"""The hours of a site and of providers there on one day, whatever they may treat with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from appointments.finding.working_time import ProviderTime, SiteTime, Stretches, Week
from clinic.models import (
    Closure,
    HoursException,
    OpeningHours,
    ProviderHours,
    Resource,
    ResourceKind,
    Site,
)
from clinic.periods import Period
from clinic.reading_once import once

_ALWAYS = ((date.min, None),)


@dataclass(frozen=True, slots=True)
class HouseHours:
    """Of one local day."""

    day: date
    site: SiteTime
    written: _Written
    worked_out: dict[int | None, tuple[Period, ...]] = field(default_factory=dict)

    def of(self, resource: Resource | None = None) -> tuple[Period, ...]:
        """When a provider is at work; of a room, a device or nobody, when the site is open."""
        whose = resource.pk if resource and resource.kind == ResourceKind.PROVIDER else None
        if whose not in self.worked_out:
            self.worked_out[whose] = (
                self.site.open_on(self.day)
                if whose is None
                else self.written.of(whose).works_on(self.day, self.site)
            )
        return self.worked_out[whose]


def load(site: Site, day: date) -> HouseHours:
    """The hours on `day`, a local date of `site`, in four queries."""
    return load_days(site, [day])[day]


def load_days(site: Site, days: Collection[date]) -> dict[date, HouseHours]:
    """The hours on each of `days`, in four queries however many they are; a page reads them once
    for all who work there."""
    wanted = frozenset(days)
    return once(("house hours", site.pk, wanted), lambda: _days(site, wanted))


def _days(site: Site, days: Collection[date]) -> dict[date, HouseHours]:
    written = _read(site, days)
    there = SiteTime(
        site.name, site.zone, written.opening, written.closed, written.other.get(None, {})
    )
    return {day: HouseHours(day, there, written) for day in days}


@dataclass(frozen=True, slots=True)
class _Written:
    """What is on record for a site; by provider the `weeks`, and, with None for the site itself,
    what is `other` on single days."""

    opening: Week
    closed: tuple[tuple[date, date, str], ...]
    weeks: Mapping[int, Sequence[tuple[int, int, int]]]
    other: Mapping[int | None, dict[date, Stretches]]

    def of(self, provider: int) -> ProviderTime:
        week = tuple(self.weeks.get(provider, ()))
        return ProviderTime(week, _ALWAYS, self.other.get(provider, {}))


def _read(site: Site, days: Collection[date]) -> _Written:
    other: dict[int | None, dict[date, Stretches]] = defaultdict(dict)
    exceptions = HoursException.objects.filter(site=site, day__in=days).order_by("starts")
    for who, day, starts, ends in exceptions.values_list("provider_id", "day", "starts", "ends"):
        stretch = ((starts, ends),) if starts is not None and ends is not None else ()
        other[who][day] = (*other[who].get(day, ()), *stretch)
    weeks: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    hours = ProviderHours.objects.filter(site=site).order_by()
    for who, weekday, starts, ends in hours.values_list("provider_id", "weekday", "starts", "ends"):
        weeks[who].append((weekday, starts, ends))
    opening = OpeningHours.objects.filter(site=site).order_by()
    closures = Closure.objects.filter(site=site, last_day__gte=min(days, default=date.min))
    return _Written(
        tuple(opening.values_list("weekday", "opens", "closes")),
        tuple(closures.order_by("first_day").values_list("first_day", "last_day", "reason")),
        weeks,
        other,
    )
