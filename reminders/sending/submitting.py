"""Handing written messages to their providers: mark, submit, record.

The mark is committed before the first call. No transaction is open while a provider is called, and
what it answered is kept in memory until it is stored or the lease has run out.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection, transaction

from appointments.models import PatientLink
from reminders.catalogue import MessageState
from reminders.channels.base import Channel, Outcome, Submission
from reminders.ledger import backoff, marking
from reminders.ledger.claiming import Claim
from reminders.ledger.marking import AttemptEnd
from reminders.ledger.settling import Settlement, Tally, settle
from reminders.models import Message, SentContent
from reminders.sending.letters import Written

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
# The longest that one call may take, with some margin: none begins with less of the lease left.
CALL_SECONDS = 25.0
DATABASE_RETRY_SECONDS = 0.5


class Lease:
    """A claim's time by this process's own clock, which runs from before the claim at `now`."""

    def __init__(self, now: datetime) -> None:
        self._claimed_at = now
        self._begun = time.monotonic()

    @property
    def now(self) -> datetime:
        return self._claimed_at + timedelta(seconds=time.monotonic() - self._begun)

    @property
    def seconds_left(self) -> float:
        return LEASE.total_seconds() - (time.monotonic() - self._begun)

    @property
    def allows_call(self) -> bool:
        return self.seconds_left > CALL_SECONDS


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one marked message; `submission` is None when the lease left no time to ask."""

    message: Message
    attempt: int
    submission: Submission | None

    @property
    def is_accepted(self) -> bool:
        return self.submission is not None and self.submission.outcome is Outcome.ACCEPTED


def send(
    claim: Claim,
    batch: Sequence[Written],
    channels: Mapping[str, Channel],
    *,
    lease: Lease,
) -> Tally:
    """Send a batch, one after the other, and store what became of each.

    A message whose patient's facts moved on since the claim is given back and not sent.
    """
    attempts, moved_on = _mark(claim, batch, channels, now=lease.now)
    back = [each.message for each in batch if each.message.pk in moved_on]
    tally = give_back(claim, back, now=lease.now)
    answers = [
        _Answer(
            each.message,
            attempts[each.message.pk],
            _submit(channels[each.message.channel], each, lease),
        )
        for each in batch
        if each.message.pk in attempts
    ]
    return tally + _insisting(lambda: _record(claim, answers, now=lease.now), lease)


def give_back(claim: Claim, messages: Sequence[Message], *, now: datetime) -> Tally:
    """Back to the schedule as they were: due at once, for whoever comes first."""
    return settle(
        claim,
        [
            Settlement(
                message=message,
                state=MessageState.SCHEDULED,
                reason=message.reason,
                wake_at=now,
            )
            for message in messages
        ],
        now=now,
    )


@transaction.atomic
def _mark(
    claim: Claim,
    batch: Sequence[Written],
    channels: Mapping[str, Channel],
    *,
    now: datetime,
) -> tuple[dict[int, int], set[int]]:
    """Commit that these are about to be submitted, with the words and the links they carry."""
    attempts, moved_on = marking.mark(
        claim,
        patients={each.message.pk: each.message.patient_id for each in batch},
        providers={each.message.pk: channels[each.message.channel].provider for each in batch},
        now=now,
    )
    marked = [each for each in batch if each.message.pk in attempts]
    SentContent.objects.bulk_create(
        [each.content for each in marked],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=[
            "address",
            "subject",
            "text",
            "html",
            "calendar",
            "segments",
            "at",
            "wording",
            "wording_digest",
            "body_digest",
        ],
    )
    PatientLink.objects.bulk_create([each.link for each in marked if each.link is not None])
    return attempts, moved_on


def _submit(channel: Channel, written: Written, lease: Lease) -> Submission | None:
    if not lease.allows_call:
        return None
    try:
        return channel.submit(written.outgoing)
    except SoftTimeLimitExceeded:
        raise
    except Exception as fault:  # noqa: BLE001 - a channel that breaks its word may have sent it
        log.error(
            "message %s: its channel raised %s",
            written.message.pk,
            type(fault).__name__,
        )
        return Submission(outcome=Outcome.UNKNOWN, code="fault")


@transaction.atomic
def _record(claim: Claim, answers: Sequence[_Answer], *, now: datetime) -> Tally:
    """Store what became of a batch; settling comes first because it locks patients."""
    accepted = [each for each in answers if each.is_accepted]
    tally = settle(
        claim,
        [_settlement(each, now=now) for each in answers if not each.is_accepted],
        now=now,
    )
    marking.accept(
        {each.message.pk: each.submission.provider_id for each in accepted if each.submission},
        now=now,
    )
    marking.end_attempts(
        [
            AttemptEnd(
                each.message.pk,
                each.attempt,
                each.submission.outcome.value,
                each.submission.code,
            )
            for each in answers
            if each.submission is not None
        ],
        now=now,
    )
    marking.forget_attempts(
        {each.message.pk: each.attempt for each in answers if each.submission is None}
    )
    return tally + Tally(accepted=len(accepted))


def _settlement(answer: _Answer, *, now: datetime) -> Settlement:
    """Where a message goes that its provider did not take."""
    message, submission = answer.message, answer.submission
    if submission is None:
        return Settlement(
            message=message,
            state=MessageState.SCHEDULED,
            reason=message.reason,
            wake_at=now,
            called=False,
        )
    code = submission.code
    if submission.outcome is Outcome.UNKNOWN:
        return Settlement(message=message, state=MessageState.UNKNOWN, code=code)
    if submission.outcome is Outcome.REFUSED:
        return Settlement(message=message, state=MessageState.FAILED, reason="refused", code=code)
    following = backoff.after_not_sent(
        tries=message.attempts_made + 1,
        retry_after_seconds=submission.retry_after_seconds,
        expires_at=message.expires_at,
        now=now,
        chance=random.random(),
    )
    if isinstance(following, backoff.GiveUp):
        return Settlement(
            message=message,
            state=MessageState.FAILED,
            reason=following.reason,
            code=code,
        )
    return Settlement(
        message=message,
        state=MessageState.SCHEDULED,
        reason="provider_away",
        code=code,
        wake_at=following.at,
    )


def _insisting(record: Callable[[], Tally], lease: Lease) -> Tally:
    """Record outcomes even while the database is away: they exist nowhere else.

    When the lease ends `tidy` has to call them unknown, and the error is let through.
    """
    while True:
        try:
            return record()
        except (OperationalError, InterfaceError):
            if lease.seconds_left <= 0:
                raise
            log.warning("outcomes wait in memory: the database cannot be reached")
            connection.close()
            time.sleep(DATABASE_RETRY_SECONDS)
