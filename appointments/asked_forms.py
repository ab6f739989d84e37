"""Which consent forms concern whom, by what is planned for them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from clinic.consent_forms import in_force
from patients.models import Patient
from patients.signing import asking
from patients.signing.asking import Asked


def of_patient(patient: Patient, *, now: datetime) -> list[Asked]:
    """The forms of every treatment that is under way, then those for photos."""
    running = TreatmentSeries.objects.filter(patient=patient, state=SeriesState.OPEN)
    protocols = running.values_list("protocol_version__protocol", flat=True)
    return asking.of_patient(patient, set(protocols), now=now)


def of_visits(visits: Sequence[Appointment], *, now: datetime) -> dict[int, Asked]:
    """By visit the form of its treatment, where one is published; a constant number of queries.
    The visits are loaded with their series and protocol version."""
    subject_of = {visit.pk: in_force.treatment(visit.protocol_version.protocol) for visit in visits}
    wanted: dict[int, list[in_force.Subject]] = {}
    for visit in visits:
        wanted.setdefault(visit.series.patient_id, []).append(subject_of[visit.pk])
    found = asking.of(wanted, now=now)
    return {
        visit.pk: found[visit.series.patient_id][subject_of[visit.pk]]
        for visit in visits
        if subject_of[visit.pk] in found[visit.series.patient_id]
    }
