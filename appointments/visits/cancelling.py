"""Cancelling a visit: its place is given back in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from appointments.claiming import allocating, gaps
from appointments.claiming.allocating import Lost
from appointments.lifecycle import TO_COME, Move, State, after
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
    tell_patient: bool = True,
    expected_version: int | None = None,
) -> Appointment:
    """Cancel a visit and give back its place; `by_patient` says whose wish it was, `by` is None
    when they did it themselves. Unless staff `tell_patient`, no message says so."""
    try:
        with allocating.guarded():
            visit = history.locked(
                appointment, by=by, capability=Capability.BOOK, expected=expected_version
            )
            state = after(State(visit.state), Move.CANCEL)
            was = history.before(visit, allocating.release(visit))
            visit.state, visit.closed_at, visit.cancelled_by_patient = state, now, by_patient
            visit.schedule_version += 1
            change = history.keep(
                visit, Move.CANCEL, was, by=by, now=now, reason=reason, is_untold=not tell_patient
            )
            gaps.open_for([change], now=now)
            return visit
    except Lost:
        raise busy() from None


def later_of(appointment: Appointment) -> Sequence[Appointment]:
    """The visits of its series that are to come after this one, in order of time."""
    coming = appointment.series.appointments.filter(state__in=TO_COME)
    later = coming.filter(starts_at__gt=appointment.starts_at).select_related("site")
    return list(later.order_by("starts_at", "id"))


def cancel_with_later(
    *,
    appointment: Appointment,
    by: Staff,
    now: datetime,
    reason: str,
    seen: Mapping[int, int],
    by_patient: bool = False,
    tell_patient: bool = True,
    expected_version: int | None = None,
) -> list[Appointment]:
    """Cancel a visit and all of its series that are to come after it, or none of them; this one
    first. The series stays open.

    `seen` are the versions of the later visits, by id, that the reader saw. Raises as `cancel`,
    and StaleVersion when the later visits are not these any more.
    """
    try:
        with allocating.guarded():
            # Under the locks of all of them, in order of id, as everybody takes them.
            rows = appointment.series.appointments.select_for_update(no_key=True).order_by("pk")
            list(rows.values_list("pk", flat=True))
            later = later_of(appointment)
            if {visit.pk: visit.version for visit in later} != seen:
                raise history.changed_since()
            visits = [appointment, *later]
            allocating.lock(allocating.held_by(*visits))
            return [
                cancel(
                    appointment=visit,
                    by=by,
                    now=now,
                    reason=reason,
                    by_patient=by_patient,
                    tell_patient=tell_patient,
                    expected_version=expected_version if visit == appointment else None,
                )
                for visit in visits
            ]
    except Lost:
        raise busy() from None
