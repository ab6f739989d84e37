"""Which questions a patient has to answer before which visit. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from appointments.clearance import treatment_of
from appointments.clearance.screening import screened_of
from appointments.lifecycle import OPEN
from appointments.models import Appointment, PatientLink
from clinic.hours import local
from clinic.protocols.schema import AskAt
from patients.models import ScreeningMoment
from patients.screening import validity
from patients.screening.questions import Question, questions_of

# What is answered before counts no more on the day of the visit (`screening.validity`).
EARLIEST = timedelta(days=13)


def next_visit(link: PatientLink, *, now: datetime) -> Appointment | None:
    """The visit that the questions are about: the one of the link, else the next; None as long as
    it is so far away that they would have to be asked again."""
    visits = Appointment.objects.filter(
        series__patient=link.patient_id,
        state__in=OPEN,
        ends_at__gt=now,
        starts_at__lt=now + EARLIEST,
    ).select_related("site", "series__patient", "protocol_version")
    if link.appointment_id is not None:
        visits = visits.filter(pk=link.appointment_id)
    return visits.order_by("starts_at", "id").first()


def due_for(visit: Appointment, *, now: datetime) -> Sequence[Question]:
    """The questions that the patient has not answered for a visit, or not lately enough."""
    (screened,) = screened_of([treatment_of(visit)])
    return validity.due(
        questions_of(screened.protocol),
        screened.areas,
        screened.answers,
        moment=AskAt(moment_of(visit, now)),
        day=local(visit.starts_at, visit.site.zone).date(),
        treated_at=screened.treated_at,
    )


def moment_of(visit: Appointment, now: datetime) -> ScreeningMoment:
    zone = visit.site.zone
    is_today = local(visit.starts_at, zone).date() == local(now, zone).date()
    return ScreeningMoment.DAY_OF if is_today else ScreeningMoment.PRE
