"""Moments as they are written for people, on the clock of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinic.saying_days import format_day, is_far, reader_day
from clinic.wall_time import abbreviation, local, readings


@dataclass(frozen=True, slots=True)
class When:
    """The words of a moment: weekday "Fri", day of the month "12 Mar", its year where that has to
    be said, time "10:00" (with its zone if asked for, or if the clock shows that time twice)."""

    weekday: str
    day_of_month: str
    year: str
    time: str
    is_far: bool = False

    @property
    def date(self) -> str:
        return f"{self.day_of_month} {self.year}".rstrip()

    @property
    def day(self) -> str:
        return f"{self.weekday} {self.date}"

    @property
    def brief(self) -> str:
        """For texts, which have no room: a year is said of a far date alone, for the weekday."""
        said = self.date if self.is_far else f"{self.weekday} {self.day_of_month}"
        return f"{said} {self.time}"

    def __str__(self) -> str:
        return f"{self.day} {self.time}"


def when(
    at: datetime,
    zone: str,
    language: str,
    *,
    with_zone: bool = False,
    seen_at: datetime | None = None,
    year: bool | None = None,
) -> When:
    """The words of `at` on the clock of `zone`, in English ("en") or Spanish ("es"), for who reads
    them at `seen_at`; see `format_day` for `year`."""
    there = local(at, zone)
    today = local(seen_at, zone).date() if seen_at else reader_day()
    weekday, number, month, *of = format_day(there.date(), language, today=today, year=year).split(
        " "
    )
    far = today is not None and is_far(there.date(), today)
    shown = time_of_day(at, zone, with_zone=with_zone)
    return When(weekday, f"{number} {month}", "".join(of), shown, far)


def time_of_day(at: datetime, zone: str, *, with_zone: bool = False) -> str:
    """Such as "10:00" on the clock of `zone`, whose name follows if that is asked for, or if the
    clock shows that time twice."""
    there = local(at, zone)
    first, second = readings(there.replace(tzinfo=None), zone)
    shown = f"{there:%H:%M}"
    return f"{shown} {abbreviation(at, zone)}" if with_zone or first != second else shown


def format_when(
    at: datetime,
    zone: str,
    language: str,
    *,
    with_zone: bool = False,
    seen_at: datetime | None = None,
    year: bool | None = None,
) -> str:
    """Such as "Fri 12 Mar 10:00" or "vie 12 mar 10:00"; see `when`."""
    return str(when(at, zone, language, with_zone=with_zone, seen_at=seen_at, year=year))
