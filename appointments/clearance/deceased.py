"""Nobody who died is treated. Booking refuses them by itself (`claiming.checking`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from appointments.clearance.bars import Act, Bar, Outcome
from appointments.clearance.treatments import Treatment

_DECEASED = Bar(
    code="patient_deceased",
    acts=frozenset({Act.START}),
    outcome=Outcome.BLOCK,
    sentence="This patient has died. If that is a mistake, correct the record first.",
)


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    return [
        [_DECEASED] if treatment.patient.deceased_at is not None else [] for treatment in treatments
    ]
