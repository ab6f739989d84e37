"""Booking a series together with what it shall not send, and taking the booking back.

Each is one transaction around `appointments.booking`, so a skip is a fact before the first plan.
Refuses to know dates, places and words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from appointments import booking, cancelling
from appointments.models import TreatmentSeries
from appointments.models.series import SeriesState
from appointments.places import VisitWish
from clinic import access, audit
from clinic.access import Capability
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.models import SkipChoice

TAKEN_BACK = "Booking taken back"


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
        )
        SkipChoice.objects.bulk_create(
            SkipChoice(series=series, session=session, step=step, channel=channel, by=by, at=now)
            for session, step, channel in sorted(set(skips))
        )
        return series


def take_back(*, series: TreatmentSeries, by: Staff, now: datetime) -> None:
    """Undo a booking: cancel every visit that stands and end the series.

    Within the site's hold nothing was told yet, so nothing is sent. Raises MoveRefused once a
    visit is under way; then nothing changes.
    """
    with transaction.atomic():
        access.require(by, Capability.BOOK, series.site)
        # Visits, then series, then patient: the order in which every act on a visit locks them.
        list(series.appointments.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series.pk)
        for visit in series.appointments.standing().order_by("session"):
            cancelling.cancel(appointment=visit, by=by, now=now, reason=TAKEN_BACK)
        ended = TreatmentSeries.objects.filter(pk=series.pk, state=SeriesState.OPEN).update(
            state=SeriesState.ENDED, closed_at=now, closed_reason=TAKEN_BACK
        )
        if ended:
            audit.record(
                action="series.take_back",
                subject=series,
                by=by,
                now=now,
                site=series.site,
                patient_id=series.patient_id,
                reason=TAKEN_BACK,
            )
