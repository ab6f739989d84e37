"""What keeps watch over the audit trail in the tests of acts does bite."""

from types import FunctionType

import pytest
from django.db import connection, transaction

from clinic import audit
from patients.models import Patient
from tests import audited
from tests.personas import NOW

pytestmark = pytest.mark.django_db


def _writes(patient: Patient, *, is_audited: bool) -> None:
    with transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(notes="Prefers mornings")
        if is_audited:
            audit.record(action="patient.change", subject=patient, by=None, now=NOW)


# As if it were an act of the house.
act = FunctionType(_writes.__code__, {**globals(), "__name__": "patients.forgetting"})
act.__kwdefaults__ = _writes.__kwdefaults__


def test_an_act_that_forgets_its_entry_is_told_and_one_taken_back_is_not(patient: Patient) -> None:
    def told(*, is_audited: bool = False, is_taken_back: bool = False) -> list[str]:
        watch = audited.Watch()
        with connection.execute_wrapper(watch), transaction.atomic():
            act(patient, is_audited=is_audited)
            Patient.objects.filter(pk=patient.pk).raise_revision()
            transaction.set_rollback(is_taken_back)
        return watch.ended()

    assert told() == ["patients_patient by patients.forgetting._writes"]
    assert told(is_audited=True) == told(is_taken_back=True) == []
