"""Sending what is due, many calls at once: a place that a call leaves is filled while the others go
on, so that a slow answer holds up nobody.

The promise, by the moment at which a process dies:
- before the mark commits: nothing was sent and nothing was changed;
- after it: the provider may have the message, so it becomes *unknown* when the lease has run out,
  and is never repeated by itself;
- after the provider's answer was stored: its state says what became of it.
A change of the patient's facts before the mark keeps the message back; after it, it comes too late.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self
from uuid import uuid4

from celery.exceptions import SoftTimeLimitExceeded

from reminders.catalogue import Channel
from reminders.channels import base, opening
from reminders.ledger import claiming
from reminders.ledger.accounts import Caller
from reminders.ledger.settling import Tally
from reminders.sending import calling, recording, taking
from reminders.sending.calling import Answer, Lines
from reminders.sending.floor import Floor
from reminders.sending.learning import Learning
from reminders.sending.lease import Lease
from reminders.sending.taking import Marked, Poison, Taken, Write

log = logging.getLogger(__name__)

WINDOW = 64
# A channel that had nothing due is asked again after this long, while the others go on.
ASK_AGAIN_SECONDS = 1.0
# How long an answer is waited for before the other channels are looked at.
GLANCE_SECONDS = 0.02

Open = Callable[[str], base.Channel]


@dataclass(frozen=True, slots=True)
class Room:
    """How much of one channel this process has under way: `lines` calls at once, and `marked` with
    those that wait behind them. What is marked is unknown when the process is killed, and beyond a
    cancellation's reach."""

    lines: int
    marked: int


# A server takes few mails at once from one sender; texts go faster.
ROOMS = {Channel.SMS.value: Room(16, 24), Channel.EMAIL.value: Room(4, 16)}


def drain(
    *,
    clock: Callable[[], datetime],
    seconds: float,
    stopping: Callable[[], bool] = lambda: False,
    channel: Open = opening.channel,
    rooms: Mapping[str, Room] = ROOMS,
    write: Write = taking.write,
    floor: Floor | None = None,
) -> Tally:
    """Send until nothing more is due or `seconds` are over, and end what was marked; when it shall
    stop, end the calls under way and give the others back. How many were "claimed", and how many
    went to which state.

    `clock` is the database's, read once for each claim. `floor` is what this process has seen
    before. Any number of processes may do it at once.
    """
    if stopping():
        return Tally()
    now = clock()
    above = floor.above(now) if floor else claiming.BOTTOM
    if not claiming.anything_due(now=now, floor=above):
        return Tally()
    ends = time.monotonic() + seconds
    with _Stream(_Channels(channel), rooms, partial(_take, write=write, floor=above)) as stream:
        while not stopping():
            is_over = time.monotonic() >= ends
            if not is_over:
                stream.refill(clock)
            if stream.is_empty and (is_over or not stream.has_more):
                break
            stream.collect()
    return stream.tally


def send_due(
    *,
    now: datetime,
    window: int = WINDOW,
    channel: Open = opening.channel,
    write: Write = taking.write,
) -> Tally:
    """Claim up to `window` due messages and deal with each, one call after the other."""
    if not claiming.anything_due(now=now):
        return Tally()
    channels, caller = _Channels(channel), Caller(uuid4(), {})
    taken = _take(Lease(now), window, tuple(ROOMS), channels, caller, write=write)
    answers = [calling.call(channels[each.due.channel], each) for each in taken.marked]
    if not answers:
        return taken.tally
    tally = taken.tally + recording.record(answers)
    learning = Learning(channels)
    learning.add(answers)
    learning.end(caller.process)
    return tally


def tidy(*, now: datetime) -> None:
    """Call those unknown that dead workers had marked. `now` is the database's."""
    claiming.lapse(now=now)


