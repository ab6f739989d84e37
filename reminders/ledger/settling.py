"""Where a claimed message goes that its provider did not take, and what hard failures ask for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from reminders.catalogue import MessageState
from reminders.ledger import alarms, claiming, fallback
from reminders.ledger.claiming import CODE_LENGTH, Claim
from reminders.models import Message

# How many messages went to which state.
Tally = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Where a claimed message goes.

    `wake_at` is for `scheduled` only. `why` None keeps the former sentences of the gate. `called`
    is False when the message was marked and its provider then not called.
    """

    message: Message
    state: MessageState
    reason: str = ""
    code: str = ""
    wake_at: datetime | None = None
    why: Sequence[str] | None = None
    called: bool = True


@transaction.atomic
def settle(claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> Tally:
    """Store where these messages go. One that is no longer this claim's to settle is left alone.

    A patient whose facts moved on since the claim is planned anew when a message comes back to
    the schedule, and when one failed: what was planned meanwhile took its time for told. A hard
    failure suppresses its address; staff are asked to call where nobody else tells the patient.
    """
    if not settlements:
        return Tally()
    revisions = claiming.hold_patients(each.message.patient_id for each in settlements)
    claiming.plan_anew(
        each.message.patient_id
        for each in settlements
        if each.state in (MessageState.SCHEDULED, MessageState.FAILED)
        and claim.is_behind(each.message.pk, revisions.get(each.message.patient_id))
    )
    settled = _store(claim, settlements, now=now)
    failed = [each for each in settled if each.state is MessageState.FAILED]
    unwritable = [each.message for each in failed if each.reason == "cannot_be_written"]
    refused = {each.message.pk: each.code for each in failed if each.message not in unwritable}
    back = [each for each in settled if each.state is MessageState.SCHEDULED]
    alarms.raise_for(((each.message.site_id, each.code) for each in back), now=now)
    fallback.report_unwritable(unwritable, now=now)
    fallback.after_failures(refused, now=now)
    skipped = [each for each in settled if each.state is MessageState.SKIPPED]
    fallback.after_skips(
        [each.message for each in skipped if each.reason in fallback.LEAVES_UNTOLD], now=now
    )
    return Tally(each.state.value for each in settled)


SETTLE = """
UPDATE reminders_message AS message
   SET state = settled.state, reason = settled.reason, error_code = settled.code,
       wake_at = settled.wake_at, gate_why = coalesce(settled.why::jsonb, message.gate_why),
       claimed_at = CASE WHEN settled.state = 'scheduled' THEN NULL ELSE message.claimed_at END,
       closed_at = CASE WHEN settled.state IN ('skipped', 'failed') THEN %(now)s END,
       attempts_made = message.attempts_made - CASE WHEN settled.called THEN 0 ELSE 1 END
  FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(codes)s::text[],
              %(wakes)s::timestamptz[], %(whys)s::text[], %(called)s::boolean[])
    AS settled (id, state, reason, code, wake_at, why, called)
 WHERE message.id = settled.id AND message.claim_token = %(token)s
   AND message.state IN ('claimed', 'submitting', 'unknown')
RETURNING message.id
"""


def _store(claim: Claim, settlements: Sequence[Settlement], *, now: datetime) -> list[Settlement]:
    """Those that were stored."""
    values: dict[str, Any] = {
        "ids": [each.message.pk for each in settlements],
        "states": [each.state.value for each in settlements],
        "reasons": [each.reason for each in settlements],
        "codes": [each.code[:CODE_LENGTH] for each in settlements],
        "wakes": [each.wake_at for each in settlements],
        "whys": [None if each.why is None else json.dumps(list(each.why)) for each in settlements],
        "called": [each.called for each in settlements],
    }
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {**values, "token": claim.token, "now": now})
        stored = {row[0] for row in cursor.fetchall()}
    return [each for each in settlements if each.message.pk in stored]
