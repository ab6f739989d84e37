"""Cancelling a visit: its place is given back in the same transaction."""

from __future__ import annotations

from datetime import datetime

from appointments.claiming import allocating, gaps
from appointments.claiming.allocating import Lost
from appointments.lifecycle import Move, State, after
from appointments.models import Appointment
from appointments.refusals import busy
from appointments.visits import history
from clinic.access import Capability
from clinic.models import Staff


def cancel(
    *,
    appointment: Appointment,
    by: Staff | None,
    now: datetime,
    reason: str = "",
    by_patient: bool = False,
    expected_version: int | None = None,
) -> Appointment:
    """Cancel a visit and give back its place; `by_patient` says whose wish it was, `by` is None
    when they did it themselves."""
    try:
        with allocating.guarded():
            visit = history.locked(
                appointment, by=by, capability=Capability.BOOK, expected=expected_version
            )
            state = after(State(visit.state), Move.CANCEL)
            was = history.before(visit, allocating.release(visit))
            visit.state, visit.closed_at, visit.cancelled_by_patient = state, now, by_patient
            visit.schedule_version += 1
            change = history.keep(visit, Move.CANCEL, was, by=by, now=now, reason=reason)
            gaps.open_for([change], now=now)
            return visit
    except Lost:
        raise busy() from None
