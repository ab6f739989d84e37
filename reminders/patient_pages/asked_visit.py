"""Before which visit a patient is asked questions, and which. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from appointments.clearance import due_questions
from appointments.lifecycle import OPEN
from appointments.models import Appointment, PatientLink
from patients.screening.questions import Question

# What is answered before counts no more on the day of the visit (`screening.validity`).
EARLIEST = timedelta(days=13)


def of_link(link: PatientLink, *, now: datetime) -> Appointment | None:
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


def questions_of(visit: Appointment | None, *, now: datetime) -> Sequence[Question]:
    """What the patient is asked before it; nothing without a visit."""
    return due_questions.of_visits([visit], now=now)[visit.pk] if visit is not None else ()
