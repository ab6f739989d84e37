"""When a site is open and a provider works there: weekly hours, exceptions, closures, credentials.

Hours are minutes of the site's wall clock; what comes out are instants of one day, or ticks of
many days at once. Refuses to know what is booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from appointments.local_days import Ints, LocalDays
from appointments.ticks import TICK_SECONDS
from clinic.hours import Period, instant

# (weekday, from minute, to minute), 0 is Monday; half-open.
Week = tuple[tuple[int, int, int], ...]
# Stretches of one day in minutes of the wall clock; half-open, disjoint, in order.
Stretches = tuple[tuple[int, int], ...]
# Other stretches on single days, in place of the weekly ones.
Exceptions = Mapping[date, Stretches]


@dataclass(frozen=True, slots=True)
class SiteTime:
    """A site's zone, weekly opening hours, exceptions and closures (first day, last day, reason).

    `reasons` say why a day is an exception.
    """

    name: str
    zone: str
    week: Week
    closures: tuple[tuple[date, date, str], ...] = ()
    exceptions: Exceptions = field(default_factory=dict)
    reasons: Mapping[date, str] = field(default_factory=dict)

    def closed_for(self, day: date) -> str | None:
        """The reason of the closure on `day`."""
        for first, last, reason in self.closures:
            if first <= day <= last:
                return reason
        return None

    def stretches_on(self, day: date) -> Stretches:
        """The opening hours of a local day, in minutes of the wall clock."""
        if self.closed_for(day) is not None:
            return ()
        return _stretches(self.week, self.exceptions, day)

    def open_on(self, day: date) -> tuple[Period, ...]:
        """The open periods of a local day, in order."""
        return _periods(self.stretches_on(day), day, self.zone)


@dataclass(frozen=True, slots=True)
class ProviderTime:
    """A provider's weekly hours and exceptions at one site, and the validity (first day, last day
    or None) of their credentials for one modality."""

    week: Week
    credentials: tuple[tuple[date, date | None], ...]
    exceptions: Exceptions = field(default_factory=dict)

    def credentialed_on(self, day: date) -> bool:
        return any(
            first <= day and (last is None or day <= last) for first, last in self.credentials
        )

    def stretches_on(self, day: date) -> Stretches:
        """The provider's own hours of a local day, whether or not the site is open."""
        return _stretches(self.week, self.exceptions, day)

    def works_on(self, day: date, site: SiteTime) -> tuple[Period, ...]:
        """The periods in which the provider may treat at `site` on a local day."""
        if not self.credentialed_on(day):
            return ()
        return _periods(_both(site.stretches_on(day), self.stretches_on(day)), day, site.zone)


def inside(period: Period, some: Iterable[Period]) -> bool:
    """Whether one of the disjoint periods `some` holds all of `period`."""
    return any(
        each.starts_at <= period.starts_at and period.ends_at <= each.ends_at for each in some
    )


def hours_in_words(stretches: Stretches) -> str:
    """Such as "09:00-12:00 and 13:00-17:00"; empty when there are none."""
    spans = [
        f"{starts // 60:02}:{starts % 60:02}-{ends // 60:02}:{ends % 60:02}"
        for starts, ends in stretches
    ]
    return " and ".join(spans)


def _stretches(week: Week, exceptions: Exceptions, day: date) -> Stretches:
    if day in exceptions:
        return exceptions[day]
    return _joined((starts, ends) for weekday, starts, ends in week if weekday == day.weekday())


def _joined(stretches: Iterable[tuple[int, int]]) -> Stretches:
    """Touching and overlapping stretches made one, empty ones left out."""
    joined: list[tuple[int, int]] = []
    for starts, ends in sorted(stretches):
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        elif starts < ends:
            joined.append((starts, ends))
    return tuple(joined)


def _both(a: Stretches, b: Stretches) -> Stretches:
    """What lies in both. Rule W is monotone, so it may be cut on the wall clock."""
    return _joined(
        (max(one[0], other[0]), min(one[1], other[1]))
        for one in a
        for other in b
        if max(one[0], other[0]) < min(one[1], other[1])
    )


def _periods(stretches: Stretches, day: date, zone: str) -> tuple[Period, ...]:
    """As instants; a DST gap swallows what it skips."""
    periods = (Period(instant(day, a, zone), instant(day, b, zone)) for a, b in stretches)
    return tuple(each for each in periods if each.starts_at < each.ends_at)


# --- Many days at once ----------------------------------------------------------------------------


def open_ticks(site: SiteTime, days: LocalDays) -> Ints:
    """The whole ticks in which the site is open: rows [first, end), rising, over all of `days`."""
    return _rows(_open_parts(site, days))


def working_ticks(provider: ProviderTime, site: SiteTime, days: LocalDays) -> Ints:
    """The same for the time in which the provider may treat at the site."""
    special = {*provider.exceptions, *site.exceptions}
    usual = _usual_days(site, days, special) & _credentialed(provider, days)
    parts = list(_weekly(provider.week, site.week, usual, days))
    for day in special:
        number = days.number_of(day)
        if 0 <= number < days.count and provider.credentialed_on(day):
            both = _both(site.stretches_on(day), provider.stretches_on(day))
            parts.append(_single(both, number, days))
    return _rows(parts)


def _open_parts(site: SiteTime, days: LocalDays) -> Iterator[Ints]:
    usual = _usual_days(site, days, site.exceptions)
    yield from _weekly(site.week, site.week, usual, days)
    for day in site.exceptions:
        number = days.number_of(day)
        if 0 <= number < days.count:
            yield _single(site.stretches_on(day), number, days)


def _usual_days(site: SiteTime, days: LocalDays, special: Iterable[date]) -> np.ndarray:
    """Which days go by the week: those neither closed nor special."""
    usual = np.ones(days.count, dtype=bool)
    for first, last, _ in site.closures:
        usual[max(0, days.number_of(first)) : max(0, days.number_of(last) + 1)] = False
    for day in special:
        if 0 <= days.number_of(day) < days.count:
            usual[days.number_of(day)] = False
    return usual


def _credentialed(provider: ProviderTime, days: LocalDays) -> np.ndarray:
    valid = np.zeros(days.count, dtype=bool)
    for first, last in provider.credentials:
        end = days.count if last is None else max(0, days.number_of(last) + 1)
        valid[max(0, days.number_of(first)) : end] = True
    return valid


def _weekly(one: Week, other: Week, usual: np.ndarray, days: LocalDays) -> Iterator[Ints]:
    """The stretches that both weeks have, on the usual days."""
    for weekday in range(7):
        mine = _joined((a, b) for each, a, b in one if each == weekday)
        both = _both(mine, _joined((a, b) for each, a, b in other if each == weekday))
        chosen = usual[days.on_weekday(weekday)] if both else None
        for starts, ends in both:
            yield np.stack([days.wall(weekday, starts), days.wall(weekday, ends)], axis=1)[chosen]


def _single(stretches: Stretches, number: int, days: LocalDays) -> Ints:
    rows = [(days.wall_on(number, a), days.wall_on(number, b)) for a, b in stretches]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _rows(parts: Iterable[Ints]) -> Ints:
    """Seconds as whole ticks inside them, in order of time."""
    seconds = np.concatenate([np.empty((0, 2), dtype=np.int64), *parts])
    rows = np.stack([-(-seconds[:, 0] // TICK_SECONDS), seconds[:, 1] // TICK_SECONDS], axis=1)
    rows = rows[rows[:, 0] < rows[:, 1]]
    return rows[np.argsort(rows[:, 0], kind="stable")]
