"""Saying that two records which are alike are of two persons, such as twins, and taking it back."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from patients.models import Patient, ToldApart


@transaction.atomic
def tell_apart(*, patient: Patient, other: Patient, by: Staff, now: datetime) -> ToldApart:
    """From now on neither is shown as maybe the same person as the other. Said twice, it stands
    as it was said first.

    Raises Forbidden unless `by` may merge records at a site of each.
    """
    _require(by, patient, other)
    pair = ToldApart.objects.standing().of(patient, other)
    if (said := pair.first()) is not None:
        return said
    one, two = sorted((patient, other), key=lambda each: each.pk)
    try:
        with transaction.atomic():
            said = ToldApart.objects.create(one=one, other=two, at=now, by=by)
    except IntegrityError:  # somebody said it at this moment
        return pair.get()
    _record("patient.tell_apart", said, by=by, now=now)
    return said


@transaction.atomic
def take_back(*, patient: Patient, other: Patient, by: Staff, now: datetime) -> None:
    """They may be the same person after all; nothing, if nobody said that they are not. Raises as
    `tell_apart` does."""
    _require(by, patient, other)
    pair = ToldApart.objects.standing().of(patient, other).select_for_update()
    for said in pair:
        said.taken_back_at, said.taken_back_by = now, by
        said.save(update_fields=["taken_back_at", "taken_back_by"])
        _record("patient.tell_apart_undo", said, by=by, now=now)


def _record(action: str, said: ToldApart, *, by: Staff, now: datetime) -> None:
    """In the trail of both."""
    for patient_id in (said.one_id, said.other_id):
        audit.record(
            action=action,
            subject=said,
            by=by,
            now=now,
            patient_id=patient_id,
            after={"records": [said.one_id, said.other_id]},
        )


def _require(by: Staff, *patients: Patient) -> None:
    for patient in patients:
        access.require_at_any(by, Capability.MERGE_RECORDS, patient.sites.all())
