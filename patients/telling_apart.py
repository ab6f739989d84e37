"""Saying that two records which are alike are of two persons, such as twins, and taking it back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from patients import registration
from patients.models import Patient, ToldApart


class TellingApartRefused(ValueError):
    """Nothing was changed; `sentence` says what to do."""

    code = "apart_refused"
    field = "other"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@transaction.atomic
def tell_apart(*, patient: Patient, other: Patient, by: Staff, now: datetime) -> ToldApart:
    """From now on neither is shown as maybe the same person as the other. Said twice, it stands
    as it was said first.

    Raises:
        TellingApartRefused: for a record and itself.
        Forbidden: unless `by` may merge records at a site of each, or when one was merged or
            erased.
    """
    one, two = _held(patient, other, by=by)
    if (said := ToldApart.objects.standing().of(one, two).first()) is not None:
        return said
    said = ToldApart.objects.create(one=one, other=two, at=now, by=by)
    _record("patient.tell_apart", said, by=by, now=now)
    return said


@transaction.atomic
def take_back(*, patient: Patient, other: Patient, by: Staff, now: datetime) -> None:
    """They may be the same person after all; nothing, if nobody said that they are not. Raises as
    `tell_apart` does."""
    for said in ToldApart.objects.standing().of(*_held(patient, other, by=by)):
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


def _held(patient: Patient, other: Patient, *, by: Staff) -> list[Patient]:
    """Both, locked in the order of their ids, so that neither is merged or erased meanwhile."""
    for each in (patient, other):
        access.require_at_any(by, Capability.MERGE_RECORDS, each.sites.all())
    if patient.pk == other.pk:
        raise TellingApartRefused(
            gettext("This is one record. Choose the other record, of somebody else.")
        )
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=(patient.pk, other.pk))
    held = list(rows.order_by("pk"))
    for each in held:
        registration.require_open(each)
    return held
