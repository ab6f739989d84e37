"""What accepting a place does to the patient's visits: one comes earlier and those after it move
along, or the next session or a first visit is booked. All or nothing, in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime

from appointments import proposing
from appointments.models import Appointment, Hold, Invitation, WaitlistEntry
from appointments.proposing.places import Replan, VisitWish
from appointments.visits import booking, moving
from appointments.visits.moving import VisitMove
from appointments.waitlist.refusals import NoMatch
from clinic.models import Staff
from clinic.saying import gettext, noop


def ripple(
    entry: WaitlistEntry, wish: VisitWish, *, now: datetime, holding: Hold | None = None
) -> Replan:
    """The series of an entry for an earlier visit, as it would stand with the visit at `wish`.

    Raises NoMatch when the visits after it find no place.
    """
    assert entry.series is not None
    assert entry.appointment is not None
    plan = proposing.replan(
        series=entry.series, wished={entry.appointment.session: wish}, now=now, holding=holding
    )
    if plan.problem is not None:
        raise NoMatch(
            gettext("The later visits find no place then: %(problem)s")
            % {"problem": plan.problem.sentence}
        )
    return plan


def take_place(
    *,
    entry: WaitlistEntry,
    invitation: Invitation,
    hold: Hold,
    by: Staff | None,
    now: datetime,
) -> Appointment:
    """Give the entry the place of its invitation, which `hold` keeps; the visit.

    Raises Refused when it breaks a rule by now; the caller's transaction must be rolled back.
    """
    wish = wish_of(invitation)
    if entry.appointment is not None:
        plan = ripple(entry, wish, now=now, holding=hold)
        moved = moving.move_together(
            moves=[VisitMove(line.appointment, line.after.wish) for line in plan.changed],
            by=by,
            now=now,
            reason=noop("Earlier place from the wait-list"),
            hold=hold,
        )
        return next(visit for visit in moved if visit.pk == entry.appointment_id)
    if entry.series is not None:
        return booking.add_visit(series=entry.series, visit=wish, by=by, now=now, hold=hold)
    series = booking.book_series(
        patient=entry.patient,
        site=entry.site,
        version=entry.protocol_version,
        areas=entry.areas,
        visits=[wish],
        by=by,
        now=now,
        hold=hold,
    )
    return series.appointments.get()


def wish_of(invitation: Invitation) -> VisitWish:
    """The place of an invitation, to be booked."""
    return VisitWish(
        invitation.starts_at,
        invitation.provider_id,
        invitation.room_id,
        invitation.device_id,
    )
