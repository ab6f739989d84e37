"""Stretches of time and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Half-open time [starts_at, ends_at), in UTC."""

    starts_at: datetime
    ends_at: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    def overlaps(self, other: Period) -> bool:
        """Whether the two have time in common."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def merge(periods: Iterable[Period]) -> list[Period]:
    """The same time as disjoint periods in order; touching ones become one, empty ones go."""
    merged: list[Period] = []
    for period in sorted(each for each in periods if each.starts_at < each.ends_at):
        if merged and period.starts_at <= merged[-1].ends_at:
            last = merged.pop()
            period = Period(last.starts_at, max(last.ends_at, period.ends_at))
        merged.append(period)
    return merged


def subtract(periods: Iterable[Period], taken: Iterable[Period]) -> list[Period]:
    """The time in `periods` that is not in `taken`."""
    left, gone = [], merge(taken)
    for period in merge(periods):
        begins = period.starts_at
        for each in gone:
            if each.ends_at <= begins:
                continue
            if each.starts_at >= period.ends_at:
                break
            if begins < each.starts_at:
                left.append(Period(begins, each.starts_at))
            begins = each.ends_at
        if begins < period.ends_at:
            left.append(Period(begins, period.ends_at))
    return left


def intersect(a: Iterable[Period], b: Iterable[Period]) -> list[Period]:
    """The time that is both in `a` and in `b`."""
    others = merge(b)
    return merge(
        Period(max(one.starts_at, other.starts_at), min(one.ends_at, other.ends_at))
        for one in merge(a)
        for other in others
    )
