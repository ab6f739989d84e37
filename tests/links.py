"""Links as a patient holds them."""

from datetime import datetime

from appointments import links
from appointments.models import Appointment, PatientLink


def issued(
    *,
    patient_id: int,
    appointment: Appointment | None,
    now: datetime,
    purpose: PatientLink.Purpose = PatientLink.Purpose.CARE,
) -> str:
    """The token of a link that was sent to a patient, for one visit or for all."""
    token, link = links.prepare(
        patient_id=patient_id, appointment=appointment, now=now, purpose=purpose
    )
    link.save()
    return token
