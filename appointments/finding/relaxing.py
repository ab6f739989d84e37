"""What would open a place when a series finds none: one condition after the other let go. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from appointments.finding.availability import Facts
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.finding.plans import Impossible, Wish
from appointments.finding.series_plans import plans


@dataclass(frozen=True, slots=True)
class WayOut:
    """`kind` is what is let go: provider, wishes, interval or waitlist; `day` where the stuck
    session then lies, `days` by how much that exceeds the longest interval."""

    kind: str
    day: date | None = None
    days: int = 0


def ways_out(facts: Facts, everybody: Facts, wish: Wish, stuck: Impossible) -> Iterator[WayOut]:
    """What helps, the gentlest first. `everybody` are the facts with all providers."""
    narrow = facts.pools[PROVIDER] != everybody.pools[PROVIDER]
    if narrow and (day := _day_of(everybody, wish, stuck.session)):
        yield WayOut("provider", day)
    if wish.preference.strict:
        lenient = replace(wish, preference=replace(wish.preference, strict=False))
        if day := _day_of(facts, lenient, stuck.session):
            yield WayOut("wishes", day)
    if stuck.beyond is not None and wish.interval is not None and stuck.session > 1:
        yield WayOut("interval", *stuck.beyond)
    if stuck.binding in (PROVIDER, ROOM, DEVICE, "wishes", "together"):
        yield WayOut("waitlist")


def _day_of(facts: Facts, wish: Wish, session: int) -> date | None:
    found = plans(facts, wish, most=1)
    if isinstance(found, Impossible):
        return None
    return next(visit.day for visit in found[0].visits if visit.session == session)
