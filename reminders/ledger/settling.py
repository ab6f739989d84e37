"""Where a message goes that the gate held back or its provider did not take, and what hard failures
ask for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from clinic import statements
from reminders.catalogue import UNWRITTEN, MessageState
from reminders.ledger import alarms, claiming, dropped, fallback
from reminders.ledger.claiming import CODE_LENGTH, Due

# How many messages went to which state.
Tally = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Where a message goes.

    `token` is that of its mark, None when it is not marked and the caller's transaction holds it.
    `wake_at` is for `scheduled` only. `why` None keeps the former sentences of the gate. `tries` is
    what is added to those that the mark counts: -1 when the provider was then not called, 1 when
    the message got no further than being written.
    """

    message: Due
    state: MessageState
    reason: str = ""
    code: str = ""
    wake_at: datetime | None = None
    why: Sequence[str] | None = None
    tries: int = 0
    token: UUID | None = None


def settle(settlements: Sequence[Settlement], *, now: datetime) -> Tally:
    """Store where these messages go. One that is no longer its mark's to settle is left alone.

    A patient whose facts moved on since the mark is planned anew when a message comes back to
    the schedule, and when one failed: what was planned meanwhile took its time for told. A hard
    failure suppresses its address; staff are asked to call where nobody else tells the patient.
    """
    if not settlements:
        return Tally()
    with transaction.atomic():
        return _settle(settlements, now=now)


def _settle(settlements: Sequence[Settlement], *, now: datetime) -> Tally:
    revisions = claiming.hold_patients(each.message.patient_id for each in settlements)
    claiming.plan_anew(
        each.message.patient_id
        for each in settlements
        if each.state in (MessageState.SCHEDULED, MessageState.FAILED)
        and revisions.get(each.message.patient_id) != each.message.revision
    )
    settled = _store(settlements, now=now)
    failed = [each for each in settled if each.state is MessageState.FAILED]
    unwritten = [(each.message, each.reason) for each in failed if each.reason in UNWRITTEN]
    refused = {each.message.pk: each.code for each in failed if each.reason not in UNWRITTEN}
    back = [each for each in settled if each.state is MessageState.SCHEDULED]
    alarms.raise_for(((each.message.site_id, each.code) for each in back), now=now)
    fallback.report_unwritten(unwritten, now=now)
    fallback.after_failures(refused, now=now)
    skipped = [each for each in settled if each.state is MessageState.SKIPPED]
    untold = [each.message.pk for each in skipped if each.reason in fallback.LEAVES_UNTOLD]
    fallback.after_skips(untold, now=now)
    dropped.ask_about(untold, now=now)
    return Tally(each.state.value for each in settled)


# What the gate or its words held back for good is as spoken as what was sent: planning lets it be.
SETTLE = """
UPDATE reminders_message AS message
   SET state = settled.state, reason = settled.reason, error_code = settled.code,
       wake_at = settled.wake_at, gate_why = coalesce(settled.why::jsonb, message.gate_why),
       claimed_at = CASE WHEN settled.state <> 'scheduled'
                         THEN coalesce(message.claimed_at, %(now)s) END,
       claim_token = CASE WHEN settled.state <> 'scheduled' THEN message.claim_token END,
       closed_at = CASE WHEN settled.state IN ('skipped', 'failed') THEN %(now)s END,
       attempts_made = message.attempts_made + settled.tries
  FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(codes)s::text[],
              %(wakes)s::timestamptz[], %(whys)s::text[], %(tries)s::integer[], %(tokens)s::uuid[])
    AS settled (id, state, reason, code, wake_at, why, tries, token)
 WHERE message.id = settled.id AND message.claim_token IS NOT DISTINCT FROM settled.token
   AND message.state IN ('scheduled', 'submitting', 'unknown')
RETURNING message.id
"""


def _store(settlements: Sequence[Settlement], *, now: datetime) -> list[Settlement]:
    """Those that were stored."""
    values: dict[str, Any] = {
        "ids": [each.message.pk for each in settlements],
        "states": [each.state.value for each in settlements],
        "reasons": [each.reason for each in settlements],
        "codes": [each.code[:CODE_LENGTH] for each in settlements],
        "wakes": [each.wake_at for each in settlements],
        "whys": [None if each.why is None else json.dumps(list(each.why)) for each in settlements],
        "tries": [each.tries for each in settlements],
        "tokens": [each.token for each in settlements],
        "now": now,
    }
    stored = {row[0] for row in statements.rows(SETTLE, values)}
    return [each for each in settlements if each.message.pk in stored]
