"""Why a place is outside of hours or of a credential, with the starts and dates that are not; and
which days are cut short.

Pure. Refuses to know who asks and what is booked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from appointments.finding import ticks
from appointments.finding.availability import Facts
from appointments.finding.needs import PROVIDER, Window
from appointments.finding.ticks import TICK
from appointments.finding.working_time import (
    ProviderTime,
    SiteTime,
    Stretches,
    hours_in_words,
    inside,
)
from appointments.refusals import CredentialExpired, OutsideHours
from clinic.hours import Period, format_day, intersect, local, when

ONE_DAY = timedelta(days=1)


def credential(provider: ProviderTime, name: str, treatment: str, on: date) -> CredentialExpired:
    """For a provider without a valid credential on the local day `on`."""
    ends = [last for _, last in provider.credentials if last is not None and last < on]
    begins = [first for first, _ in provider.credentials if first > on]
    latest, earliest = max(ends, default=None), min(begins, default=None)
    said, ways = [], []
    if latest is not None:
        said.append(f"ended on {_day(latest, on)}")
        ways.append("an earlier date")
    if earliest is not None:
        said.append(f"begins {'again ' if latest else ''}on {_day(earliest, on)}")
        ways.append("a later date")
    ways.append("another provider")
    return CredentialExpired(
        f"{name}'s credential for {treatment} {' and '.join(said) or 'is missing'}; this visit"
        f" would be on {_day(on, on)}. Choose {' or '.join(ways)}.",
        earliest=earliest,
        latest=latest,
    )


def _day(day: date, near: date) -> str:
    return format_day(day) if day.year == near.year else f"{format_day(day)} {day.year}"


def hours(
    facts: Facts, chosen: Mapping[str, int], names: Mapping[int, str], starts_at: datetime
) -> OutsideHours | None:
    """When one of the `chosen` resources (ids by kind) is not there for its whole time."""
    site, on = facts.site, local(starts_at, facts.site.zone).date()
    open_on = site.open_on(on)
    for kind, resource in chosen.items():
        held = facts.need.held(kind, starts_at)
        if not inside(held, open_on):
            reason = site.closed_for(on) or site.reasons.get(on, "")
            fact = _opening(site.name, site.stretches_on(on), _days(on, on), reason)
            return _refused(fact, facts, chosen, names[resource], held, starts_at)
    held, provider = facts.need.held(PROVIDER, starts_at), chosen[PROVIDER]
    if not inside(held, facts.providers[provider].works_on(on, site)):
        time = facts.providers[provider]
        reason = time.reasons.get(on, "")
        fact = _working(names[provider], time.stretches_on(on), _days(on, on), reason)
        return _refused(fact, facts, chosen, names[provider], held, starts_at)
    return None


def cut_short(
    facts: Facts, names: Mapping[int, str], kind: str, first: date, last: date
) -> list[str]:
    """Days from `first` to `last` of which somebody said why there is less time than every week:
    sentences, on the site, and on the providers of the pool when `kind` is theirs."""
    site, providers = facts.site, facts.pools.get(PROVIDER, ()) if kind == PROVIDER else ()
    said = [
        _opening(site.name, spans, _days(one, other), reason)
        for one, other, reason, spans in _runs(site, first, last)
    ] + [
        _working(names[provider], spans, _days(one, other), reason)
        for provider in providers
        for one, other, reason, spans in _runs(facts.providers[provider], first, last)
    ]
    return [f"{each}." for each in said]


def _runs(
    whose: SiteTime | ProviderTime, first: date, last: date
) -> list[tuple[date, date, str, Stretches]]:
    """Successive days that are cut short to the same hours for the same reason."""
    runs: list[tuple[date, date, str, Stretches]] = []
    for number in range((last - first).days + 1):
        day = first + number * ONE_DAY
        if not (reason := whose.cut_short(day)):
            continue
        told = reason, whose.stretches_on(day)
        if runs and runs[-1][1:] == (day - ONE_DAY, *told):
            runs[-1] = (runs[-1][0], day, *told)
        else:
            runs.append((day, day, *told))
    return runs


def _opening(name: str, spans: Stretches, days: str, reason: str) -> str:
    is_open = f"open {hours_in_words(spans)}" if spans else "closed"
    return f"{name} is {is_open} {days}{_because(reason)}"


def _working(name: str, spans: Stretches, days: str, reason: str) -> str:
    works = f"works {hours_in_words(spans)}" if spans else "does not work"
    return f"{name} {works} {days}{_because(reason)}"


def _days(first: date, last: date) -> str:
    if first == last:
        return f"on {format_day(first)}"
    return f"from {format_day(first)} to {format_day(last)}"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _refused(
    fact: str,
    facts: Facts,
    chosen: Mapping[str, int],
    name: str,
    held: Period,
    starts_at: datetime,
) -> OutsideHours:
    zone, on = facts.site.zone, local(starts_at, facts.site.zone).date()
    span = f"{_time(held.starts_at, zone)}-{_time(held.ends_at, zone)}"
    would = f"this visit would hold {name} {span}"
    possible = _starts(facts, chosen, on)
    if not possible:
        is_there = facts.site.open_on(on) and facts.providers[chosen[PROVIDER]].stretches_on(on)
        short = f"; {would}, and no start of that day fits" if is_there else ""
        return OutsideHours(f"{fact}{short}. Choose another date or provider.")
    spans = " or ".join(
        f"from {_time(first, zone)} to {_time(last, zone)}" if first < last else _time(first, zone)
        for first, last in possible
    )
    before = [last for _, last in possible if last < starts_at]
    after = [first for first, _ in possible if first > starts_at]
    near = [*before[-1:], *after[:1]]
    return OutsideHours(
        f"{fact}; {would}. It can start {spans}.",
        instead=[at for at in near if at >= facts.not_before],
    )


def _starts(facts: Facts, chosen: Mapping[str, int], on: date) -> list[tuple[datetime, datetime]]:
    """The first and the last start of each stretch in which all of `chosen` are there."""
    there: Sequence[Period] | None = None
    for kind, resource in chosen.items():
        open_on = facts.site.open_on(on)
        if kind == PROVIDER:
            open_on = facts.providers[resource].works_on(on, facts.site)
        starts = _starts_in(open_on, facts.need.windows[kind], facts.need.body)
        there = starts if there is None else intersect(there, starts)
    return [(each.starts_at, each.ends_at - TICK) for each in there or ()]


def _starts_in(stretches: Sequence[Period], window: Window, body: int) -> list[Period]:
    """The ticks on which a visit may start so that its window lies in one of `stretches`."""
    found = []
    for each in stretches:
        first = ticks.ceil(each.starts_at) + window.set_up
        last = ticks.floor(each.ends_at) - window.clean_up - body
        if first <= last:
            found.append(Period(ticks.at(first), ticks.at(last + 1)))
    return found


def _time(at: datetime, zone: str) -> str:
    return when(at, zone, "en").time
