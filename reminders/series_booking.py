"""Booking a series together with what it shall not send, and taking the booking back.

Each is one transaction around `appointments.visits.booking`, so a skip is a fact before the first
plan. Refuses to know dates, places and words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from appointments.lifecycle import Move, State, after
from appointments.models import TreatmentSeries
from appointments.models.series import SeriesState
from appointments.proposing.places import VisitWish
from appointments.visits import booking, ending
from clinic.models import ProtocolVersion, Site, Staff
from clinic.saying import noop
from patients.models import Patient
from reminders.models import SkipChoice

TAKEN_BACK = noop("Booking taken back")


def book(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    visits: Sequence[VisitWish],
    skips: Collection[tuple[int, str, str]],
    by: Staff,
    now: datetime,
    sessions: int | None = None,
    override_reason: str = "",
    overlap: bool = False,
) -> TreatmentSeries:
    """Book the visits; `skips` are the (session, step, channel) that staff chose not to send.

    Raises what `booking.book_series` raises; then nothing is stored.
    """
    with transaction.atomic():
        series = booking.book_series(
            patient=patient,
            site=site,
            version=version,
            areas=areas,
            visits=visits,
            by=by,
            now=now,
            sessions=sessions,
            override_reason=override_reason,
            overlap=overlap,
        )
        SkipChoice.objects.bulk_create(
            SkipChoice(series=series, session=session, step=step, channel=channel, by=by, at=now)
            for session, step, channel in sorted(set(skips))
        )
        return series


def take_back(*, series: TreatmentSeries, by: Staff, now: datetime) -> None:
    """Undo a booking: cancel every visit and end the series; twice is once.

    Within the site's hold nothing was told yet, so nothing is sent. Raises MoveRefused or
    VisitUnderWay once a visit has begun; then nothing changes.
    """
    with transaction.atomic():
        visits = series.appointments.select_for_update(no_key=True).order_by("pk")
        for visit in [each for each in visits if each.state != State.CANCELLED]:
            after(State(visit.state), Move.CANCEL)
        if series.state == SeriesState.OPEN:
            ending.end_series(series=series, reason=TAKEN_BACK, by=by, now=now)
