"""Ending a series early, and taking that back: all of its visits to come, or none of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from appointments.claiming import allocating
from appointments.claiming.allocating import Lost
from appointments.lifecycle import TO_COME, UNDER_WAY, Move
from appointments.models import Appointment, StatusChange, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.refusals import (
    ReasonMissing,
    SeriesClosed,
    SeriesNotEnded,
    StaleVersion,
    VisitUnderWay,
    busy,
)
from appointments.visits import cancelling, undoing
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from patients.models import Patient


def end_series(
    *,
    series: TreatmentSeries,
    reason: str,
    by: Staff,
    now: datetime,
    tell_patient: bool = True,
) -> TreatmentSeries:
    """Cancel the visits still to come and close the series; what was done stays. Unless
    `tell_patient`, no message says that they are cancelled.

    Raises:
        Refused: VisitUnderWay, SeriesClosed, ReasonMissing; nothing is written.
        Forbidden: when `by` may not book at the series' site.
    """
    access.require(by, Capability.BOOK, series.site)
    if not reason.strip():
        raise ReasonMissing(gettext("Write why the series ends; it is kept with it."))
    try:
        with allocating.guarded():
            visits = _locked(series)
            coming = [visit for visit in visits if visit.state in TO_COME]
            allocating.lock(allocating.held_by(*coming))
            fresh = _open_or_ended(series, SeriesState.OPEN)
            if fresh.appointments.count() != len(visits):
                raise StaleVersion(
                    gettext(
                        "A visit of this series was booked at this moment. Look again, then end it."
                    )
                )
            for visit in visits:
                if visit.state in UNDER_WAY:
                    raise VisitUnderWay(
                        gettext(
                            "Session %(session)s is under way. Complete or cancel it first, then"
                            " end the series."
                        )
                        % {"session": visit.session}
                    )
            for visit in coming:
                cancelling.cancel(
                    appointment=visit, by=by, now=now, reason=reason, tell_patient=tell_patient
                )
            fresh.state, fresh.closed_at, fresh.closed_reason = SeriesState.ENDED, now, reason
            _keep(fresh, "series.end", len(coming), reason, by=by, now=now)
            return fresh
    except Lost:
        raise busy() from None


def reopen(*, series: TreatmentSeries, by: Staff, now: datetime) -> TreatmentSeries:
    """Take back an early end: the series goes on, and the visits that ended with it get their
    former places again.

    Raises:
        Refused: SeriesNotEnded, SlotTaken when a place is gone meanwhile, SessionTaken or an
            interval's refusal; nothing is written.
        Forbidden: when `by` may not book at the series' site.
    """
    access.require(by, Capability.BOOK, series.site)
    try:
        with allocating.guarded():
            _locked(series)
            cancels = StatusChange.objects.filter(
                appointment__series=series,
                move=Move.CANCEL,
                undone_by=None,
                at=F("appointment__series__closed_at"),
            ).order_by("appointment__session")
            ended = [change.appointment for change in cancels.select_related("appointment")]
            held = cancels.values_list("resources_before", flat=True)
            allocating.lock(resource for resources in held for resource in resources)
            fresh = _open_or_ended(series, SeriesState.ENDED)
            fresh.state, fresh.closed_at, fresh.closed_reason = SeriesState.OPEN, None, ""
            _keep(fresh, "series.reopen", len(ended), "", by=by, now=now)
            for visit in ended:
                undoing.undo(appointment=visit, by=by, now=now)
            return fresh
    except Lost:
        raise busy() from None


def _locked(series: TreatmentSeries) -> Sequence[Appointment]:
    """Its visits under their locks. They come first, then resources, then the series, then the
    patient: the order in which every act on a visit locks them."""
    return list(series.appointments.select_for_update(no_key=True).order_by("pk"))


def _open_or_ended(series: TreatmentSeries, wanted: SeriesState) -> TreatmentSeries:
    rows = TreatmentSeries.objects.select_related("site", "patient")
    fresh = rows.select_for_update(no_key=True, of=("self",)).get(pk=series.pk)
    if fresh.state == wanted:
        return fresh
    if wanted == SeriesState.ENDED:
        raise SeriesNotEnded(
            gettext("This series was not ended early, so there is nothing to take back.")
        )
    raise SeriesClosed(gettext("This series is closed already."))


def _keep(
    series: TreatmentSeries, action: str, visits: int, reason: str, *, by: Staff, now: datetime
) -> None:
    series.save(update_fields=["state", "closed_at", "closed_reason"])
    audit.record(
        action=action,
        subject=series,
        by=by,
        now=now,
        site=series.site,
        patient_id=series.patient_id,
        after={"state": series.state, "visits": visits},
        reason=reason,
    )
    Patient.objects.filter(pk=series.patient_id).raise_revision()
