"""Stopping everything at once: a patient has died, or must not be contacted; and taking it back.

It counts from the transaction in which it is written: that transaction holds the patient's row, as
who takes up messages does, so each message leaves wholly before it or not at all. What was planned
is withdrawn, what is said at once is held by the gate. Visits to come stay and are work: a task
lists them, for nobody but a person may decide what becomes of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from appointments.lifecycle import TO_COME
from appointments.models import Appointment, PatientLink, Task, TaskKind
from appointments.refusals import Refused
from clinic import audit
from clinic.models import Staff
from clinic.retelling import kept, moment, text, together
from clinic.saying import gettext, noop
from patients import registration
from patients.models import Patient
from reminders.ledger import claiming

REASON_LENGTH = 200
TAKEN_BACK = noop("Taken back: it was recorded by mistake.")


class LifeRefused(Refused):
    """Nothing was changed; `sentence` says why."""

    code = "life_refused"
    field = "reason"


@transaction.atomic
def record_death(*, patient: Patient, by: Staff, now: datetime) -> None:
    """Nothing is sent to or about the patient any more, their links are closed, and their visits
    to come are listed as work. Twice is once.

    Raises Forbidden unless `by` may edit the patient.
    """
    stored = _held(patient, by)
    if stored.deceased_at is not None:
        return
    registration.record_death(patient=patient, by=by, now=now)
    PatientLink.objects.filter(patient=patient, revoked_at=None, expires_at__gt=now).update(
        revoked_at=now
    )
    _list_visits(stored, noop("Visits to come of a patient who has died"), now=now)


@transaction.atomic
def take_back_death(*, patient: Patient, reason: str, by: Staff, now: datetime) -> None:
    """It was recorded by mistake: everything goes on as it was planned.

    Raises LifeRefused without a reason, Forbidden unless `by` may edit the patient.
    """
    stored = _held(patient, by)
    reason = _reason(reason)
    if stored.deceased_at is None:
        raise LifeRefused(gettext("No death is recorded of this patient."))
    PatientLink.objects.filter(patient=patient, revoked_at=stored.deceased_at).update(
        revoked_at=None
    )
    Patient.objects.filter(pk=patient.pk).update(deceased_at=None)
    _go_on(stored, "patient.take_back_death", reason, by=by, now=now)


@transaction.atomic
def stop_contact(*, patient: Patient, reason: str, by: Staff, now: datetime) -> None:
    """The patient must not be contacted by us, on any channel and for any purpose.

    Raises LifeRefused without a reason or when it stands, Forbidden unless `by` may edit them.
    """
    stored = _held(patient, by)
    reason = _reason(reason)
    if stored.do_not_contact_at is not None:
        raise LifeRefused(
            gettext("It is recorded already that this patient must not be contacted.")
        )
    Patient.objects.filter(pk=patient.pk).update(do_not_contact_at=now, do_not_contact_why=reason)
    claiming.plan_anew([patient.pk])
    audit.record(
        action="patient.stop_contact",
        subject=stored,
        by=by,
        now=now,
        patient_id=patient.pk,
        before={"do_not_contact": False},
        after={"do_not_contact": True},
        reason=reason,
    )
    _list_visits(stored, noop("Visits to come of a patient who must not be contacted"), now=now)


@transaction.atomic
def allow_contact(*, patient: Patient, reason: str, by: Staff, now: datetime) -> None:
    """The patient may be contacted again, as far as they agreed to it.

    Raises LifeRefused without a reason or of an erased record, Forbidden unless `by` may edit them.
    """
    stored = _held(patient, by)
    reason = _reason(reason)
    if stored.erased_at is not None:
        raise LifeRefused(gettext("This record was erased; nobody can be contacted by it."))
    if stored.do_not_contact_at is None:
        raise LifeRefused(gettext("This patient may be contacted."))
    Patient.objects.filter(pk=patient.pk).update(do_not_contact_at=None, do_not_contact_why="")
    _go_on(stored, "patient.allow_contact", reason, by=by, now=now)


def visits_to_come(patient: Patient, *, now: datetime) -> list[Appointment]:
    """What somebody has to decide about when the patient has died or must not be contacted."""
    visits = Appointment.objects.filter(series__patient=patient, state__in=TO_COME, ends_at__gt=now)
    return list(visits.select_related("site", "protocol_version").order_by("starts_at", "id"))


def _held(patient: Patient, by: Staff) -> Patient:
    registration.require_edit(by, patient)
    claiming.hold_patients([patient.pk])
    return Patient.objects.get(pk=patient.pk)


def _reason(text: str) -> str:
    if not text.strip():
        raise LifeRefused(gettext("Write why: who said it, and how."))
    return text.strip()[:REASON_LENGTH]


def _go_on(stored: Patient, action: str, reason: str, *, by: Staff, now: datetime) -> None:
    claiming.plan_anew([stored.pk])
    Task.objects.open().filter(patient=stored, key__startswith=f"life.{stored.pk}.").update(
        closed_at=now, closed_by=by, outcome=TAKEN_BACK
    )
    former = "deceased_at" if action == "patient.take_back_death" else "do_not_contact_at"
    audit.record(
        action=action,
        subject=stored,
        by=by,
        now=now,
        patient_id=stored.pk,
        before={former: str(getattr(stored, former))},
        reason=reason,
    )


def _list_visits(patient: Patient, title: str, *, now: datetime) -> None:
    """One task at each site that has visits of theirs to come."""
    by_site: dict[int, list[Appointment]] = defaultdict(list)
    for visit in visits_to_come(patient, now=now):
        by_site[visit.site_id].append(visit)
    Task.objects.bulk_create(
        Task(
            key=f"life.{patient.pk}.{site_id}.{now.timestamp():.0f}",
            site_id=site_id,
            patient=patient,
            kind=TaskKind.CHECK,
            title=title,
            detail=_listed(visits),
            why=[noop("Nobody is told of a change by us: decide what becomes of each visit.")],
            due_at=now,
            created_at=now,
        )
        for site_id, visits in by_site.items()
    )


def _listed(visits: Sequence[Appointment]) -> str:
    return together(
        kept(
            "%(protocol)s: %(when)s.",
            protocol=text(visit.protocol_version.name),
            when=moment(visit.starts_at, visit.site.zone),
        )
        for visit in visits
    )
