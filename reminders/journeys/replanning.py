"""Keeping the ledger equal to the plan: facts → plan → difference → stored messages.

Planning is pulled: a patient whose revision moved on since it was planned is stale, and stale
rows are the outbox. A patient who cannot be planned stays stale, so nothing is sent to them, and
holds up nobody else. Refuses to send anything.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, transaction
from django.db.models import F, QuerySet

from appointments.models import Task, TaskKind, TreatmentSeries
from clinic.models import Site
from patients.models import Patient
from reminders.catalogue import SAID_NOW, MessageState
from reminders.journeys.gathering import facts_of
from reminders.ledger import claiming
from reminders.models import Message, MessageItem
from reminders.planning.facts import PatientFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import Changes, Stored, diff, plan
from reminders.planning.wish import TaskWish

log = logging.getLogger(__name__)

# Planned and committed together: few enough that a booking never waits long for a patient's row.
_BATCH = 25
# The states in which no dispatcher has taken a message up and planning may still change it.
_OPEN = (MessageState.SCHEDULED, MessageState.SKIPPED, MessageState.WITHDRAWN)
NO_LONGER_NEEDED = "No longer needed: the plan changed."


def sync_stale(*, now: datetime, limit: int = 200) -> int:
    """Plan at most `limit` stale patients anew; return how many were planned.

    A stale site first makes its patients stale. Planners beside each other take different
    patients.
    """
    _spread_stale_sites()
    planned = 0
    failed: set[int] = set()
    while planned < limit:
        size = min(_BATCH, limit - planned)
        found, unplannable = _plan_batch(now=now, size=size, without=failed)
        planned += found - len(unplannable)
        failed |= unplannable
        if not found:
            break
    return planned


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
    patients = list(
        Patient.objects.stale()
        .exclude(pk__in=without)
        .select_for_update(skip_locked=True, no_key=True)
        .order_by("id")[:size]
    )
    _hold_open_messages(patients)
    facts = facts_of([patient.pk for patient in patients])
    unplannable = set()
    for patient in patients:
        try:
            with transaction.atomic():
                _plan(patient, facts[patient.pk], now=now)
        # The database's trouble or the worker's, not this patient's.
        except (OperationalError, SoftTimeLimitExceeded):
            raise
        except Exception as fault:  # noqa: BLE001 - one patient must not hold up the others
            # The error's text may name the patient.
            log.error("patient %s cannot be planned: %s", patient.pk, type(fault).__name__)
            unplannable.add(patient.pk)
    return len(patients), unplannable


def differences(patient_ids: Collection[int]) -> dict[int, Changes]:
    """What planning these patients now would change in the ledger, by patient; changes nothing."""
    facts = facts_of(patient_ids)
    changes = {each: diff(plan(facts[each]).messages, _stored(each)) for each in patient_ids}
    return {patient: change for patient, change in changes.items() if change}


def _plan(patient: Patient, facts: PatientFacts, *, now: datetime) -> None:
    wanted = plan(facts)
    _store(patient.pk, diff(wanted.messages, _stored(patient.pk)), now=now)
    _store_tasks(patient.pk, wanted.tasks, now=now)
    Patient.objects.filter(pk=patient.pk).update(planned_revision=patient.revision)


def _plannable() -> QuerySet[Message]:
    """Messages that planning made and may still change."""
    return Message.objects.filter(claimed_at=None, state__in=_OPEN).exclude(kind__in=SAID_NOW)


def _hold_open_messages(patients: Sequence[Patient]) -> None:
    """Wait for claims that are just being committed, and keep new ones off until this batch is."""
    rows = _plannable().filter(patient__in=patients)
    list(rows.select_for_update(no_key=True).order_by("id").values_list("pk"))


def _stored(patient_id: int) -> list[Stored]:
    rows = _plannable().filter(patient=patient_id)
    return [
        Stored(
            id=row.pk,
            key=row.key,
            state=MessageState(row.state),
            due_at=row.due_at,
            expires_at=row.expires_at,
            waits_for=row.waits_for,
            reason=row.reason if row.state == MessageState.SKIPPED else "",
            why=tuple(row.why),
        )
        for row in rows
    ]


def _store(patient_id: int, changes: Changes, *, now: datetime) -> None:
    """Withdraw first: what a withdrawn message would have said is then free for another."""
    withdrawn = [message.id for message in changes.withdraw]
    if withdrawn:
        MessageItem.objects.filter(message__in=withdrawn).update(live=False)
        Message.objects.filter(pk__in=withdrawn).update(
            state=MessageState.WITHDRAWN,
            reason="plan_changed",
            wake_at=None,
            closed_at=now,
        )
    for stored, wanted in changes.change:
        Message.objects.filter(pk=stored.id).update(**_planned(wanted, now=now))
        MessageItem.objects.filter(message=stored.id).update(live=True)
    messages = [
        Message(
            key=wanted.key,
            reference=uuid4(),
            patient_id=patient_id,
            kind=wanted.kind,
            channel=wanted.channel,
            created_at=now,
            **_planned(wanted, now=now),
        )
        for wanted in changes.add
    ]
    Message.objects.bulk_create(messages)
    MessageItem.objects.bulk_create(
        item
        for message, wanted in zip(messages, changes.add, strict=True)
        for item in _items(message, wanted)
    )


def _planned(wanted: Wanted, *, now: datetime) -> dict[str, Any]:
    """The columns of a message that planning owns."""
    held = bool(wanted.waits_for or wanted.skip)
    return {
        "site_id": wanted.site_id,
        "series_id": wanted.series_id,
        "session": wanted.session,
        "purpose": wanted.purpose,
        "priority": wanted.priority,
        "needs": list(wanted.needs),
        "steps": list(wanted.steps),
        "due_at": wanted.due_at,
        "expires_at": wanted.expires_at,
        # Never before now: drains do not look further back than they have to.
        "wake_at": None if held else max(wanted.due_at, now),
        "waits_for": wanted.waits_for,
        "state": MessageState.SKIPPED if wanted.skip else MessageState.SCHEDULED,
        "reason": wanted.skip,
        "why": list(wanted.why),
        "gate_why": [],
        "closed_at": now if wanted.skip else None,
    }


def _items(message: Message, wanted: Wanted) -> Iterable[MessageItem]:
    for item, starts_at in zip(wanted.items, wanted.starts, strict=True):
        yield MessageItem(
            message=message,
            anchor=item.anchor,
            schedule_version=item.version,
            step=item.step,
            channel=item.channel,
            starts_at=starts_at,
        )


def _store_tasks(patient_id: int, wanted: Iterable[TaskWish], *, now: datetime) -> None:
    """Open, change and close the tasks that the plan made; work done by staff stays as it is."""
    wishes = {f"plan.{task.key}": task for task in wanted}
    stored = {
        task.key: task for task in Task.objects.filter(patient=patient_id, key__startswith="plan.")
    }
    for key, wish in wishes.items():
        if key not in stored:
            _open_task(patient_id, key, wish, now=now)
        elif stored[key].closed_at is None or stored[key].outcome == NO_LONGER_NEEDED:
            Task.objects.filter(pk=stored[key].pk).update(
                due_at=wish.due_at, why=list(wish.why), closed_at=None, outcome=""
            )
    gone = [task.pk for key, task in stored.items() if key not in wishes and not task.closed_at]
    Task.objects.filter(pk__in=gone).update(closed_at=now, outcome=NO_LONGER_NEEDED)


def _open_task(patient_id: int, key: str, wish: TaskWish, *, now: datetime) -> None:
    Task.objects.create(
        key=key,
        site_id=wish.site_id,
        patient_id=patient_id,
        appointment_id=wish.visit_id or None,
        kind=TaskKind.CALL,
        title=wish.title,
        detail=wish.detail,
        why=list(wish.why),
        due_at=wish.due_at,
        created_at=now,
    )
