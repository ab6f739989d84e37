"""A site as patients know it, and a patient as letters address them."""

from __future__ import annotations

from clinic.models import Site
from patients.models import Patient
from reminders.channels import agreements
from reminders.gate import Recipient
from reminders.ledger.claiming import Holder
from reminders.wording.lettering import Reader, Sender


def sender_of(site: Site) -> Sender:
    """A site as patients know it."""
    return Sender(
        clinic_name=site.name,
        sms_name=site.sms_name,
        phone=site.phone,
        address=site.address,
        review_url=site.review_url,
    )


def reader_of(
    patient: Patient | Holder, recipient: Recipient, *, first_sms: bool = False
) -> Reader:
    """A patient as letters address them."""
    return Reader(
        first_name=patient.first_name,
        language=recipient.language or patient.language,
        zone=patient.zone,
        detail=agreements.mail_names_treatment(recipient.consents),
        first_sms=first_sms,
    )
