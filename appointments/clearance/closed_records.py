"""Nothing is done in a record that was closed: after a death, a merge or an erasure.

Booking refuses such a record by itself (`claiming.checking`) and asks here again once it has the
patient locked: the record may have been closed while it waited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments.clearance.bars import BOTH, Bar, Outcome
from appointments.clearance.treatments import Treatment
from patients.models import Patient

_DECEASED = Bar(
    code="patient_deceased",
    acts=BOTH,
    outcome=Outcome.BLOCK,
    sentence="This patient has died. If that is a mistake, correct the record first.",
)
_CLOSED = Bar(
    code="record_closed",
    acts=BOTH,
    outcome=Outcome.BLOCK,
    sentence="This record was merged or erased. Look for the patient again.",
)


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    return [_of(treatment.patient) for treatment in treatments]


def _of(patient: Patient) -> list[Bar]:
    if patient.deceased_at is not None:
        return [_DECEASED]
    return [_CLOSED] if patient.is_closed else []
