"""Claims: taking due messages for a while, and what becomes of the claims of the dead.

A message is locked only after its patient, as planning does it, so that the two never wait for
each other in a circle. What comes back to the schedule while its patient's facts have moved on is
planned anew: planning leaves a claimed message alone and so has not yet judged it by those facts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

# Of the ledger's columns for a provider's code.
CODE_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages that this process alone may send until the lease runs out.

    `revisions` gives, for each message, its patient's revision at the moment of the claim; None
    when it goes to no patient.
    """

    token: uuid.UUID
    revisions: Mapping[int, int | None]

    def is_behind(self, message_id: int, revision: int | None) -> bool:
        """Whether facts moved on since the claim, now that its patient is at `revision`."""
        return self.revisions[message_id] != revision


def database_now() -> datetime:
    """The database's clock (UTC): the only one that says what is due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


CLAIM = """
UPDATE reminders_message AS message
   SET state = 'claimed', claim_token = %(token)s, claimed_at = %(now)s, wake_at = %(until)s
 WHERE message.id = ANY (ARRAY(
       SELECT due.id
         FROM reminders_message AS due
         JOIN clinic_site AS site
           ON site.id = due.site_id AND site.revision = site.planned_revision
         LEFT JOIN patients_patient AS patient ON patient.id = due.patient_id
        WHERE due.state = 'scheduled' AND due.wake_at <= %(now)s
          AND (due.patient_id IS NULL OR patient.revision = patient.planned_revision)
        ORDER BY due.priority, due.wake_at
        LIMIT %(limit)s
          FOR UPDATE OF due SKIP LOCKED))
RETURNING message.id,
          (SELECT revision FROM patients_patient WHERE patients_patient.id = message.patient_id)
"""


def claim(*, now: datetime, until: datetime, limit: int) -> Claim:
    """Take up to `limit` due messages, the most urgent first, until `until`; commits.

    A message whose patient or site is waiting to be planned is not due.
    """
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"token": token, "now": now, "until": until, "limit": limit})
        return Claim(token, dict(cursor.fetchall()))


LAPSED_PATIENTS = """
SELECT id FROM patients_patient
 WHERE id IN (SELECT patient_id FROM reminders_message
               WHERE state = 'claimed' AND wake_at < %s)
 ORDER BY id FOR NO KEY UPDATE
"""
FREE_LAPSED = """
UPDATE reminders_message SET state = 'scheduled', claimed_at = NULL, claim_token = NULL
 WHERE state = 'claimed' AND wake_at < %s AND (patient_id IS NULL OR patient_id = ANY (%s))
"""
LAPSE_SUBMITTING = """
WITH lapsed AS (
  UPDATE reminders_message SET state = 'unknown', wake_at = NULL, error_code = 'lease'
   WHERE id IN (SELECT id FROM reminders_message
                 WHERE state = 'submitting' AND wake_at < %(now)s FOR UPDATE SKIP LOCKED)
  RETURNING id)
UPDATE reminders_attempt SET ended_at = %(now)s, outcome = 'unknown', code = 'lease'
 WHERE message_id IN (SELECT id FROM lapsed) AND ended_at IS NULL
"""


@transaction.atomic
def release(*, now: datetime) -> None:
    """Deal with the claims of workers that died.

    Before the mark nothing can have been sent: the message is scheduled again. After it the
    provider may have taken it: its outcome is unknown.
    """
    with connection.cursor() as cursor:
        cursor.execute(LAPSED_PATIENTS, [now])
        patients = [row[0] for row in cursor.fetchall()]
        plan_anew(patients)
        cursor.execute(FREE_LAPSED, [now, patients])
        cursor.execute(LAPSE_SUBMITTING, {"now": now})


HOLD = "SELECT id, revision FROM patients_patient WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"


def hold_patients(patient_ids: Iterable[int | None]) -> dict[int | None, int]:
    """Lock these patients' rows until the transaction ends; their revisions by id. None is nobody.

    Called before a message is locked. Nobody moves a fact of theirs or plans them meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [_those(patient_ids)])
        return dict(cursor.fetchall())


def plan_anew(patient_ids: Iterable[int | None]) -> None:
    """Mark patients, whom this transaction holds, for planning. None is nobody."""
    if patients := _those(patient_ids):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE patients_patient SET revision = revision + 1 WHERE id = ANY (%s)",
                [patients],
            )


def _those(patient_ids: Iterable[int | None]) -> list[int]:
    return sorted({each for each in patient_ids if each is not None})
