"""The mark before a provider is called, and its answer, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from clinic import statements

PROVIDER_ID_LENGTH = 64


class Words(NamedTuple):
    """The words of one message as they are kept: the columns of `SentContent`."""

    message_id: int
    address: str
    text: str
    subject: str = ""
    html: str = ""
    calendar: str = ""
    segments: int | None = None
    tells_opt_out: bool = False
    wording_id: int | None = None
    wording_digest: str = ""
    body_digest: str = ""


# Their ids go beside them, or the planner, who cannot count them, reads the whole ledger while it
# is short.
_LEAVING = statements.given(
    message_id="bigint",
    address="text",
    text="text",
    subject="text",
    html="text",
    calendar="text",
    segments="smallint",
    tells_opt_out="boolean",
    wording_id="bigint",
    wording_digest="text",
    body_digest="text",
    provider="text",
)
MARK = f"""
WITH leaving AS MATERIALIZED ({_LEAVING}),
kept AS (
  INSERT INTO reminders_sentcontent
         (message_id, address, subject, text, html, calendar, segments, wording_id,
          wording_digest, body_digest, tells_opt_out, at)
  SELECT message_id, address, subject, text, html, calendar, segments, wording_id,
         wording_digest, body_digest, tells_opt_out, %(now)s
    FROM leaving
  ON CONFLICT (message_id) DO UPDATE
     SET address = excluded.address, subject = excluded.subject, text = excluded.text,
         html = excluded.html, calendar = excluded.calendar, segments = excluded.segments,
         wording_id = excluded.wording_id, wording_digest = excluded.wording_digest,
         body_digest = excluded.body_digest, tells_opt_out = excluded.tells_opt_out,
         emptied_at = NULL, at = excluded.at)
UPDATE reminders_message AS message
   SET state = 'submitting', attempts_made = attempts_made + 1, provider = leaving.provider,
       claim_token = %(token)s, claimed_at = %(now)s, leased_until = %(until)s
  FROM leaving
 WHERE message.id = leaving.message_id AND message.id = ANY (%(ids)s::bigint[])
RETURNING message.id, 1 + (SELECT coalesce(max(number), 0) FROM reminders_attempt
                            WHERE message_id = message.id)
"""


def mark(
    leaving: Sequence[tuple[str, Words]], *, token: UUID, now: datetime, until: datetime
) -> dict[int, int]:
    """Mark messages, whom this transaction holds, as about to be submitted until `until`, and keep
    their words; those of a former sending give way.

    `leaving` are the provider and the words of each. Gives the number of each one's attempt.
    """
    values = statements.columns([words for _, words in leaving]) | {
        "provider": statements.document([provider for provider, _ in leaving]),
        "ids": statements.array(words.message_id for _, words in leaving),
        "token": token,
        "now": now,
        "until": until,
    }
    return dict(statements.rows(MARK, values))


class Call(NamedTuple):
    """A call to a provider that was answered: the columns of `Attempt`, and the provider's id for
    what it accepted."""

    message_id: int
    number: int
    started_at: datetime
    outcome: str
    code: str = ""
    provider_id: str = ""


# Evidence wins over belief: what was accepted stays so whoever has the claim by now, and is never
# set back from where a receipt has already moved it. Whoever freed it must not plan it again.
_ACCEPT = """
UPDATE reminders_message AS message
   SET state = CASE WHEN message.state IN ('sent', 'delivered', 'undelivered', 'failed')
                    THEN message.state ELSE 'accepted' END,
       reason = CASE WHEN message.state IN ('undelivered', 'failed')
                     THEN message.reason ELSE '' END,
       error_code = CASE WHEN message.state IN ('undelivered', 'failed')
                         THEN message.error_code ELSE '' END,
       closed_at = CASE WHEN message.state IN ('undelivered', 'failed')
                        THEN message.closed_at END,
       provider_id = CASE WHEN message.provider_id = '' THEN call.provider_id
                          ELSE message.provider_id END,
       accepted_at = coalesce(message.accepted_at, %(now)s),
       claimed_at = coalesce(message.claimed_at, %(now)s),
       wake_at = NULL
  FROM call
 WHERE message.id = call.message_id AND call.outcome = 'accepted'
"""
_CALL = statements.given(
    message_id="bigint",
    number="integer",
    started_at="timestamptz",
    outcome="text",
    code="text",
    provider_id="text",
)
ANSWERED = f"""
WITH call AS MATERIALIZED ({_CALL}),
accepted AS ({_ACCEPT})
INSERT INTO reminders_attempt (message_id, number, started_at, ended_at, outcome, code)
SELECT message_id, number, started_at, %(now)s, outcome, code FROM call
ON CONFLICT (message_id, number) DO UPDATE
   SET ended_at = excluded.ended_at, outcome = excluded.outcome, code = excluded.code
"""


def answered(calls: Sequence[Call], *, now: datetime) -> None:
    """Store these calls and how they ended, also when their lease had run out meanwhile, and that
    providers took what they accepted."""
    if calls:
        statements.run(ANSWERED, statements.columns(calls) | {"now": now})


FOUND = f"""
WITH call AS (SELECT %(id)s::bigint AS message_id, %(provider_id)s::text AS provider_id,
                     'accepted' AS outcome)
{_ACCEPT}
"""


def accept(message_id: int, provider_id: str, *, now: datetime) -> None:
    """Store that a provider says it took a message."""
    values = {"id": message_id, "provider_id": provider_id[:PROVIDER_ID_LENGTH], "now": now}
    statements.run(FOUND, values)


REPORTED = """
INSERT INTO reminders_attempt (message_id, number, started_at, ended_at, outcome, code)
SELECT %(id)s, 1 + coalesce(max(number), 0), %(started_at)s, %(now)s, 'accepted', ''
  FROM reminders_attempt WHERE message_id = %(id)s
"""


def attempt_reported(message_id: int, *, started_at: datetime, now: datetime) -> None:
    """Store the attempt of a marked message whose provider reports before its answer is stored."""
    statements.run(REPORTED, {"id": message_id, "started_at": started_at, "now": now})
