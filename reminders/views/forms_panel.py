"""The forms of a patient on the pages of staff: where they stand, and the tablet to sign on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from appointments import asked_forms
from appointments.models import Appointment, Photo
from appointments.photos import showing
from clinic.access import Capability
from patients.models import Patient
from patients.signing import asking
from patients.signing.standing import WORDS


def of_visit(visit: Appointment, held: frozenset[Capability], *, now: datetime) -> dict[str, Any]:
    """The form of the visit's treatment, and those for photos."""
    asked = asking.of_patient(visit.series.patient, [visit.protocol_version.protocol], now=now)
    return _panel(asked, held)


def of_patient(patient: Patient, held: frozenset[Capability], *, now: datetime) -> dict[str, Any]:
    """The forms of all that is under way, and everything that was ever signed."""
    signed = patient.signed_forms.defer("sheet").select_related("form")
    return _panel(asked_forms.of_patient(patient, now=now), held) | {"history": list(signed)}


def _panel(asked: list[asking.Asked], held: frozenset[Capability]) -> dict[str, Any]:
    return {
        "lines": [(each, WORDS[each.standing]) for each in asked],
        "may_hand_over": Capability.RUN_VISIT in held and any(each.is_due for each in asked),
    }


def photos_of(patient: Patient, *, now: datetime) -> dict[str, Any]:
    """How many photos there are and wait, and what they may be used for."""
    photos = Photo.objects.standing().filter(patient=patient)
    return {
        "count": photos.count(),
        "waiting": photos.to_review().count(),
        "uses": showing.uses(patient, now=now),
    }
