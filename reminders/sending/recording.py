"""Recording what providers answered, in batches, and insisting on it: it exists nowhere else."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from reminders import failpoints
from reminders.catalogue import MessageState
from reminders.channels.base import Outcome, Submission
from reminders.failpoints import failpoint
from reminders.ledger import backoff, marking
from reminders.ledger.claiming import CODE_LENGTH, Due
from reminders.ledger.marking import PROVIDER_ID_LENGTH, Call
from reminders.ledger.settling import Settlement, Tally, settle
from reminders.sending.calling import Answer
from reminders.sending.taking import Marked

log = logging.getLogger(__name__)

DATABASE_RETRY_SECONDS = 0.5


def record(answers: Sequence[Answer]) -> Tally:
    """Store what became of these, also while the database is away, until their leases have ended.

    Then they count as unknown, and the error is let through. An answer that the database does not
    take is left to its lease alone.
    """
    failpoint(failpoints.BEFORE_RECORD)
    while True:
        try:
            tally = _record(answers, now=max(each.at for each in answers))
        except (OperationalError, InterfaceError):
            if all(each.marked.lease.seconds_left <= 0 for each in answers):
                raise
            log.warning("outcomes wait in memory: the database cannot be reached")
            connection.close()
            time.sleep(DATABASE_RETRY_SECONDS)
        except DatabaseError as fault:
            if len(answers) > 1:
                return sum((record([each]) for each in answers), Tally())
            [answer] = answers
            log.error("message %s: its answer: %s", answer.marked.due.pk, type(fault).__name__)
            return Tally()
        else:
            failpoint(failpoints.AFTER_RECORD)
            return tally


@transaction.atomic
def _record(answers: Sequence[Answer], *, now: datetime) -> Tally:
    """Settling comes first because it locks patients."""
    others = [each for each in answers if not each.is_accepted]
    tally = settle([_settlement(each, now=now) for each in others], now=now)
    marking.answered(
        [_call(each.marked, each.submission) for each in answers if each.submission is not None],
        now=now,
    )
    if accepted := len(answers) - len(others):
        tally["accepted"] = accepted
    return tally


def _call(marked: Marked, submission: Submission) -> Call:
    return Call(
        marked.due.pk,
        marked.attempt,
        marked.lease.marked_at,
        submission.outcome.value,
        submission.code[:CODE_LENGTH],
        submission.provider_id[:PROVIDER_ID_LENGTH],
    )


def _settlement(answer: Answer, *, now: datetime) -> Settlement:
    """Where a message goes that its provider did not take."""
    marked, submission = answer.marked, answer.submission
    if submission is None:
        # Due at once, for whoever comes first, and as it was.
        return _goes(answer, MessageState.SCHEDULED, marked.due.reason, wake_at=now, tries=-1)
    match submission.outcome:
        case Outcome.UNKNOWN:
            return _goes(answer, MessageState.UNKNOWN)
        case Outcome.REFUSED:
            return _goes(answer, MessageState.FAILED, "refused")
    following = _following(marked.due, submission, now=now)
    if isinstance(following, backoff.GiveUp):
        return _goes(answer, MessageState.FAILED, following.reason)
    return _goes(answer, MessageState.SCHEDULED, "provider_away", wake_at=following.at)


def _goes(
    answer: Answer,
    state: MessageState,
    reason: str = "",
    *,
    wake_at: datetime | None = None,
    tries: int = 0,
) -> Settlement:
    return Settlement(
        message=answer.marked.due,
        token=answer.marked.token,
        state=state,
        reason=reason,
        code=answer.submission.code if answer.submission else "",
        wake_at=wake_at,
        tries=tries,
    )


def _following(
    due: Due, submission: Submission, *, now: datetime
) -> backoff.Retry | backoff.GiveUp:
    return backoff.after_not_sent(
        tries=due.attempts_made + 1,
        retry_after_seconds=submission.retry_after_seconds,
        expires_at=due.expires_at,
        now=now,
        chance=random.random(),
    )
