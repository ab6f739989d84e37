"""Telling the providers' accounts what was answered: what asks for caution at once, the rest by and
by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from reminders.channels.base import Channel, Submission
from reminders.ledger import accounts
from reminders.ledger.pacing import WELL
from reminders.sending.calling import Answer

# So many good answers of a channel are told together: the account's row is everybody's.
TOLD_TOGETHER = 2000


class Learning:
    """What one process has heard and not yet told. What it loses when it dies is a statistic."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._heard: defaultdict[str, list[Submission]] = defaultdict(list)
        self._at: datetime | None = None

    def add(self, answers: Sequence[Answer]) -> None:
        asks_for_caution = set()
        for each in answers:
            if each.submission is not None:
                self._at = each.at
                channel = each.marked.due.channel
                self._heard[channel].append(each.submission)
                if each.submission.outcome not in WELL:
                    asks_for_caution.add(channel)
        for channel, heard in self._heard.items():
            if channel in asks_for_caution or len(heard) >= TOLD_TOGETHER:
                self._tell(channel)

    def end(self, process: UUID) -> None:
        """Tell the rest, and that this process has nothing under way any more."""
        for channel in self._heard:
            self._tell(channel)
        if self._at is not None:
            accounts.end(process)

    def _tell(self, channel: str) -> None:
        heard, self._heard[channel] = self._heard[channel], []
        if heard and self._at is not None:
            provider = self._channels[channel].provider
            accounts.learn(channel, provider, heard, now=self._at)
