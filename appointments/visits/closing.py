"""When a series is through: its last session done, nothing to come, nothing left to decide."""

from __future__ import annotations

from datetime import datetime

from appointments.lifecycle import OPEN, State
from appointments.models import TreatmentRecord, TreatmentSeries
from appointments.models.series import SeriesState


def settle(series_id: int, *, now: datetime) -> TreatmentSeries:
    """Complete a series that is through, and open one again that is not any more.

    A session that was done in part leaves it open until staff decide whether it counts. The caller
    holds the visit whose change asks for this; a series that was ended early stays ended.
    """
    series = TreatmentSeries.objects.select_for_update(no_key=True).get(pk=series_id)
    if series.state == SeriesState.ENDED:
        return series
    state = SeriesState.COMPLETED if _is_through(series) else SeriesState.OPEN
    if series.state != state:
        series.state = state
        series.closed_at = now if state == SeriesState.COMPLETED else None
        series.save(update_fields=["state", "closed_at"])
    return series


def _is_through(series: TreatmentSeries) -> bool:
    visits = series.appointments.all()
    return (
        visits.filter(state=State.DONE, session__gte=series.sessions).exists()
        and not visits.filter(state__in=OPEN).exists()
        and not TreatmentRecord.objects.undecided().filter(appointment__series=series).exists()
    )
