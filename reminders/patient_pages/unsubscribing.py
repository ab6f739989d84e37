"""Ending marketing e-mail by the link that each such mail carries."""

from __future__ import annotations

from datetime import datetime

from appointments import links
from appointments.models import PatientLink
from patients import consent
from patients.models import ConsentChannel, Purpose
from patients.models.consent import ConsentSource


def unsubscribe(*, token: str, now: datetime) -> None:
    """Withdraw the patient's consent to marketing by e-mail; again and again is the same.

    Raises:
        LinkClosed: when the token opens nothing.
    """
    link = links.open(token, now=now, purpose=PatientLink.Purpose.UNSUBSCRIBE)
    consent.withdraw(
        patient=link.patient,
        purpose=Purpose.MARKETING,
        channel=ConsentChannel.EMAIL,
        by=None,
        now=now,
        source=ConsentSource.PATIENT_PAGE,
    )
