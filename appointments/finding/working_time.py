"""When a site is open and a provider works there: weekly hours, exceptions, closures, credentials.

Hours are minutes of the site's wall clock; what comes out are instants of one day, or ticks of
many days at once. Refuses to know what is booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from appointments.finding.local_days import Bools, Ints, LocalDays
from appointments.finding.ticks import TICK_SECONDS
from clinic.periods import Period
from clinic.saying import gettext
from clinic.wall_time import instant

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

    def cut_short(self, day: date) -> str:
        """Why the site is closed, or open for less than every week; empty when it is not, or
        nobody said why."""
        closed = self.closed_for(day)
        return _why_less(self, day) if closed is None else closed

    def open_on(self, day: date) -> tuple[Period, ...]:
        """The open periods of a local day, in order."""
        return _periods(self.stretches_on(day), day, self.zone)


@dataclass(frozen=True, slots=True)
class ProviderTime:
    """A provider's weekly hours and exceptions at one site, and the validity (first day, last day
    or None) of their credentials for one modality. `reasons` say why a day is an exception."""

    week: Week
    credentials: tuple[tuple[date, date | None], ...]
    exceptions: Exceptions = field(default_factory=dict)
    reasons: Mapping[date, str] = field(default_factory=dict)

    def credentialed_on(self, day: date) -> bool:
        return any(
            first <= day and (last is None or day <= last) for first, last in self.credentials
        )

    def stretches_on(self, day: date) -> Stretches:
        """The provider's own hours of a local day, whether or not the site is open."""
        return _stretches(self.week, self.exceptions, day)

    def cut_short(self, day: date) -> str:
        """Why the provider works less than every week; empty when they do not, or nobody said."""
        return _why_less(self, day) if self.credentialed_on(day) else ""

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
    return gettext(" and ").join(spans)


def _stretches(week: Week, exceptions: Exceptions, day: date) -> Stretches:
    if day in exceptions:
        return exceptions[day]
    return _joined((starts, ends) for weekday, starts, ends in week if weekday == day.weekday())


def _why_less(whose: SiteTime | ProviderTime, day: date) -> str:
    """The reason of an exception that takes away from the hours of the week."""
    if day not in whose.exceptions:
        return ""
    there = whose.exceptions[day]
    usual = _stretches(whose.week, {}, day)
    whole = all(any(a <= starts and ends <= b for a, b in there) for starts, ends in usual)
    return "" if whole else whose.reasons.get(day, "")


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
    usual = _usual_days(site, days, site.exceptions)[None, :]
    weekly = [(0, weekday, *stretch) for weekday, stretch in _weekly(site.week, site.week)]
    special = [(0, day, site.stretches_on(day)) for day in site.exceptions]
    _, periods = _expanded(weekly, usual, special, days)
    return periods[np.argsort(periods[:, 0])]


def working_ticks(
    providers: Sequence[ProviderTime], site: SiteTime, days: LocalDays
) -> tuple[Ints, Ints]:
    """The same for the time in which each provider may treat at the site, in no order: the place
    of each row's provider in `providers`, and the rows."""
    usual, weekly, special = [], [], []
    for place, provider in enumerate(providers):
        others = {*provider.exceptions, *site.exceptions}
        usual.append(_usual_days(site, days, others) & _credentialed(provider, days))
        weekly += [(place, day, *stretch) for day, stretch in _weekly(provider.week, site.week)]
        special += [
            (place, day, _both(site.stretches_on(day), provider.stretches_on(day)))
            for day in others
            if provider.credentialed_on(day)
        ]
    return _expanded(weekly, np.array(usual, dtype=bool).reshape(-1, days.count), special, days)


def _usual_days(site: SiteTime, days: LocalDays, special: Iterable[date]) -> Bools:
    """Which days go by the week: those neither closed nor special."""
    usual = np.ones(days.count, dtype=bool)
    for first, last, _ in site.closures:
        usual[max(0, days.number_of(first)) : max(0, days.number_of(last) + 1)] = False
    for day in special:
        if 0 <= days.number_of(day) < days.count:
            usual[days.number_of(day)] = False
    return usual


def _credentialed(provider: ProviderTime, days: LocalDays) -> Bools:
    valid = np.zeros(days.count, dtype=bool)
    for first, last in provider.credentials:
        end = days.count if last is None else max(0, days.number_of(last) + 1)
        valid[max(0, days.number_of(first)) : end] = True
    return valid


def _weekly(one: Week, other: Week) -> Iterator[tuple[int, tuple[int, int]]]:
    """The stretches that both weeks have, each with its weekday."""
    for weekday in {each for each, _, _ in one}:
        mine = _joined((a, b) for each, a, b in one if each == weekday)
        both = _both(mine, _joined((a, b) for each, a, b in other if each == weekday))
        yield from ((weekday, stretch) for stretch in both)


def _expanded(
    weekly: Sequence[tuple[int, int, int, int]],
    usual: Bools,
    special: Iterable[tuple[int, date, Stretches]],
    days: LocalDays,
) -> tuple[Ints, Ints]:
    """Stretches as ticks: (place, weekday, from, to) on every day that is `usual` for the place,
    and those of single days."""
    table = np.array(weekly, dtype=np.int64).reshape(-1, 4)
    number, which = np.nonzero(days.weekdays[:, None] == table[None, :, 1])
    kept = usual[table[which, 0], number]
    number, which = number[kept], which[kept]
    single = [
        (place, days.number_of(day), *stretch)
        for place, day, stretches in special
        if 0 <= days.number_of(day) < days.count
        for stretch in stretches
    ]
    more = np.array(single, dtype=np.int64).reshape(-1, 4)
    places = np.concatenate([table[which, 0], more[:, 0]])
    numbers = np.concatenate([number, more[:, 1]])
    first = days.wall(numbers, np.concatenate([table[which, 2], more[:, 2]]))
    end = days.wall(numbers, np.concatenate([table[which, 3], more[:, 3]]))
    rows = np.stack([-(-first // TICK_SECONDS), end // TICK_SECONDS], axis=1)
    some = rows[:, 0] < rows[:, 1]
    return places[some], rows[some]
