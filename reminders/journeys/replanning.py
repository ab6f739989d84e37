"""Keeping the ledger equal to the plan: facts → plan → difference → stored messages.

Planning is pulled: a patient whose revision moved on since it was planned is stale, and stale
rows are the outbox. A patient who cannot be planned stays stale, so nothing is sent to them, and
holds up nobody else. Refuses to send anything.
"""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, transaction
from django.db.models import F

from appointments.models import TreatmentSeries
from clinic.models import Site
from patients.models import Patient
from reminders.journeys import asking
from reminders.journeys.gathering import facts_of
from reminders.ledger import claiming, planned
from reminders.planning.plans import Changes, diff, plan
from reminders.planning.wish import TaskWish

log = logging.getLogger(__name__)

# Planned and committed together: few enough that a booking never waits long for a patient's row.
_BATCH = 40


def plan_stale(
    *,
    clock: Callable[[], datetime],
    seconds: float = math.inf,
    limit: int = sys.maxsize,
    at_once: int = _BATCH,
) -> int:
    """Plan stale patients anew, `at_once` after each look at the clock, the database's, until none
    is left, `limit` are planned or `seconds` are over; how many were planned.

    A stale site first makes its patients stale. Planners beside each other take different
    patients.
    """
    ends = time.monotonic() + seconds
    _spread_stale_sites()
    number = 0
    failed: set[int] = set()
    while number < limit:
        size = min(at_once, limit - number)
        found, unplannable = _plan_batch(now=clock(), size=size, without=failed)
        number += found - len(unplannable)
        failed |= unplannable
        if not found or time.monotonic() >= ends:
            break
    return number


def sync_stale(*, now: datetime, limit: int = 200) -> int:
    """Plan at most `limit` stale patients anew at one moment; how many were planned."""
    return plan_stale(clock=lambda: now, limit=limit)


@transaction.atomic
def _spread_stale_sites() -> None:
    stale = Site.objects.exclude(planned_revision=F("revision"))
    sites = list(stale.select_for_update(skip_locked=True, no_key=True))
    if not sites:
        return
    patients = set(
        TreatmentSeries.objects.filter(site__in=sites).values_list("patient_id", flat=True)
    )
    # In the order of their ids, as everybody locks them.
    claiming.hold_patients(patients)
    claiming.plan_anew(patients)
    for site in sites:
        Site.objects.filter(pk=site.pk).update(planned_revision=site.revision)


@transaction.atomic
def _plan_batch(*, now: datetime, size: int, without: Collection[int]) -> tuple[int, set[int]]:
    """How many stale patients were found, and those of them that cannot be planned."""
    # The lock comes before the facts: whoever changes them raises the revision after us.
    stale = Patient.objects.stale().exclude(pk__in=without).order_by("id")
    held = stale.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    patients = list(held[:size])
    if not patients:
        return 0, set()
    known = planned.stored(patients, hold=True)
    facts = facts_of(patients)
    plans = {}
    for patient in patients:
        try:
            wanted = plan(facts[patient])
            plans[patient] = _Planned(diff(wanted.messages, known[patient]), wanted.tasks)
        except SoftTimeLimitExceeded:
            raise
        except Exception as fault:  # noqa: BLE001 - one patient must not hold up the others
            _tell(patient, fault)
    return len(patients), {*patients} - _stored(plans, now=now)


def _stored(plans: Mapping[int, _Planned], *, now: datetime) -> set[int]:
    """Store these plans by patient, all together; if that fails, each by itself: whose were."""
    try:
        with transaction.atomic():
            _store(plans, now=now)
    # The database's trouble or the worker's, not a patient's.
    except (OperationalError, SoftTimeLimitExceeded):
        raise
    except Exception as fault:  # noqa: BLE001 - one patient must not hold up the others
        if len(plans) == 1:
            [patient] = plans
            _tell(patient, fault)
            return set()
        return {each for one in plans.items() for each in _stored(dict([one]), now=now)}
    return {*plans}


def _tell(patient: int, fault: Exception) -> None:
    # The error's text may name the patient.
    log.error("patient %s cannot be planned: %s", patient, type(fault).__name__)


def differences(patient_ids: Collection[int]) -> dict[int, Changes]:
    """What planning these patients now would change in the ledger, by patient; changes nothing."""
    facts, known = facts_of(patient_ids), planned.stored(patient_ids, hold=False)
    changes = {each: diff(plan(facts[each]).messages, known[each]) for each in patient_ids}
    return {patient: change for patient, change in changes.items() if change}


class _Planned(NamedTuple):
    changes: Changes
    tasks: tuple[TaskWish, ...]


def _store(plans: Mapping[int, _Planned], *, now: datetime) -> None:
    planned.store({patient: each.changes for patient, each in plans.items()}, now=now)
    wishes = {patient: each.tasks for patient, each in plans.items()}
    asking.ask(wishes, now=now)
    planned.planned(plans)
