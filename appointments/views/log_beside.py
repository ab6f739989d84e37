"""What stands beside a log: last time's addenda and photos, and the session that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from appointments.charting.last_time import last_time
from appointments.charting.sheets import Sheet
from appointments.finding.intervals import bounds
from appointments.models import Appointment
from appointments.photos import showing


@dataclass(frozen=True, slots=True)
class NextSession:
    """The session after this one: its `booked` visit, else the `day` that its interval asks for,
    which is `days` after this one."""

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
    session = visit.session + 1
    standing = series.appointments.standing().select_related("site")
    booked = standing.filter(session__gt=visit.session).order_by("session").first()
    if booked is not None:
        return NextSession(booked.session, booked)
    interval = sheet.protocol.series.interval
    if interval is None or session > series.sessions or series.closed_at is not None:
        return None
    ideal = bounds(sheet.day, interval).ideal
    return NextSession(session, None, ideal, (ideal - sheet.day).days)
