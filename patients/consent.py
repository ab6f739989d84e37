"""Giving, withdrawing and showing consent: every write to the consent ledger.

Consent is a fact of the gate, not of the plan: a message that is due asks for it. A withdrawal
raises the patient's revision all the same, so that what the gate has just let out is held back.
Refuses to send or to stop anything itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from clinic import audit, statements
from clinic.models import Staff
from clinic.saying import gettext
from patients import registration
from patients.models import ConsentChannel, ContactConsent, Patient, Purpose
from patients.models.consent import ConsentSource

# The versions of the wordings in patients/templates/patients/consent_wording.html; a wording
# that changes gets a new version here, and what was agreed to before keeps its own.
WORDINGS: dict[str, str] = {
    Purpose.CARE: "care-2026-11",
    Purpose.MARKETING: "marketing-2026-11",
    Purpose.PHOTOS: "photo-messages-2026-11",
    Purpose.PHI_DETAIL: "phi-detail-2026-11",
}
SENT_BY = {
    Purpose.CARE: (ConsentChannel.SMS, ConsentChannel.EMAIL),
    Purpose.MARKETING: (ConsentChannel.SMS, ConsentChannel.EMAIL),
    Purpose.PHOTOS: (ConsentChannel.ANY,),
    Purpose.PHI_DETAIL: (ConsentChannel.ANY,),
}


class ConsentRefused(ValueError):
    """This consent cannot exist: the purpose is not sent over that channel."""

    code = "consent_channel"
    field = "channel"

    def __init__(self, purpose: str, channel: str) -> None:
        names = ", ".join(SENT_BY[Purpose(purpose)])
        self.sentence = gettext(
            "Consent to %(purpose)s is not given for '%(channel)s'. Choose one of: %(names)s."
        ) % {"purpose": purpose, "channel": channel, "names": names}
        super().__init__(self.sentence)


@transaction.atomic
def give(
    *,
    patient: Patient,
    purpose: str,
    channel: str,
    by: Staff | None,
    now: datetime,
    source: str = ConsentSource.FRONT_DESK,
) -> ContactConsent:
    """Open a consent, or return the one that is open already.

    Raises ConsentRefused for a channel that the purpose does not have, Forbidden unless `by`
    may edit this patient (`by` is None when the patient does it).
    """
    if channel not in SENT_BY[Purpose(purpose)]:
        raise ConsentRefused(purpose, channel)
    if by is not None:
        registration.require_edit(by, patient)
    registration.require_open(patient)
    return _give(patient, purpose, channel, WORDINGS[purpose], by=by, now=now, source=source)


@transaction.atomic
def give_again(
    closed: ContactConsent, *, by: Staff | None, now: datetime, source: str
) -> ContactConsent:
    """Open what was closed once more, under the wording that was agreed to then.

    The caller has asked whether `by` may.
    """
    return _give(
        closed.patient,
        closed.purpose,
        closed.channel,
        closed.wording,
        by=by,
        now=now,
        source=source,
    )


def _give(
    patient: Patient,
    purpose: str,
    channel: str,
    wording: str,
    *,
    by: Staff | None,
    now: datetime,
    source: str,
) -> ContactConsent:
    # One writer at a time for a patient, so that two do not open the same consent.
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    standing = _open(patient, purpose, channel)
    if standing is not None:
        return standing
    given = ContactConsent.objects.create(
        patient=patient,
        purpose=purpose,
        channel=channel,
        wording=wording,
        opened_at=now,
        opened_by=by,
        opened_source=source,
    )
    audit.record(
        action="consent.give",
        subject=given,
        by=by,
        now=now,
        patient_id=patient.pk,
        after={"purpose": purpose, "channel": channel, "wording": given.wording},
    )
    return given


@transaction.atomic
def withdraw(
    *,
    patient: Patient,
    purpose: str,
    channel: str,
    by: Staff | None,
    now: datetime,
    source: str = ConsentSource.FRONT_DESK,
) -> bool:
    """Close the open consent; False when there is none. Counts from the next message on.

    Raises Forbidden unless `by` may edit this patient.
    """
    if by is not None:
        registration.require_edit(by, patient)
    return end(patient=patient, purpose=purpose, channel=channel, by=by, now=now, source=source)


@transaction.atomic
def end(
    *,
    patient: Patient,
    purpose: str,
    channel: str,
    by: Staff | None,
    now: datetime,
    source: str,
) -> bool:
    """As `withdraw`, where the caller has asked whether `by` may: an opt-out counts for everybody
    who shares the address, whoever they are."""
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    standing = _open(patient, purpose, channel)
    if standing is None:
        return False
    # Clocks of two machines may differ by a moment; that must not keep a withdrawal out.
    standing.closed_at = max(now, standing.opened_at)
    standing.closed_by, standing.closed_source = by, source
    standing.save(update_fields=["closed_at", "closed_by", "closed_source"])
    Patient.objects.filter(pk=patient.pk).raise_revision()
    audit.record(
        action="consent.withdraw",
        subject=standing,
        by=by,
        now=now,
        patient_id=patient.pk,
        before={"purpose": purpose, "channel": channel},
    )
    return True


def standing(patient_ids: Collection[int]) -> dict[int, frozenset[tuple[str, str]]]:
    """By patient the (purpose, channel) pairs that are agreed to now; one query."""
    given = defaultdict(set)
    rows = ContactConsent.objects.filter(patient__in=statements.one_of(patient_ids), closed_at=None)
    for patient_id, purpose, channel in rows.values_list("patient_id", "purpose", "channel"):
        given[patient_id].add((purpose, channel))
    return {patient_id: frozenset(given[patient_id]) for patient_id in patient_ids}


def _open(patient: Patient, purpose: str, channel: str) -> ContactConsent | None:
    return ContactConsent.objects.filter(
        patient=patient, purpose=purpose, channel=channel, closed_at=None
    ).first()
