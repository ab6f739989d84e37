"""What stands between the patient and a visit, as the panel of the visit's page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from appointments import clearance
from appointments.clearance import Act, Bar
from appointments.lifecycle import OPEN, State
from appointments.models import Appointment
from clinic import access
from clinic.access import Capability
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class Row:
    """One bar. `address` is the page that mends it, `who_decides` the roles that may decide."""

    bar: Bar
    address: str
    who_decides: list[str]
    stands: bool


def context(shown: Appointment, held: frozenset[Capability], now: datetime) -> dict[str, Any]:
    """The bars to starting a visit that is not over. `may_pass` when a reason lets the visit of
    somebody who is here start all the same."""
    if State(shown.state) not in OPEN:
        return {"bars": []}
    zone = shown.site.zone
    # Somebody who is here is treated today, whatever day was booked.
    day = local(now if shown.state == State.ARRIVED else shown.starts_at, zone).date()
    (found,) = clearance.standing([clearance.treatment_of(shown)], now=now)
    rows = [_row(bar, shown, bar.bars(Act.START, day)) for bar in _each_once(found)]
    standing = [row.bar for row in rows if row.stands]
    passable = bool(standing) and all(bar.passes_with in held for bar in standing)
    return {
        "bars": rows,
        "is_barred": bool(standing),
        "may_pass": passable and shown.state == State.ARRIVED and Capability.RUN_VISIT in held,
    }


def _each_once(bars: Sequence[Bar]) -> list[Bar]:
    """Of what is lacking on more than one day the page says the first."""
    first: dict[tuple[str, str], Bar] = {}
    for bar in sorted(bars, key=lambda bar: bar.since or date.min):
        first.setdefault((bar.code, bar.about), bar)
    return [bar for bar in bars if bar in first.values()]


def _row(bar: Bar, shown: Appointment, stands: bool) -> Row:
    return Row(
        bar=bar,
        address=reverse(bar.page, args=[shown.pk]) if bar.page else "",
        who_decides=access.roles_with(Capability(bar.decides_with)) if bar.decides_with else [],
        stands=stands,
    )
