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
from clinic.periods import Period, intersect
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.saying_times import when
from clinic.wall_time import local

ONE_DAY = timedelta(days=1)


def credential(provider: ProviderTime, name: str, treatment: str, on: date) -> CredentialExpired:
    """For a provider without a valid credential on the local day `on`."""
    ends = [last for _, last in provider.credentials if last is not None and last < on]
    begins = [first for first, _ in provider.credentials if first > on]
    latest, earliest = max(ends, default=None), min(begins, default=None)
    said, ways = [], []
    if latest is not None:
        said.append(gettext("ended on %(on)s") % {"on": format_day(latest, language(), today=on)})
        ways.append(gettext("an earlier date"))
    if earliest is not None:
        begins_on = gettext("begins again on %(on)s") if latest else gettext("begins on %(on)s")
        said.append(begins_on % {"on": format_day(earliest, language(), today=on)})
        ways.append(gettext("a later date"))
    ways.append(gettext("another provider"))
    return CredentialExpired(
        gettext(
            "%(name)s's credential for %(treatment)s %(what)s; this visit would be on %(on)s."
            " Choose %(ways)s."
        )
        % {
            "name": name,
            "treatment": treatment,
            "what": gettext(" and ").join(said) or gettext("is missing"),
            "on": format_day(on, language()),
            "ways": gettext(" or ").join(ways),
        },
        earliest=earliest,
        latest=latest,
    )


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
    is_open = (
        gettext("open %(spans)s") % {"spans": hours_in_words(spans)} if spans else gettext("closed")
    )
    return gettext("%(name)s is %(is_open)s %(days)s%(reason)s") % {
        "name": name,
        "is_open": is_open,
        "days": days,
        "reason": _because(reason),
    }


def _working(name: str, spans: Stretches, days: str, reason: str) -> str:
    works = (
        gettext("works %(spans)s") % {"spans": hours_in_words(spans)}
        if spans
        else gettext("does not work")
    )
    return f"{name} {works} {days}{_because(reason)}"


def _days(first: date, last: date) -> str:
    if first == last:
        return gettext("on %(first)s") % {"first": format_day(first, language())}
    return gettext("from %(first)s to %(last)s") % {
        "first": format_day(first, language()),
        "last": format_day(last, language()),
    }


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
    would = gettext("this visit would hold %(name)s %(span)s") % {"name": name, "span": span}
    possible = _starts(facts, chosen, on)
    if not possible:
        is_there = facts.site.open_on(on) and facts.providers[chosen[PROVIDER]].stretches_on(on)
        short = (
            gettext("; %(would)s, and no start of that day fits") % {"would": would}
            if is_there
            else ""
        )
        return OutsideHours(
            gettext("%(fact)s%(short)s. Choose another date or provider.")
            % {"fact": fact, "short": short}
        )
    spans = gettext(" or ").join(
        gettext("from %(first)s to %(last)s")
        % {"first": _time(first, zone), "last": _time(last, zone)}
        if first < last
        else _time(first, zone)
        for first, last in possible
    )
    before = [last for _, last in possible if last < starts_at]
    after = [first for first, _ in possible if first > starts_at]
    near = [*before[-1:], *after[:1]]
    return OutsideHours(
        gettext("%(fact)s; %(would)s. It can start %(spans)s.")
        % {"fact": fact, "would": would, "spans": spans},
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
    return when(at, zone, language()).time
