"""What planning owns of the ledger, read and written for many patients at once: a number of
statements that does not depend on how many patients there are or how much they are told.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import NamedTuple

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


class _Owned(NamedTuple):
    """The columns that planning owns, of what is added and of what changes; moments and lists as
    text."""

    site_id: int
    series_id: int | None
    session: int | None
    purpose: str
    priority: int
    needs: str
    steps: str
    due_at: str
    expires_at: str
    wake_at: str | None
    waits_for: str
    state: str
    reason: str
    why: str
    closed_at: str | None


_TYPES = {
    "site_id": "bigint",
    "series_id": "bigint",
    "session": "smallint",
    "priority": "smallint",
    **dict.fromkeys(("needs", "steps", "why"), "jsonb"),
    **dict.fromkeys(("due_at", "expires_at", "wake_at", "closed_at"), "timestamptz"),
}
_CHANGE = f"""
WITH wanted AS MATERIALIZED (
  {statements.given(id="bigint", **{name: _TYPES.get(name, "text") for name in _Owned._fields})})
UPDATE reminders_message AS message
   SET {", ".join(f"{name} = wanted.{name}" for name in _Owned._fields)}, gate_why = '[]'
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
_MESSAGE = ("id", "reference", "key", "patient_id", "kind", "channel", "created_at")
_ITEM = ("message_id", "anchor", "schedule_version", "step", "channel", "starts_at", "live")


def store(changes: Mapping[int, Changes], *, now: datetime) -> None:
    """Make the ledger equal to the plans of these patients, which the caller's transaction holds.

    Withdraws first: what a withdrawn message would have said is then free for another.
    """
    withdrawn = [each.id for change in changes.values() for each in change.withdraw]
    if withdrawn:
        statements.run(_WITHDRAW, {"ids": statements.array(withdrawn), "now": now})
    changed = [pair for change in changes.values() for pair in change.change]
    if changed:
        values = statements.columns([_owned(wanted, now=now) for _, wanted in changed])
        ids = statements.document([stored.id for stored, _ in changed])
        statements.run(_CHANGE, {"id": ids, **values})
    back = [stored.id for stored, _ in changed if stored.state is MessageState.WITHDRAWN]
    if back:
        statements.run(_COME_BACK, [statements.array(back)])
    added = [(patient, wanted) for patient, change in changes.items() for wanted in change.add]
    if added:
        _add(added, now=now)


def _add(added: Sequence[tuple[int, Wanted]], *, now: datetime) -> None:
    """Store new messages of these patients, and what they say."""
    ids = [pk for (pk,) in statements.rows(_NEW_IDS, [len(added)])]
    created_at = str(now)
    messages = [
        (
            *(pk, token_hex(16), each.key, patient_id, each.kind, each.channel, created_at),
            *_owned(each, now=now),
            *_AT_FIRST.values(),
        )
        for pk, (patient_id, each) in zip(ids, added, strict=True)
    ]
    items = [
        (
            pk,
            item.anchor,
            item.version,
            item.step,
            item.channel,
            str(starts) if starts else None,
            True,
        )
        for pk, (_, each) in zip(ids, added, strict=True)
        for item, starts in zip(each.items, each.starts, strict=True)
    ]
    statements.copy("reminders_message", (*_MESSAGE, *_Owned._fields, *_AT_FIRST), messages)
    statements.copy("reminders_messageitem", _ITEM, items)


def _owned(wanted: Wanted, *, now: datetime) -> _Owned:
    held = bool(wanted.waits_for or wanted.skip)
    return _Owned(
        site_id=wanted.site_id,
        series_id=wanted.series_id,
        session=wanted.session,
        purpose=wanted.purpose,
        priority=wanted.priority,
        needs=statements.texts(wanted.needs),
        steps=statements.texts(wanted.steps),
        due_at=str(wanted.due_at),
        expires_at=str(wanted.expires_at),
        # Never before now: drains do not look further back than they have to.
        wake_at=None if held else str(max(wanted.due_at, now)),
        waits_for=wanted.waits_for,
        state=MessageState.SKIPPED if wanted.skip else MessageState.SCHEDULED,
        reason=wanted.skip,
        why=statements.texts(wanted.why),
        closed_at=str(now) if wanted.skip else None,
    )


_PLANNED = """
UPDATE patients_patient SET planned_revision = revision WHERE id = ANY (%s::bigint[])
"""


def planned(patient_ids: Iterable[int]) -> None:
    """Store that these patients, whom the caller's transaction holds, are planned."""
    statements.run(_PLANNED, [statements.array(patient_ids)])
