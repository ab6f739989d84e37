"""Giving a visit another length: it ends later or earlier, and starts when it did.

The patient was told of the start only, so nothing is said of it; what follows a visit follows its
new end. Refuses to move a visit (`moving`).
"""

from __future__ import annotations

from datetime import datetime

from appointments.finding import lengths
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.lifecycle import Move
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import StaleVersion
from appointments.visits import moving
from appointments.visits.moving import VisitMove
from clinic.models import Staff
from clinic.saying import gettext


def change_length(
    *,
    appointment: Appointment,
    minutes: int,
    by: Staff,
    now: datetime,
    place: VisitWish | None = None,
    reason: str = "",
    expected_version: int | None = None,
    override_reason: str = "",
    overlap: bool = False,
) -> Appointment:
    """Let a visit last `minutes` from its start on, with everything that it holds; or from the
    start of `place`, with what that names: it is moved there.

    One that only ends earlier takes nothing, so nothing can be in its way. Later moves keep the
    length. A visit may be made longer until it is done.

    Raises WrongLength, and as `moving.move_together` does.
    """
    stays = place is None or place.starts_at == appointment.starts_at
    moving.may_change(appointment, Move.RESIZE if stays else Move.MOVE, by)
    body = lengths.wished(minutes, present=appointment.body if place is None else 0)
    seen = appointment.version if expected_version is None else expected_version
    change = VisitMove(appointment, place or present(appointment), seen, body=body)
    (resized,) = moving.move_together(
        moves=[change],
        by=by,
        now=now,
        reason=reason,
        override_reason=override_reason,
        overlap=overlap,
    )
    return resized


def present(appointment: Appointment) -> VisitWish:
    """The place that the visit has. Raises StaleVersion when it holds nothing any more."""
    held = appointment.resources_held()
    if PROVIDER not in held or ROOM not in held:
        raise StaleVersion(
            gettext(
                "Somebody changed this visit since you opened it. Look at it again, then repeat."
            )
        )
    return VisitWish(appointment.starts_at, held[PROVIDER], held[ROOM], held.get(DEVICE))
