"""What planning owns of the ledger, read and written for many patients at once: a number of
statements that does not depend on how many patients there are or how much they are told.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from clinic import statements
from reminders.catalogue import SAID_NOW, MessageState
from reminders.planning.merging import Wanted
from reminders.planning.plans import Changes, Stored

# What no dispatcher has taken up, and what planning made: it may still change it.
_STORED = """
SELECT patient_id, id, key, state, due_at, expires_at, waits_for,
       CASE WHEN state = 'skipped' THEN reason ELSE '' END,
       CASE WHEN state = 'withdrawn' THEN '[]' ELSE why::text END
  FROM reminders_message
 WHERE patient_id = ANY (%(patients)s::bigint[]) AND claimed_at IS NULL
   AND state IN ('scheduled', 'skipped', 'withdrawn') AND kind <> ALL (%(said_now)s::text[])
 ORDER BY id
"""


def stored(patient_ids: Collection[int], *, hold: bool) -> defaultdict[int, list[Stored]]:
    """By patient the messages that planning may still change. With `hold` they are kept from
    dispatchers until the caller's transaction ends, after those that are just taking one up."""
    values = {
        "patients": statements.array(patient_ids),
        "said_now": sorted(kind.value for kind in SAID_NOW),
    }
    found: defaultdict[int, list[Stored]] = defaultdict(list)
    for patient, pk, key, state, *times, reason, why in statements.rows(
        f"{_STORED} FOR NO KEY UPDATE" if hold else _STORED, values
    ):
        due_at, expires_at, waits_for = times
        sentences = tuple(json.loads(why))
        found[patient].append(
            Stored(pk, key, MessageState(state), due_at, expires_at, waits_for, reason, sentences)
        )
    return found


_WITHDRAW = """
WITH withdrawn AS (
  UPDATE reminders_message
     SET state = 'withdrawn', reason = 'plan_changed', wake_at = NULL, closed_at = %(now)s
   WHERE id = ANY (%(ids)s::bigint[]))
UPDATE reminders_messageitem SET live = false WHERE message_id = ANY (%(ids)s::bigint[])
"""
# The columns that planning owns, of what is added and of what changes.
_COLUMNS = {
    "site_id": "bigint",
    "series_id": "bigint",
    "session": "smallint",
    "purpose": "text",
    "priority": "smallint",
    "needs": "jsonb",
    "steps": "jsonb",
    "due_at": "timestamptz",
    "expires_at": "timestamptz",
    "wake_at": "timestamptz",
    "waits_for": "text",
    "state": "text",
    "reason": "text",
    "why": "jsonb",
    "closed_at": "timestamptz",
}
_LISTS = ("needs", "steps", "why")
_TYPED = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_CHANGE = f"""
WITH wanted AS MATERIALIZED (
  SELECT * FROM json_to_recordset(%(rows)s::json) AS wanted (id bigint, {_TYPED}))
UPDATE reminders_message AS message
   SET {", ".join(f"{name} = wanted.{name}" for name in _COLUMNS)}, gate_why = '[]'
  FROM wanted WHERE message.id = wanted.id
"""
_COME_BACK = """
UPDATE reminders_messageitem SET live = true WHERE message_id = ANY (%s::bigint[])
"""
_NEW_IDS = "SELECT nextval('reminders_message_id_seq') FROM generate_series(1, %s)"
# What a message begins with.
_AT_FIRST = {
    "gate_why": "[]",
    "to_address": "",
    "attempts_made": 0,
    "provider": "",
    "provider_id": "",
    "error_code": "",
}


def store(changes: Mapping[int, Changes], *, now: datetime) -> None:
    """Make the ledger equal to the plans of these patients, which the caller's transaction holds.

    Withdraws first: what a withdrawn message would have said is then free for another.
    """
    withdrawn = [each.id for change in changes.values() for each in change.withdraw]
    if withdrawn:
        statements.run(_WITHDRAW, {"ids": statements.array(withdrawn), "now": now})
    changed = [pair for change in changes.values() for pair in change.change]
    if changed:
        rows = [{"id": stored.id, **_owned(wanted, now=now)} for stored, wanted in changed]
        statements.run(_CHANGE, {"rows": statements.document(rows)})
    back = [stored.id for stored, _ in changed if stored.state is MessageState.WITHDRAWN]
    if back:
        statements.run(_COME_BACK, [statements.array(back)])
    added = [(patient, wanted) for patient, change in changes.items() for wanted in change.add]
    if added:
        _add(added, now=now)


def _add(added: Sequence[tuple[int, Wanted]], *, now: datetime) -> None:
    """Store new messages of these patients, and what they say."""
    ids = statements.rows(_NEW_IDS, [len(added)])
    messages: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for (pk,), (patient_id, wanted) in zip(ids, added, strict=True):
        owned = _owned(wanted, now=now)
        messages.append(
            {
                "id": pk,
                "reference": uuid4().hex,
                "key": wanted.key,
                "patient_id": patient_id,
                "kind": wanted.kind,
                "channel": wanted.channel,
                "created_at": str(now),
                **owned,
                **{name: statements.texts(owned[name]) for name in _LISTS},
                **_AT_FIRST,
            }
        )
        items += [
            {
                "message_id": pk,
                "anchor": item.anchor,
                "schedule_version": item.version,
                "step": item.step,
                "channel": item.channel,
                "starts_at": starts_at and str(starts_at),
                "live": True,
            }
            for item, starts_at in zip(wanted.items, wanted.starts, strict=True)
        ]
    statements.copy("reminders_message", messages)
    statements.copy("reminders_messageitem", items)


def _owned(wanted: Wanted, *, now: datetime) -> dict[str, Any]:
    """The columns of a message that planning owns."""
    held = bool(wanted.waits_for or wanted.skip)
    return {
        "site_id": wanted.site_id,
        "series_id": wanted.series_id,
        "session": wanted.session,
        "purpose": wanted.purpose,
        "priority": wanted.priority,
        "needs": wanted.needs,
        "steps": wanted.steps,
        "due_at": str(wanted.due_at),
        "expires_at": str(wanted.expires_at),
        # Never before now: drains do not look further back than they have to.
        "wake_at": None if held else str(max(wanted.due_at, now)),
        "waits_for": wanted.waits_for,
        "state": MessageState.SKIPPED if wanted.skip else MessageState.SCHEDULED,
        "reason": wanted.skip,
        "why": wanted.why,
        "closed_at": str(now) if wanted.skip else None,
    }


_PLANNED = """
UPDATE patients_patient SET planned_revision = revision WHERE id = ANY (%s::bigint[])
"""


def planned(patient_ids: Iterable[int]) -> None:
    """Store that these patients, whom the caller's transaction holds, are planned."""
    statements.run(_PLANNED, [statements.array(patient_ids)])
