"""What a report is of: whole local weeks of a site, or a month, beside what came before. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from clinic.wall_time import instant

ONE_DAY, WEEK = timedelta(days=1), timedelta(days=7)
CHOICES = (4, 12, 26, 52)
FIRST_MONTH = date(2000, 1, 1)
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Span:
    """The local days [first, until) of a site in `zone`, beside those of [before, first)."""

    before: date
    first: date
    until: date
    zone: str

    @property
    def last_day(self) -> date:
        return self.until - ONE_DAY

    @property
    def starts_at(self) -> datetime:
        return instant(self.first, 0, self.zone)

    @property
    def ends_at(self) -> datetime:
        return instant(self.until, 0, self.zone)

    @property
    def weeks(self) -> list[date]:
        """The days on which its weeks begin: the first, then each Monday."""
        monday = self.first + WEEK - timedelta(days=self.first.weekday())
        count = max(0, -((monday - self.until) // WEEK))
        return [self.first, *(monday + number * WEEK for number in range(count))]

    def edges(self) -> list[datetime]:
        """The instants (UTC) between which lie what came before, as one, and its weeks, in
        order."""
        return [instant(day, 0, self.zone) for day in (self.before, *self.weeks, self.until)]


def weeks_before(day: date, count: int, zone: str) -> Span:
    """The last `count` whole weeks, from Monday to Sunday, before the local date `day`; beside as
    many before them."""
    until = day - timedelta(days=day.weekday())
    first = until - count * WEEK
    return Span(first - count * WEEK, first, until, zone)


def newest_month(today: date) -> date:
    """The first day of the newest month of which a day is over."""
    return (today - ONE_DAY).replace(day=1)


def month(first: date, today: date, zone: str) -> Span:
    """The month that begins with the day `first`, up to the day before `today` while it lasts;
    beside the month before it."""
    return Span(month_before(first), first, min(month_after(first), today), zone)


def month_before(first: date) -> date:
    return (first - ONE_DAY).replace(day=1)


def month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def read_month(text: str, today: date) -> date:
    """The first day of a month such as "2026-10". Raises ValueError for what is none, or none of
    which a report can tell: too long ago or still to come."""
    if not _MONTH.fullmatch(text):
        raise ValueError(text)
    first = date.fromisoformat(f"{text}-01")
    if not FIRST_MONTH <= first <= newest_month(today):
        raise ValueError(text)
    return first
