"""Visits as history left them: rows without the acts that made them, for what only counts rows."""

from datetime import date, timedelta

from appointments.lifecycle import State
from appointments.models import Allocation, Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, Resource, ResourceKind, Site
from clinic.wall_time import instant
from patients.models import Patient

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_past_visit(
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    day: date,
    state: State = State.DONE,
    *,
    series: TreatmentSeries | None = None,
    session: int = 1,
    sessions: int = 1,
    booked: date | None = None,
    ended: str = "",
) -> Appointment:
    """A visit at ten of a local day, in `series` or in one of its own, which `ended` as completed
    or ended early, or is open."""
    at = instant(day, 10 * 60, site.zone)
    booked_at = instant(booked or day - timedelta(days=30), 9 * 60, site.zone)
    series = series or TreatmentSeries.objects.create(
        patient=patient,
        site=site,
        protocol_version=version,
        areas=["face"],
        sessions=sessions,
        booked_at=booked_at,
        state=ended or "open",
        closed_at=at + 2 * HOUR if ended else None,
    )
    return Appointment.objects.create(
        series=series,
        site=site,
        protocol_version=version,
        session=session,
        state=state,
        starts_at=at,
        ends_at=at + HOUR,
        booked_at=booked_at,
        scheduled_at=booked_at,
        done_at=at + HOUR if state == State.DONE else None,
        closed_at=at + HOUR if state in (State.NO_SHOW, State.CANCELLED) else None,
    )


def treated_by(visit: Appointment, *providers: Resource, active: bool = True) -> None:
    """The visit went from one provider to the next; it is the last one's, if `active`."""
    visit.allocations.filter(resource__kind=ResourceKind.PROVIDER).update(active=False)
    for provider in providers:
        Allocation.objects.create(
            resource=provider,
            appointment=visit,
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            active=active and provider == providers[-1],
        )
