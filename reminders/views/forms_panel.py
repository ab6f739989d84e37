"""The forms of a patient on the pages of staff: where they stand, and the tablet to sign on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from appointments.models import Appointment, Photo, TreatmentSeries
from appointments.photos import showing
from clinic.access import Capability
from clinic.reader_language import reader_language
from patients.models import Patient
from patients.signing import asking
from patients.signing.standing import WORDS


def of_visit(visit: Appointment, held: frozenset[Capability], *, now: datetime) -> dict[str, Any]:
    """`forms`: that of the visit's treatment and those for photos; and `photos`."""
    patient = visit.series.patient
    asked = asking.of_patient(patient, [visit.protocol_version.protocol], now=now)
    return {"forms": _panel(asked, held), "photos": _photos(patient, asked)}


def of_patient(
    patient: Patient,
    every: Sequence[TreatmentSeries],
    held: frozenset[Capability],
    *,
    now: datetime,
) -> dict[str, Any]:
    """`forms`: those of all that is under way, and whatever was ever signed; and `photos`."""
    running = {each.protocol_version.protocol for each in every if each.closed_at is None}
    asked = asking.of_patient(patient, running, now=now)
    signed = patient.signed_forms.defer("sheet").select_related("form", "site")
    return {
        "forms": _panel(asked, held)
        | {"history": [(each, each.form.title(reader_language())) for each in signed]},
        "photos": _photos(patient, asked),
    }


def _panel(asked: list[asking.Asked], held: frozenset[Capability]) -> dict[str, Any]:
    return {
        "lines": [
            (each, each.form.title(reader_language()), gettext(WORDS[each.standing]))
            for each in asked
        ],
        "may_hand_over": Capability.RUN_VISIT in held and any(each.is_due for each in asked),
    }


def _photos(patient: Patient, asked: list[asking.Asked]) -> dict[str, Any]:
    """How many photos there are and wait, and what they may be used for."""
    kept = Photo.objects.standing().filter(patient=patient)
    areas = list(kept.values_list("area", flat=True))
    # Of what has no area nobody has said yet what it shows.
    waiting = areas.count("")
    return {"count": len(areas), "waiting": waiting, "uses": showing.uses_among(asked)}
