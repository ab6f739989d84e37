"""What stands beside a log: last time's addenda and photos, and the session that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from appointments.charting.last_time import last_time
from appointments.charting.sheets import Sheet
from appointments.finding.intervals import bounds
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.photos import showing


@dataclass(frozen=True, slots=True)
class NextSession:
    """The session after this one that was not missed: its `booked` visit, else the `day` that its
    interval asks for, which is `days` after this one."""

    session: int
    booked: Appointment | None
    day: date | None = None
    days: int = 0


def context(sheet: Sheet, *, may_chart: bool, now: datetime) -> dict[str, Any]:
    """`last` and `uses` (of photos) for who treats, and `following`, if there is one."""
    visit = sheet.visit
    return {
        "last": last_time(visit) if may_chart else None,
        "uses": showing.uses(visit.series.patient, now=now) if may_chart else (),
        "following": _following(sheet),
    }


def _following(sheet: Sheet) -> NextSession | None:
    visit, series = sheet.visit, sheet.visit.series
    later = series.appointments.standing().filter(session__gt=visit.session)
    standing = {each.session: each for each in later.select_related("site")}
    session = visit.session + 1
    while session in standing and standing[session].state == State.NO_SHOW:
        session += 1
    if session in standing:
        return NextSession(session, standing[session])
    interval = sheet.protocol.series.interval
    if interval is None or session > series.sessions or series.closed_at is not None:
        return None
    ideal = bounds(sheet.day, interval).ideal
    return NextSession(session, None, ideal, (ideal - sheet.day).days)
