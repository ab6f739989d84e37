"""Moving one visit when the rest of its series must follow: preview and commit.

The new plan comes from `proposing.replan`; what was seen of it is committed by `moving`, so that
a place that is lost meanwhile changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from appointments import proposing
from appointments.claiming import taking
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.models import Appointment
from appointments.proposing.places import Replan, VisitWish
from appointments.refusals import NoWayForTheRest
from appointments.visits import moving
from appointments.visits.moving import VisitMove
from clinic.models import Staff


def preview(
    *,
    appointment: Appointment,
    starts_at: datetime,
    now: datetime,
    provider_id: int | None = None,
    room_id: int | None = None,
    device_id: int | None = None,
) -> Replan:
    """The series as it would be with this visit at `starts_at` (UTC); nothing is held.

    Later visits that still fit stay. Raises MoveRefused, VisitLocked and the refusal of an
    interval to the session before.
    """
    moving.may_move(appointment, by=None)
    named = {PROVIDER: provider_id, ROOM: room_id, DEVICE: device_id}
    wish = taking.wish_for_move(appointment, starts_at, named, now=now)
    return of_wish(appointment=appointment, wish=wish, now=now)


def of_wish(*, appointment: Appointment, wish: VisitWish, now: datetime) -> Replan:
    """As `preview`, for a place that is named whole."""
    return proposing.replan(series=appointment.series, wished={appointment.session: wish}, now=now)


def ripple(
    *,
    appointment: Appointment,
    starts_at: datetime,
    by: Staff,
    now: datetime,
    provider_id: int | None = None,
    room_id: int | None = None,
    device_id: int | None = None,
    reason: str = "",
    expected_version: int | None = None,
) -> list[Appointment]:
    """Move a visit together with those of its series that must follow; the moved ones.

    Raises:
        Refused: NoWayForTheRest when the rest finds no places, or as `moving.move_together`
            does; nothing is written.
        Forbidden: when `by` may not book at the visit's site.
    """
    moving.may_move(appointment, by)
    found = preview(
        appointment=appointment,
        starts_at=starts_at,
        now=now,
        provider_id=provider_id,
        room_id=room_id,
        device_id=device_id,
    )
    if found.problem is not None:
        raise NoWayForTheRest(found.problem.sentence)
    moves = [
        VisitMove(
            line.appointment,
            line.after.wish,
            expected_version
            if expected_version is not None and line.session == appointment.session
            else line.appointment.version,
        )
        for line in found.changed
    ]
    return moving.move_together(moves=moves, by=by, now=now, reason=reason)
