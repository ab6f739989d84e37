"""The mark before a provider is called, and its answer, in SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clinic import statements
from reminders.ledger.claiming import CODE_LENGTH
from reminders.models import SentContent

PROVIDER_ID_LENGTH = 64

MARK = """
UPDATE reminders_message AS message
   SET state = 'submitting', attempts_made = attempts_made + 1, provider = sent.provider,
       claim_token = %(token)s, claimed_at = %(now)s, wake_at = %(until)s
  FROM json_to_recordset(%(rows)s::json) AS sent (id bigint, provider text)
 WHERE message.id = sent.id
RETURNING message.id, 1 + (SELECT coalesce(max(number), 0) FROM reminders_attempt
                            WHERE message_id = message.id)
"""


def mark(
    providers: Mapping[int, str], *, token: UUID, now: datetime, until: datetime
) -> dict[int, int]:
    """Mark messages, whom this transaction holds, as about to be submitted until `until`.

    `providers` is by message id. Gives the number of each one's attempt.
    """
    values = {
        "rows": json.dumps([{"id": each, "provider": name} for each, name in providers.items()]),
        "token": token,
        "now": now,
        "until": until,
    }
    return dict(statements.rows(MARK, values))


# Rows travel as JSON: the driver writes arrays item by item in Python.
KEEP = """
INSERT INTO reminders_sentcontent
       (message_id, address, subject, text, html, calendar, segments, wording_id, wording_digest,
        body_digest, tells_opt_out, at)
SELECT kept.*, %(at)s
  FROM json_to_recordset(%(rows)s::json) AS kept (
       id bigint, address text, subject text, text text, html text, calendar text,
       segments smallint, wording_id bigint, wording_digest text, body_digest text,
       tells_opt_out boolean)
ON CONFLICT (message_id) DO UPDATE
   SET address = excluded.address, subject = excluded.subject, text = excluded.text,
       html = excluded.html, calendar = excluded.calendar, segments = excluded.segments,
       wording_id = excluded.wording_id, wording_digest = excluded.wording_digest,
       body_digest = excluded.body_digest, tells_opt_out = excluded.tells_opt_out,
       emptied_at = NULL, at = excluded.at
"""


def keep(contents: Sequence[SentContent], *, now: datetime) -> None:
    """Store the words of these messages; those of a former sending give way."""
    rows = [
        {
            "id": each.message_id,
            "address": each.address,
            "subject": each.subject,
            "text": each.text,
            "html": each.html,
            "calendar": each.calendar,
            "segments": each.segments,
            "wording_id": each.wording_id,
            "wording_digest": each.wording_digest,
            "body_digest": each.body_digest,
            "tells_opt_out": each.tells_opt_out,
        }
        for each in contents
    ]
    statements.run(KEEP, {"rows": json.dumps(rows), "at": now})


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
  FROM json_to_recordset(%(rows)s::json) AS taken (id bigint, provider_id text)
 WHERE message.id = taken.id
"""


def accept(provider_ids: Mapping[int, str], *, now: datetime) -> None:
    """Store that providers took these messages.

    Evidence wins over belief: it holds whoever has the claim by now, and never sets a message back
    that a receipt has already moved further. Whoever freed it meanwhile must not plan it again.
    """
    rows = [
        {"id": message, "provider_id": provider_id[:PROVIDER_ID_LENGTH]}
        for message, provider_id in provider_ids.items()
    ]
    if rows:
        statements.run(ACCEPT, {"rows": json.dumps(rows), "now": now})


END_ATTEMPTS = """
INSERT INTO reminders_attempt (message_id, number, started_at, ended_at, outcome, code)
SELECT ended.id, ended.number, ended.started_at, %(now)s, ended.outcome, ended.code
  FROM json_to_recordset(%(rows)s::json) AS ended (
       id bigint, number integer, started_at timestamptz, outcome text, code text)
ON CONFLICT (message_id, number) DO UPDATE
   SET ended_at = excluded.ended_at, outcome = excluded.outcome, code = excluded.code
"""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    message_id: int
    number: int
    started_at: datetime
    outcome: str
    code: str = ""


def end_attempts(ends: Sequence[AttemptEnd], *, now: datetime) -> None:
    """Store these attempts and how they ended, also when their lease had run out meanwhile."""
    rows = [
        {
            "id": each.message_id,
            "number": each.number,
            "started_at": each.started_at.isoformat(),
            "outcome": each.outcome,
            "code": each.code[:CODE_LENGTH],
        }
        for each in ends
    ]
    if rows:
        statements.run(END_ATTEMPTS, {"rows": json.dumps(rows), "now": now})


REPORTED = """
INSERT INTO reminders_attempt (message_id, number, started_at, ended_at, outcome, code)
SELECT %(id)s, 1 + coalesce(max(number), 0), %(started_at)s, %(now)s, 'accepted', ''
  FROM reminders_attempt WHERE message_id = %(id)s
"""


def attempt_reported(message_id: int, *, started_at: datetime, now: datetime) -> None:
    """Store the attempt of a marked message whose provider reports before its answer is stored."""
    statements.run(REPORTED, {"id": message_id, "started_at": started_at, "now": now})
