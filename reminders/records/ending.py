"""When the time of an erased record is over: what the law had kept goes as well.

Signed logs and forms, photos, screening answers, adverse events and scores are destroyed, and the
name and birth date with them. Visits, messages without words and the audit trail remain as rows
that belong to nobody. The database itself destroys nothing of a record that was not erased, or of
a patient who was treated less than three years ago, whoever asks.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import IntegrityError, connection, transaction

from appointments.models import Photo
from appointments.photos import keeping
from clinic import audit
from clinic.saying import noop
from clinic.wall_time import begun_everywhere
from patients.models import Patient
from reminders.ledger import claiming
from reminders.records import lasting

log = logging.getLogger(__name__)

ERASED = noop("Erased")
NOBODY_BORN = date(1900, 1, 1)
AT_ONCE = 50


def finish(*, now: datetime, among: Collection[int] | None = None) -> int:
    """Destroy what is left of erased records whose time is over, of some patients or of all; how
    many. Any number of processes may do it, and one that dies is made good by the next."""
    due = Patient.objects.filter(kept_until__lte=begun_everywhere(now)).order_by("kept_until", "pk")
    if among is not None:
        due = due.filter(pk__in=among)
    return sum(_finish(pk, now=now) for pk in due.values_list("pk", flat=True)[:AT_ONCE])


def _finish(patient_id: int, *, now: datetime) -> bool:
    """Whether it ended: not when it has to be kept longer by what was decided since."""
    # The files first: rows without them are found again, files without their rows are not.
    if not _must_stay(patient_id, now=now):
        for key in Photo.objects.filter(patient=patient_id).values_list("key", flat=True):
            keeping.discard(key)
    try:
        with transaction.atomic():
            return _end(patient_id, now=now)
    except IntegrityError as refused:
        log.error("record %s is not destroyed: %s", patient_id, type(refused).__name__)
        tomorrow = begun_everywhere(now) + timedelta(days=1)
        Patient.objects.filter(pk=patient_id).update(kept_until=tomorrow)
        return False


def _must_stay(patient_id: int, *, now: datetime) -> date | None:
    return lasting.until([patient_id], now=now)


def _end(patient_id: int, *, now: datetime) -> bool:
    claiming.hold_patients([patient_id])
    patient = Patient.objects.get(pk=patient_id)
    if patient.erased_at is None or patient.kept_until is None:
        return False
    if until := _must_stay(patient_id, now=now):
        Patient.objects.filter(pk=patient_id).update(kept_until=until)
        audit.record(
            action="patient.keep_longer",
            subject=patient,
            by=None,
            now=now,
            patient_id=patient_id,
            before={"kept_until": patient.kept_until.isoformat()},
            after={"kept_until": until.isoformat()},
        )
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT afterglow_destroy(%s)", [patient_id])
        [destroyed] = cursor.fetchone()
    Patient.objects.filter(pk=patient_id).update(
        legal_given=ERASED,
        legal_family=f"#{patient_id}",
        birth_date=NOBODY_BORN,
        skin_type="",
        skin_type_at=None,
        skin_type_by=None,
        kept_until=None,
    )
    audit.record(
        action="patient.erase_rest",
        subject=patient,
        by=None,
        now=now,
        patient_id=patient_id,
        after={"rows": destroyed},
    )
    return True
