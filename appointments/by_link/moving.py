"""A patient moves their visit: the place is kept while they look at it, and then taken.

Later visits of the series that no longer fit move along, as when staff move one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from appointments import links, proposing
from appointments.by_link import times
from appointments.by_link.refusals import NotByLink, Why
from appointments.claiming import holding, taking
from appointments.models import Appointment, Hold, PatientLink
from appointments.proposing.places import Replan
from appointments.refusals import NoWayForTheRest, StaleVersion
from appointments.visits import moving
from appointments.visits.moving import VisitMove
from clinic.saying import gettext
from clinic.wall_time import local


def proposed(
    *, visit: Appointment, starts_at: datetime, now: datetime, kept: Hold | None = None
) -> Replan:
    """The series as it would be with the visit at `starts_at` (UTC); what `kept` holds is free.

    Raises:
        NotByLink: when the patient may not move it, or not to that time.
        Refused: NoWayForTheRest when the later visits find no places.
    """
    times.require_movable(visit, now=now)
    if starts_at == visit.starts_at:
        raise NotByLink(Why.NOT_ALLOWED)
    if starts_at < now + times.notice_of(visit.site):
        raise NotByLink(Why.TOO_SOON)
    if local(starts_at, visit.site.zone).date() not in times.window_of(visit, now=now):
        raise NotByLink(Why.NOT_ALLOWED)
    wish = taking.wish_for_move(visit, starts_at, {}, now=now, holding=kept)
    found = proposing.replan(
        series=visit.series, wished={visit.session: wish}, now=now, holding=kept
    )
    if found.problem is not None:
        raise NoWayForTheRest(found.problem.sentence)
    return found


def keep(*, visit: Appointment, starts_at: datetime, now: datetime) -> Hold:
    """Keep the time for some minutes, and the places of later visits that move along with it.

    What the patient kept before is let go. Raises as `proposed` does, and SlotTaken.
    """
    kept = Hold.objects.own_of(visit.series.patient)
    found = proposed(visit=visit, starts_at=starts_at, now=now, kept=kept)
    moves = [
        VisitMove(line.appointment, line.after.wish).of(line.appointment) for line in found.changed
    ]
    return holding.hold_for_patient(
        claims=moving.claims_of(moves), patient=visit.series.patient, site=visit.site, now=now
    )


def move(
    *, link: PatientLink, visit: Appointment, moves: Sequence[VisitMove], now: datetime
) -> Appointment:
    """Move the visit, and with it those that move along, as they were shown; the visit.

    Raises:
        NotByLink: when the patient may not.
        Refused: SlotTaken with the nearest places, StaleVersion, an interval's refusal, Barred or
            another cause; nothing is written.
    """
    own = next((each for each in moves if each.appointment.pk == visit.pk), None)
    if own is None:
        raise StaleVersion(gettext("Choose the time again: what was shown cannot be read."))
    notice = times.notice_of(visit.site)
    for each in moves:
        times.require_movable(each.appointment, now=now)
        if each.wish.starts_at < now + notice:
            raise NotByLink(Why.TOO_SOON)
    with transaction.atomic():
        moving.move_together(
            moves=moves, by=None, now=now, hold=Hold.objects.own_of(visit.series.patient)
        )
        links.acted(link, visit)
    visit.refresh_from_db()
    return visit
