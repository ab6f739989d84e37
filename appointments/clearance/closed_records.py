"""Nothing is done in a record that was closed: after a death, a merge or an erasure.

Booking refuses such a record by itself (`claiming.checking`) and asks here again once it has the
patient locked: the record may have been closed while it waited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments.clearance.bars import BOTH, Bar, Outcome
from appointments.clearance.treatments import Treatment
from clinic.saying import gettext, noop
from patients.models import Patient


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    return [_of(treatment.patient) for treatment in treatments]


def _of(patient: Patient) -> list[Bar]:
    if patient.deceased_at is not None:
        said = noop("This patient has died. If that is a mistake, correct the record first.")
        return [_bar("patient_deceased", said, gettext("has died"))]
    if patient.is_closed:
        said = noop("This record was merged or erased. Look for the patient again.")
        return [_bar("record_closed", said, gettext("record closed"))]
    return []


def _bar(code: str, said: str, flag: str) -> Bar:
    return Bar(code=code, acts=BOTH, outcome=Outcome.BLOCK, stored=said, flag=flag)
