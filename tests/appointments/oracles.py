"""Other ways to the same answer as `availability`, slow and plain: the tests hold them together.

By big integers (a bit for each tick of a day), by lists of intervals, and tick by tick.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from appointments.finding.availability import Facts
from appointments.finding.intervals import spacing_breach
from appointments.finding.needs import PATIENT, PROVIDER
from appointments.finding.ticks import TICK, at, ceil, floor
from clinic.periods import Period, subtract
from clinic.wall_time import instant, local

ONE_DAY = timedelta(days=1)


def days(facts: Facts) -> Iterator[date]:
    for number in range((facts.last_day - facts.first_day).days + 1):
        yield facts.first_day + number * ONE_DAY


def may_start(facts: Facts, start: datetime) -> bool:
    """The conditions on a start that no resource has a part in."""
    on = local(start, facts.site.zone).date()
    return start >= facts.not_before and spacing_breach(on, facts.spaced) is None


def hours(facts: Facts, kind: str, resource: int, on: date) -> tuple[Period, ...]:
    """The periods of a local day in which a resource may be held."""
    if kind == PROVIDER:
        return facts.providers[resource].works_on(on, facts.site)
    if kind == PATIENT:
        return (Period(instant(on, -1440, facts.site.zone), instant(on, 2880, facts.site.zone)),)
    return facts.site.open_on(on)


def taken(facts: Facts, kind: str, resource: int) -> list[Period]:
    rows = [*facts.busy.get(resource, ())]
    rows += [*facts.away] if kind == PATIENT else []
    return [Period(at(first), at(end)) for first, end in rows]


# --- Tick by tick ---------------------------------------------------------------------------------


def by_ticks(facts: Facts, every: int) -> list[datetime]:
    """Every start that is a multiple of `every` ticks and fits, asked one by one."""
    found = []
    for on in days(facts):
        first, end = (instant(on, minute, facts.site.zone) for minute in (0, 1440))
        for tick in range(ceil(first), ceil(end)):
            if tick % every == 0 and may_start(facts, at(tick)) and _fits(facts, tick, on):
                found.append(at(tick))
    return found


def _fits(facts: Facts, tick: int, on: date) -> bool:
    return all(
        any(one_fits(facts, kind, resource, tick, on) for resource in pool)
        for kind, pool in facts.pools.items()
    )


def one_fits(facts: Facts, kind: str, resource: int, tick: int, on: date) -> bool:
    """Whether one resource could be held by a visit that starts at `tick`."""
    window = facts.need.windows[kind]
    held = range(tick - window.set_up, tick + facts.need.body + window.clean_up)
    spans = hours(facts, kind, resource, on)
    if not any(
        each.starts_at <= at(held[0]) and at(held[-1] + 1) <= each.ends_at for each in spans
    ):
        return False
    return not any(
        floor(period.starts_at) <= each < ceil(period.ends_at)
        for each in held
        for period in taken(facts, kind, resource)
    )


# --- Lists of intervals ---------------------------------------------------------------------------


def by_intervals(facts: Facts, every: int) -> list[datetime]:
    """The same from the free periods of each resource, cut and compared as intervals."""
    found = []
    for on in days(facts):
        kinds = [
            [each for resource in pool for each in _starts(facts, kind, resource, on)]
            for kind, pool in facts.pools.items()
        ]
        first, end = (instant(on, minute, facts.site.zone) for minute in (0, 1440))
        tick = -(-ceil(first) // every) * every
        while at(tick) < end:
            start = at(tick)
            if may_start(facts, start) and all(
                any(low <= start <= high for low, high in spans) for spans in kinds
            ):
                found.append(start)
            tick += every
    return found


def _starts(
    facts: Facts, kind: str, resource: int, on: date
) -> Iterator[tuple[datetime, datetime]]:
    """The first and last start that each free period allows, both included."""
    window = facts.need.windows[kind]
    for free in subtract(hours(facts, kind, resource, on), taken(facts, kind, resource)):
        low = free.starts_at + window.set_up * TICK
        high = free.ends_at - (facts.need.body + window.clean_up) * TICK
        if low <= high:
            yield low, high


# --- Big integers ---------------------------------------------------------------------------------


def by_big_integers(facts: Facts, every: int) -> list[datetime]:
    """The same with one bit for each tick of a day, a whole day shifted at once."""
    found = []
    for on in days(facts):
        first = ceil(instant(on, 0, facts.site.zone)) - 288
        last = ceil(instant(on, 1440, facts.site.zone)) + 288
        feasible = (1 << (last - first)) - 1
        for kind, pool in facts.pools.items():
            window = facts.need.windows[kind]
            some = 0
            for resource in pool:
                free = _bits(hours(facts, kind, resource, on), first, last)
                free &= ~_bits(taken(facts, kind, resource), first, last)
                length = window.set_up + facts.need.body + window.clean_up
                some |= erode(free, length) << window.set_up
            feasible &= some
        for bit in ones(feasible):
            tick = first + bit
            start = at(tick)
            mine = local(start, facts.site.zone).date() == on
            if mine and tick % every == 0 and may_start(facts, start):
                found.append(start)
    return found


def _bits(periods: Iterable[Period], first: int, last: int) -> int:
    bits = 0
    for period in periods:
        low, high = max(first, floor(period.starts_at)), min(last, ceil(period.ends_at))
        if low < high:
            bits |= (1 << (high - first)) - (1 << (low - first))
    return bits


def erode(bits: int, length: int) -> int:
    """The bits from which `length` bits in a row are set."""
    done = 1
    while bits and done < length:
        step = min(done, length - done)
        bits &= bits >> step
        done += step
    return bits


def ones(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
