"""The mark before a provider is called, and its answer, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from reminders.ledger.claiming import CODE_LENGTH, Claim

PROVIDER_ID_LENGTH = 64

HOLD_STILL = "SELECT id, revision FROM patients_patient WHERE id = ANY (%s) ORDER BY id FOR SHARE"

MARK = """
UPDATE reminders_message AS message
   SET state = 'submitting', attempts_made = attempts_made + 1, provider = sent.provider
  FROM unnest(%(ids)s::bigint[], %(providers)s::text[]) AS sent (id, provider)
 WHERE message.id = sent.id AND message.state = 'claimed' AND message.claim_token = %(token)s
RETURNING message.id
"""

BEGIN_ATTEMPTS = """
INSERT INTO reminders_attempt (message_id, number, started_at, outcome, code)
SELECT id,
       1 + (SELECT coalesce(max(number), 0) FROM reminders_attempt WHERE message_id = marked.id),
       %(now)s, '', ''
  FROM unnest(%(ids)s::bigint[]) AS marked (id)
RETURNING message_id, number
"""


def mark(
    claim: Claim,
    *,
    patients: Mapping[int, int | None],
    providers: Mapping[int, str],
    now: datetime,
) -> tuple[dict[int, int], set[int]]:
    """Mark messages as about to be submitted, inside the caller's transaction.

    `patients` and `providers` are by message id. Gives the marked messages with the number of
    their attempt, and those that are not marked because their patient's facts moved on since the
    claim. Until the caller commits, nobody can move them either: a visit is cancelled wholly
    before the mark, or wholly after it.
    """
    with connection.cursor() as cursor:
        cursor.execute(HOLD_STILL, [sorted({each for each in patients.values() if each})])
        revisions: dict[int | None, int] = dict(cursor.fetchall())
        steady = [
            message
            for message, patient in patients.items()
            if not claim.is_behind(message, revisions.get(patient))
        ]
        cursor.execute(
            MARK,
            {
                "ids": steady,
                "providers": [providers[message] for message in steady],
                "token": claim.token,
            },
        )
        marked = [row[0] for row in cursor.fetchall()]
        cursor.execute(BEGIN_ATTEMPTS, {"ids": marked, "now": now})
        return dict(cursor.fetchall()), patients.keys() - set(steady)


ACCEPT = """
UPDATE reminders_message AS message
   SET state = CASE WHEN message.state IN ('sent', 'delivered', 'undelivered', 'failed')
                    THEN message.state ELSE 'accepted' END,
       reason = CASE WHEN message.state IN ('undelivered', 'failed')
                     THEN message.reason ELSE '' END,
       error_code = CASE WHEN message.state IN ('undelivered', 'failed')
                         THEN message.error_code ELSE '' END,
       closed_at = CASE WHEN message.state IN ('undelivered', 'failed')
                        THEN message.closed_at END,
       provider_id = CASE WHEN message.provider_id = '' THEN taken.provider_id
                          ELSE message.provider_id END,
       accepted_at = coalesce(message.accepted_at, %(now)s),
       claimed_at = coalesce(message.claimed_at, %(now)s),
       wake_at = NULL
  FROM unnest(%(ids)s::bigint[], %(provider_ids)s::text[]) AS taken (id, provider_id)
 WHERE message.id = taken.id
"""


def accept(provider_ids: Mapping[int, str], *, now: datetime) -> None:
    """Store that providers took these messages.

    Evidence wins over belief: it holds whoever has the claim by now, and never sets a message back
    that a receipt has already moved further. Whoever freed it meanwhile must not plan it again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ACCEPT,
            {
                "ids": list(provider_ids),
                "provider_ids": [each[:PROVIDER_ID_LENGTH] for each in provider_ids.values()],
                "now": now,
            },
        )


END_ATTEMPTS = """
UPDATE reminders_attempt AS attempt
   SET ended_at = %(now)s, outcome = ended.outcome, code = ended.code
  FROM unnest(%(ids)s::bigint[], %(numbers)s::integer[], %(outcomes)s::text[], %(codes)s::text[])
    AS ended (id, number, outcome, code)
 WHERE attempt.message_id = ended.id AND attempt.number = ended.number
"""
FORGET_ATTEMPTS = """
DELETE FROM reminders_attempt AS attempt
 USING unnest(%(ids)s::bigint[], %(numbers)s::integer[]) AS unmade (id, number)
 WHERE attempt.message_id = unmade.id AND attempt.number = unmade.number
"""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    message_id: int
    number: int
    outcome: str
    code: str = ""


def end_attempts(ends: Sequence[AttemptEnd], *, now: datetime) -> None:
    """Store how these attempts ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            END_ATTEMPTS,
            {
                "ids": [each.message_id for each in ends],
                "numbers": [each.number for each in ends],
                "outcomes": [each.outcome for each in ends],
                "codes": [each.code[:CODE_LENGTH] for each in ends],
                "now": now,
            },
        )


def forget_attempts(numbers: Mapping[int, int]) -> None:
    """Remove attempts that were marked and never made: their numbers by message."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_ATTEMPTS, {"ids": list(numbers), "numbers": list(numbers.values())})
