"""Taking a signature back, at any time and by whatever way the patient says so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clinic import access, audit
from clinic.access import Capability, Forbidden
from clinic.models import ConsentPurpose, Staff
from clinic.saying import gettext
from patients import consent
from patients.models import ConsentChannel, Patient, Purpose, SignedForm
from patients.models.consent import ConsentSource


class WithdrawalRefused(ValueError):
    """The signature was withdrawn before."""

    code = "withdrawn_already"
    field = "signed_form"

    @property
    def sentence(self) -> str:
        return gettext("This was withdrawn before. There is nothing more to do.")


@transaction.atomic
def withdraw(
    *,
    signed: SignedForm,
    by: Staff | None,
    now: datetime,
    source: ConsentSource = ConsentSource.FRONT_DESK,
    reason: str = "",
) -> SignedForm:
    """The signature counts no more from now on; what was done under it stays as it was.

    Whoever sees the patient may write a withdrawal down; `by` is None when the patient does it on
    their own page. With the photos of the record end the messages that ask for photos.

    Raises Forbidden, and WithdrawalRefused when it was withdrawn before.
    """
    patient = Patient.objects.select_for_update(no_key=True).get(pk=signed.patient_id)
    if by is not None and not any(
        access.can(by, Capability.SEE_PATIENTS, site) for site in patient.sites.all()
    ):
        raise Forbidden(gettext("This patient is not at your sites."))
    row = (
        SignedForm.objects.select_for_update(of=("self",)).select_related("form").get(pk=signed.pk)
    )
    if row.withdrawn_at is not None:
        raise WithdrawalRefused
    # Clocks of two machines may differ by a moment; that must not keep a withdrawal out.
    row.withdrawn_at = max(now, row.signed_at)
    row.withdrawn_by, row.withdrawn_source, row.withdrawn_reason = by, source, reason.strip()[:500]
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_source", "withdrawn_reason"])
    Patient.objects.filter(pk=patient.pk).raise_revision()
    audit.record(
        action="form.withdraw",
        subject=row,
        by=by,
        now=now,
        patient_id=patient.pk,
        before={"form": row.form.key, "number": row.form.number},
        reason=row.withdrawn_reason,
    )
    if row.form.purpose == ConsentPurpose.PHOTOS_RECORD:
        consent.end(
            patient=patient,
            purpose=Purpose.PHOTOS,
            channel=ConsentChannel.ANY,
            by=by,
            now=now,
            source=source,
        )
    return row
