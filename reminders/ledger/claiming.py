"""Taking due messages: which are due, who has them, and what becomes of those that the dead had.

A message is taken, judged, written and marked in one transaction, which holds its row and its
patient's. Taking never waits for a row: what somebody else holds is left for the next round. All
others lock a patient before their messages, so nobody waits for each other in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection

from clinic import statements
from clinic.models import Site

# Of the ledger's columns for a provider's code.
CODE_LENGTH = 20


class Holder(NamedTuple):
    """A patient as their locked row stands, with as much of it as judging and sending need."""

    pk: int
    revision: int
    first_name: str
    language: str
    zone: str
    quiet_from: time | None
    quiet_until: time | None
    deceased_at: datetime | None
    do_not_contact_at: datetime | None
    catch_up_at: datetime | None


class Due(NamedTuple):
    """A due message that this transaction holds, with as much of it as judging and sending need.

    `patient` is None when it goes to nobody's address.
    """

    patient: Holder | None
    site: Site
    pk: int
    key: str
    reference: str
    patient_id: int | None
    site_id: int
    kind: str
    channel: str
    purpose: str
    priority: int
    needs_json: str
    to_address: str
    due_at: datetime
    expires_at: datetime
    reason: str
    attempts_made: int
    at_any_hour: bool

    @property
    def needs(self) -> Sequence[str]:
        """Further consents that it takes."""
        found: Sequence[str] = () if self.needs_json == "[]" else json.loads(self.needs_json)
        return found

    @property
    def revision(self) -> int | None:
        """The revision that its patient's facts had when it was taken."""
        return self.patient.revision if self.patient else None


def database_now() -> datetime:
    """The database's clock (UTC): the only one that says what is due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


# One partial index each, so that a backlog of prompts is never in the way of a notice.
LANES = ("priority = 0", "priority BETWEEN 1 AND 2", "priority >= 3")

# Earlier than every message.
BOTTOM = datetime(1970, 1, 1, tzinfo=UTC)

ANYTHING = "SELECT " + " OR ".join(
    "EXISTS (SELECT FROM reminders_message WHERE wake_at BETWEEN %(floor)s AND %(now)s"
    f" AND {lane} AND state = 'scheduled')"
    for lane in LANES
)


def anything_due(*, now: datetime, floor: datetime = BOTTOM) -> bool:
    """Whether any message is to be taken up. A few index pages, unless many that were due before
    `floor` are gone and somebody's old snapshot still sees them."""
    [(found,)] = statements.rows(ANYTHING, {"now": now, "floor": floor})
    return bool(found)


OLDEST = "SELECT least({})".format(
    ", ".join(
        "(SELECT wake_at FROM reminders_message"
        f" WHERE wake_at IS NOT NULL AND {lane} ORDER BY wake_at LIMIT 1)"
        for lane in LANES
    )
)


def oldest() -> datetime | None:
    """When the next message is or was to be looked at."""
    moment: datetime | None = statements.rows(OLDEST, ())[0][0]
    return moment


# Site and patient are asked row by row: of a join the planner expects next to nothing, and then
# sorts all that is due for each window.
_LANE = """
SELECT * FROM (
 SELECT due.id, due.key, due.reference::text, due.patient_id, due.site_id, due.kind, due.channel,
        due.purpose, due.priority, due.needs::text, due.to_address, due.due_at, due.expires_at,
        due.reason, due.attempts_made, due.at_any_hour
   FROM reminders_message AS due
  WHERE due.{lane} AND due.wake_at BETWEEN %(floor)s AND %(now)s
    AND due.channel = ANY (%(channels)s) AND due.state = 'scheduled'
    AND (SELECT revision = planned_revision FROM clinic_site WHERE id = due.site_id)
    AND (due.patient_id IS NULL
         OR (SELECT revision = planned_revision FROM patients_patient WHERE id = due.patient_id))
  ORDER BY due.wake_at
  LIMIT %(limit)s
    FOR UPDATE OF due SKIP LOCKED) AS lane
"""
TAKE = (
    f"SELECT * FROM ({' UNION ALL '.join(_LANE.format(lane=lane) for lane in LANES)}) AS due"
    " LIMIT %(limit)s"
)
TAKE_PATIENTS = """
SELECT id, revision, coalesce(nullif(preferred_name, ''), legal_given), language, zone, quiet_from,
       quiet_until, deceased_at, do_not_contact_at, catch_up_at
  FROM patients_patient WHERE id = ANY (%s::bigint[]) AND revision = planned_revision
   FOR NO KEY UPDATE SKIP LOCKED
"""


def take(
    *, now: datetime, channels: Collection[str], limit: int, floor: datetime = BOTTOM
) -> tuple[list[Due], int]:
    """Lock up to `limit` due messages on these channels, the most urgent first, with their
    patients, until the caller's transaction ends; and how many there were before those were left
    out whose patient somebody else holds.

    A message whose patient or site is waiting to be planned is not due, and neither is one that
    somebody else holds, or whose patient somebody else holds.
    """
    values = {"now": now, "floor": floor, "channels": list(channels), "limit": limit}
    rows = statements.rows(TAKE, values)
    if not rows:
        return [], 0
    patients = _held({row[3] for row in rows} - {None})
    sites = statements.by_id(Site, {row[4] for row in rows})
    due = [Due(patients[row[3]], sites[row[4]], *row) for row in rows if row[3] in patients]
    return due, len(rows)


def _held(ids: Collection[int]) -> dict[int | None, Holder | None]:
    """Those of these patients that nobody holds and that do not wait to be planned, now held.
    Nobody is among them."""
    found = statements.rows(TAKE_PATIENTS, [statements.array(ids)]) if ids else []
    return {None: None} | {row[0]: Holder._make(row) for row in found}


# A worker of the release before `leased_until` marks with `wake_at` as the end.
LEASE_END = "greatest(message.leased_until, message.wake_at)"
# No mark is of a time to come, but for one that was made before a clock was set right. When such a
# message is due says nothing, so the index of the words that were kept with the mark leads to it.
SET_BACK = timedelta(minutes=5)
LAPSE = f"""
WITH ended AS (
  SELECT id FROM reminders_message AS message
   WHERE state = 'submitting' AND {LEASE_END} < %(now)s
     AND ({" OR ".join(f"(wake_at < %(now)s AND {lane})" for lane in LANES)})
     FOR UPDATE SKIP LOCKED),
ahead AS (
  SELECT message.id FROM reminders_sentcontent AS content
    JOIN reminders_message AS message ON message.id = content.message_id
   WHERE content.emptied_at IS NULL AND content.at > %(now)s + %(set_back)s
     AND message.state = 'submitting' AND message.claimed_at > %(now)s + %(set_back)s
     FOR UPDATE OF message SKIP LOCKED),
lapsed AS (
  UPDATE reminders_message
     SET state = 'unknown', wake_at = NULL, error_code = 'lease',
         claimed_at = least(claimed_at, %(now)s)
   WHERE id IN (SELECT id FROM ended UNION SELECT id FROM ahead)
  RETURNING id, claimed_at)
INSERT INTO reminders_attempt (message_id, number, started_at, ended_at, outcome, code)
SELECT id,
       1 + (SELECT coalesce(max(number), 0) FROM reminders_attempt WHERE message_id = lapsed.id),
       claimed_at, %(now)s, 'unknown', 'lease'
  FROM lapsed
"""


def lapse(*, now: datetime) -> None:
    """Call those unknown that a worker marked and then died with: the provider may have them. A
    mark of a time to come is none of a living lease, whenever its message is due."""
    statements.run(LAPSE, {"now": now, "set_back": SET_BACK})


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
