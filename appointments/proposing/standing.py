"""What stands in a series: its visits that were neither cancelled nor missed, by session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from appointments.finding.needs import PATIENT, PROVIDER
from appointments.finding.plans import Stay
from appointments.lifecycle import State
from appointments.models import Appointment, TreatmentSeries
from clinic.wall_time import local


def days_of(series: TreatmentSeries, changed: Mapping[int, datetime]) -> list[tuple[int, date]]:
    """(session, local date) of the standing visits in order, with `changed` starts by session."""
    standing = series.appointments.exclude(state__in=(State.CANCELLED, State.NO_SHOW))
    starts = {**dict(standing.values_list("session", "starts_at")), **changed}
    zone = series.site.zone
    return [(session, local(at, zone).date()) for session, at in sorted(starts.items())]


def free_session(series: TreatmentSeries) -> int:
    """The lowest session number without a visit."""
    taken = set(series.appointments.standing().values_list("session", flat=True))
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def place_of(series: TreatmentSeries, session: int) -> Stay | None:
    """The place of the standing visit of a session; None when it holds no provider."""
    return stay_of(series.appointments.standing().get(session=session))


def stay_of(visit: Appointment) -> Stay | None:
    """The place that a visit has; None when it holds no provider."""
    held = visit.resources_held()
    held.pop(PATIENT, None)
    day = local(visit.starts_at, visit.site.zone).date()
    return Stay(day, visit.starts_at, held) if PROVIDER in held else None
