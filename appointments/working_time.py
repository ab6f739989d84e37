"""When a site is open and a provider works there: weekly hours, closures, credentials.

Weekly hours are minutes of the site's wall clock; what comes out are instants. Refuses to know
what is booked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from clinic.hours import Period, instant, intersect, merge

# (weekday, from minute, to minute), 0 is Monday; half-open.
Week = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class SiteTime:
    """A site's zone, weekly opening hours and closures (first day, last day, reason)."""

    name: str
    zone: str
    week: Week
    closures: tuple[tuple[date, date, str], ...] = ()

    def closed_for(self, day: date) -> str | None:
        """The reason of the closure on `day`."""
        for first, last, reason in self.closures:
            if first <= day <= last:
                return reason
        return None

    def open_on(self, day: date) -> tuple[Period, ...]:
        """The open periods of a local day, in order."""
        return () if self.closed_for(day) is not None else periods_of(self.week, day, self.zone)


@dataclass(frozen=True, slots=True)
class ProviderTime:
    """A provider's weekly hours at one site, and the validity (first day, last day or None) of
    their credentials for one modality."""

    week: Week
    credentials: tuple[tuple[date, date | None], ...]

    def credentialed_on(self, day: date) -> bool:
        return any(
            first <= day and (last is None or day <= last) for first, last in self.credentials
        )

    def works_on(self, day: date, site: SiteTime) -> tuple[Period, ...]:
        """The periods in which the provider may treat at `site` on a local day."""
        if not self.credentialed_on(day):
            return ()
        return _common(site.open_on(day), periods_of(self.week, day, site.zone))


@lru_cache(maxsize=16_384)
def periods_of(week: Week, day: date, zone: str) -> tuple[Period, ...]:
    """The weekly hours of one local day as instants; a DST gap swallows what it skips."""
    return tuple(
        merge(
            Period(instant(day, starts, zone), instant(day, ends, zone))
            for weekday, starts, ends in week
            if weekday == day.weekday()
        )
    )


@lru_cache(maxsize=16_384)
def _common(a: tuple[Period, ...], b: tuple[Period, ...]) -> tuple[Period, ...]:
    return tuple(intersect(a, b))


def inside(period: Period, some: Iterable[Period]) -> bool:
    """Whether one of the disjoint periods `some` holds all of `period`."""
    return any(
        each.starts_at <= period.starts_at and period.ends_at <= each.ends_at for each in some
    )


def hours_in_words(week: Week, day: date) -> str:
    """Such as "09:00-12:00 and 13:00-17:00"; empty when there are none that weekday."""
    spans = [
        f"{starts // 60:02}:{starts % 60:02}-{ends // 60:02}:{ends % 60:02}"
        for weekday, starts, ends in sorted(week)
        if weekday == day.weekday()
    ]
    return " and ".join(spans)
