"""Whole local weeks of a site, and as many before them to compare with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from clinic.hours import instant

WEEK = timedelta(days=7)
CHOICES = (4, 12, 26, 52)


@dataclass(frozen=True, slots=True)
class Weeks:
    """`count` weeks from Monday to Sunday that are over by `until`, a Monday (local date)."""

    until: date
    count: int
    zone: str

    @property
    def first(self) -> date:
        return self.until - self.count * WEEK

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)

    @property
    def starts_at(self) -> datetime:
        return instant(self.first, 0, self.zone)

    @property
    def ends_at(self) -> datetime:
        return instant(self.until, 0, self.zone)

    def edges(self) -> list[datetime]:
        """The instants (UTC) between which the weeks lie, of the period before and of this one:
        2 × `count` + 1, in order."""
        before = self.first - self.count * WEEK
        days = [before + number * WEEK for number in range(2 * self.count + 1)]
        return [instant(day, 0, self.zone) for day in days]


def weeks_before(day: date, count: int, zone: str) -> Weeks:
    """The last `count` whole weeks before the local date `day`."""
    return Weeks(day - timedelta(days=day.weekday()), count, zone)
