"""Swapping two visits: each gets the other's start, or neither does."""

from __future__ import annotations

from datetime import datetime

from appointments.claiming import taking
from appointments.models import Appointment
from appointments.visits.moving import VisitMove, may_move, move_together
from clinic.models import Staff


def swap(
    *,
    one: Appointment,
    other: Appointment,
    by: Staff,
    now: datetime,
    reason: str = "",
    expected_versions: tuple[int | None, int | None] = (None, None),
    override_reason: str = "",
) -> list[Appointment]:
    """Let two visits exchange their starts, with who and what is held as far as it suits both.

    Each keeps its own length, so each must fit where the other was. Raises as `move_together`
    does; StaleVersion also when somebody moved one of them at this moment.
    """
    may_move(one, by)
    may_move(other, by)
    wishes = [
        taking.wish_for_move(visit, partner.starts_at, {}, now=now, partner=partner)
        for visit, partner in ((one, other), (other, one))
    ]
    moves = [
        # The places were chosen from what the rows say: a row that moved on has other places.
        VisitMove(visit, wish, visit.version if expected is None else expected)
        for visit, wish, expected in zip((one, other), wishes, expected_versions, strict=True)
    ]
    return move_together(
        moves=moves, by=by, now=now, reason=reason, override_reason=override_reason
    )
