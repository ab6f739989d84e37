"""Places for visits to come: who and what each of them may hold, the earliest first. Pure.

The former system's time stands, also outside of opening hours; only what is taken, or not fit for
the treatment, is in the way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from appointments.finding.needs import DEVICE, PATIENT, PROVIDER, ROOM, Need
from appointments.finding.ticks import TICK, aligned, ceil, floor
from clinic.retelling import kept
from clinic.retelling import text as quoted
from clinic.saying import noop

LONGEST = 288  # ticks of a day, and no allocation is longer


@dataclass(frozen=True, slots=True)
class Wanted:
    """A visit to be placed. `named` are the resources that the file names, by kind; `pools` those
    that suit, by kind, in order of preference; `patient` is any key of the patient."""

    key: str
    starts_at: datetime
    need: Need
    patient: object
    named: Mapping[str, int]
    pools: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Place:
    """The resources of a visit by kind, or the sentence why it has none."""

    held: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class Taken:
    """What is taken, in ticks [first, end) by resource; grows as places are given."""

    _spans: dict[object, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, resource: object, first: int, end: int) -> None:
        spans = self._spans.setdefault(resource, [])
        spans.insert(bisect_left(spans, (first, end)), (first, end))

    def is_free(self, resource: object, first: int, end: int) -> bool:
        spans = self._spans.get(resource, [])
        here = bisect_left(spans, (end, 0))
        # Nothing reaches further back than a day.
        while here and spans[here - 1][0] > first - LONGEST:
            here -= 1
            if spans[here][1] > first:
                return False
        return True


_NOT_FREE = {
    PROVIDER: noop("No provider that suits is free then."),
    ROOM: noop("No room that suits is free then."),
    DEVICE: noop("No device that suits is free then."),
}


def place(wanted: Iterable[Wanted], taken: Taken, names: Mapping[int, str]) -> dict[str, Place]:
    """A place for each visit, or why it has none, by its key. `names` are those of resources."""
    ordered = sorted(wanted, key=lambda visit: (visit.starts_at, visit.key))
    return {visit.key: _place(visit, taken, names) for visit in ordered}


def _place(visit: Wanted, taken: Taken, names: Mapping[int, str]) -> Place:
    if not aligned(visit.starts_at):
        return Place(problem=noop("It does not start on full five minutes."))
    held: dict[str, int] = {}
    if not taken.is_free(visit.patient, *_span(visit, PATIENT)):
        return Place(problem=noop("The patient has another visit then."))
    for kind in visit.need.windows:
        if kind == PATIENT:
            continue
        named = visit.named.get(kind)
        if named is not None and named not in visit.pools[kind]:
            return Place(
                problem=kept(
                    "%(name)s is not set up for this treatment.", name=quoted(names[named])
                )
            )
        span = _span(visit, kind)
        pool = visit.pools[kind] if named is None else [named]
        free = next((each for each in pool if taken.is_free(each, *span)), None)
        if free is None and named is not None:
            return Place(problem=kept("%(name)s is taken then.", name=quoted(names[named])))
        if free is None:
            return Place(problem=_NOT_FREE[kind])
        held[kind] = free
    for kind, resource in held.items():
        taken.add(resource, *_span(visit, kind))
    taken.add(visit.patient, *_span(visit, PATIENT))
    return Place(held)


def _span(visit: Wanted, kind: str) -> tuple[int, int]:
    period = visit.need.held(kind, visit.starts_at)
    return floor(period.starts_at), ceil(period.ends_at)


def ends_at(visit: Wanted) -> datetime:
    return visit.starts_at + visit.need.body * TICK
