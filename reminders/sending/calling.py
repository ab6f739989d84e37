"""Calls to providers under way: several at once, each answered into one queue.

Knows no database: threads call, the thread that asked stores what they answered.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue

from celery.exceptions import SoftTimeLimitExceeded

from reminders import failpoints
from reminders.channels.base import Channel, Outcome, Submission
from reminders.failpoints import failpoint
from reminders.sending.taking import Marked

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one marked message, and when; `submission` is None when it was not called,
    because the lease or the process was about to end."""

    marked: Marked
    submission: Submission | None
    at: datetime

    @property
    def is_accepted(self) -> bool:
        return self.submission is not None and self.submission.outcome is Outcome.ACCEPTED


def uncalled(marked: Marked) -> Answer:
    return Answer(marked, None, marked.lease.now)


def call(channel: Channel, marked: Marked) -> Answer:
    """Submit one message, unless its lease is too short for that."""
    if not marked.lease.allows_call:
        return uncalled(marked)
    failpoint(failpoints.AFTER_MARK)
    try:
        submission = channel.submit(marked.outgoing)
    except SoftTimeLimitExceeded:
        raise
    except Exception as fault:  # noqa: BLE001 - a channel that breaks its word may have sent it
        log.error("message %s: its channel raised %s", marked.due.pk, type(fault).__name__)
        submission = Submission(outcome=Outcome.UNKNOWN, code="fault")
    failpoint(failpoints.AFTER_CALL)
    return Answer(marked, submission, marked.lease.now)


class Lines:
    """Up to `count` calls at once on one channel, the others in a row behind them.

    Whoever opened it closes it, and finds an answer for everything that was put.
    """

    def __init__(self, channel: Channel, count: int, answers: SimpleQueue[Answer]) -> None:
        self._channel = channel
        self._answers = answers
        self._stopping = False
        self._waiting: SimpleQueue[Marked | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def put(self, marked: Marked) -> None:
        self._waiting.put(marked)

    def close(self) -> None:
        """Let the calls under way end, and begin no other."""
        self._stopping = True
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (marked := self._waiting.get()) is not None:
            self._answers.put(uncalled(marked) if self._stopping else call(self._channel, marked))
