"""Moving one visit when the rest of its series must follow: preview, commit, take back.

The new plan comes from `proposing.replan`; what was seen of it is committed by `moving`, so that
a place that is lost meanwhile changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from appointments import proposing
from appointments.claiming import allocating, taking
from appointments.claiming.allocating import Lost
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.models import Appointment
from appointments.proposing.places import Replan, VisitWish
from appointments.refusals import NoWayForTheRest, busy
from appointments.visits import moving, undoing
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

    Later visits that still fit stay. Raises MoveRefused and VisitLocked.
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


def take_back(
    *, visits: Sequence[tuple[Appointment, int]], by: Staff, now: datetime
) -> list[Appointment]:
    """Undo the last act on each of these visits of one series, all or nothing.

    `visits` are with the version that was seen. Raises as `undoing.undo` does.
    """
    rows = [visit for visit, _ in visits]
    try:
        with allocating.guarded():
            former = {visit.session: undoing.former_place(visit) for visit in rows}
            # Visits in order of id, then resources: the order in which everybody locks them.
            same = Appointment.objects.filter(pk__in=[row.pk for row in rows])
            list(same.select_for_update(no_key=True).order_by("pk").values_list("pk"))
            held = {each for place in former.values() for each in place.resources}
            allocating.lock([*held, *allocating.held_by(*rows)])
            starts = {session: place.starts_at for session, place in former.items()}
            later = any(former[row.session].starts_at < row.starts_at for row in rows)
            # One that moved into the place of another leaves it first.
            ordered = sorted(visits, key=lambda pair: pair[0].session, reverse=not later)
            back = partial(undoing.undo, by=by, now=now, beside=starts)
            return [back(appointment=row, expected_version=version) for row, version in ordered]
    except Lost:
        raise busy() from None
