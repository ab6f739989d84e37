"""Proof that the ledger is the plan: every patient planned again from scratch and compared."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from patients.models import Patient
from reminders.journeys import replanning
from reminders.proving.checks import MOST_NAMED, Check, Finding, snapshot

_BATCH = 200


def _as_planned(now: datetime) -> Finding:
    """Patients whose facts moved on are left out: they wait to be planned, and are not sent to."""
    named: list[str] = []
    faults = last = 0
    while batch := _after(last):
        last = batch[-1]
        with snapshot():
            differing = replanning.differences(_planned(batch))
        for patient, changes in differing.items():
            faults += len(changes.add) + len(changes.change) + len(changes.withdraw)
            named += [f"patient {patient} lacks {wanted.key}" for wanted in changes.add]
            named += [f"message {stored.id} is not as planned" for stored, _ in changes.change]
            named += [f"message {stored.id} is not planned" for stored in changes.withdraw]
    return Finding(faults, tuple(named[:MOST_NAMED]))


def _after(last: int) -> list[int]:
    rows = Patient.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
    return list(rows[:_BATCH])


def _planned(patients: list[int]) -> list[int]:
    rows = Patient.objects.filter(pk__in=patients, planned_revision=F("revision"))
    return list(rows.values_list("pk", flat=True))


PLANS: tuple[Check, ...] = (
    Check("plan", "The ledger holds what the plan wants, no more and no less.", _as_planned),
)