class _Channels(dict[str, base.Channel]):
    """The channels that are open, each opened when it is first asked for."""

    def __init__(self, channel: Open) -> None:
        self._open = channel
        self._closed: set[str] = set()

    def opened(self, name: str) -> base.Channel | None:
        """The channel of this name, None when it does not open."""
        if name not in self and name not in self._closed:
            try:
                self[name] = self._open(name)
            except SoftTimeLimitExceeded:
                raise
            except Exception as fault:  # noqa: BLE001 - wrong settings show in many ways
                # The error itself may quote a secret.
                log.error("channel %s does not open: %s", name, type(fault).__name__)
                self._closed.add(name)
        return self.get(name)


class _Stream:
    """What one process has under way; whatever ends it, what was answered is stored."""

    def __init__(
        self, channels: _Channels, rooms: Mapping[str, Room], take: Callable[..., Taken]
    ) -> None:
        self.tally = Tally()
        self._channels, self._rooms, self._take = channels, rooms, take
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._lines: dict[str, Lines] = {}
        self._under_way: Counter[str] = Counter()
        self._dry_until: dict[str, float] = {}
        self._more: dict[str, bool] = {}
        self._process = uuid4()
        self._learning = Learning(channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lines in self._lines.values():
            lines.close()
        if not self.is_empty:
            self.collect()
        self._learning.end(self._process)

    @property
    def is_empty(self) -> bool:
        return not self._under_way.total()

    @property
    def has_more(self) -> bool:
        """Whether more is due, now or once the pace of its provider allows."""
        return any(self._more.values())

    def refill(self, clock: Callable[[], datetime]) -> None:
        """Take up messages for the channels that have room."""
        for name, room in self._rooms.items():
            self._refill(name, room, clock)

    def _refill(self, name: str, room: Room, clock: Callable[[], datetime]) -> None:
        free = room.marked - self._under_way[name]
        is_dry = self._dry_until.get(name, 0.0) > time.monotonic()
        if is_dry or free < max(1, room.marked // 4):
            return
        caller = Caller(self._process, self._under_way)
        taken = self._take(Lease(clock()), free, (name,), self._channels, caller)
        self._more[name] = taken.more_in is not None and taken.more_in <= ASK_AGAIN_SECONDS
        rest = taken.more_in if self._more[name] else ASK_AGAIN_SECONDS
        self._dry_until[name] = time.monotonic() + (rest or 0.0)
        self.tally += taken.tally
        for marked in taken.marked:
            self._put(name, room, marked)

    def _put(self, name: str, room: Room, marked: Marked) -> None:
        if name not in self._lines:
            self._lines[name] = Lines(self._channels[name], room.lines, self._answers)
        self._under_way[name] += 1
        self._lines[name].put(marked)

    def collect(self) -> None:
        """Store what was answered meanwhile; waits a moment for the first answer."""
        answers: list[Answer] = []
        try:
            while not answers or not self.is_empty:
                answer = self._answers.get(block=not answers, timeout=GLANCE_SECONDS)
                self._under_way[answer.marked.due.channel] -= 1
                answers.append(answer)
        except Empty:
            pass
        finally:
            if answers:
                self.tally += recording.record(answers)
                self._learning.add(answers)


def _take(
    lease: Lease,
    limit: int,
    names: tuple[str, ...],
    channels: _Channels,
    caller: Caller,
    *,
    write: Write,
    floor: datetime = claiming.BOTTOM,
) -> Taken:
    """One claim. A message that breaks it for all is found by halves, and fails alone, or is put
    off alone when the fault is not its own (`taking.refuse`)."""
    while True:
        try:
            return taking.take(
                lease=lease,
                limit=limit,
                names=names,
                channel=channels.opened,
                caller=caller,
                write=write,
                floor=floor,
            )
        except Poison as poison:
            log.error("%s messages fail together: %r", len(poison.messages), type(poison.__cause__))
            if len(poison.messages) == 1:
                tally = taking.refuse(poison.messages[0], poison.__cause__, now=lease.marked_at)
                return Taken(tally=tally + Tally(claimed=1), more_in=0.0)
            limit = max(1, len(poison.messages) // 2)
