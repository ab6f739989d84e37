"""Sending what is due: claim, gate, write, then hand over to `submitting`.

The promise, by the moment at which a process dies:
- before the mark: nothing was sent, and `tidy` schedules the message again;
- after the mark: the provider may have it, so it is *unknown* and never repeated by itself;
- after the provider's answer was stored: its state says what became of it.
A change of the patient's facts before the mark keeps the message back; after it, it comes too late.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded

from reminders import gate
from reminders.catalogue import REASONS, Channel, Kind, MessageState, Purpose
from reminders.channels import base, opening
from reminders.journeys import recipients
from reminders.ledger import claiming
from reminders.ledger.claiming import Claim
from reminders.ledger.settling import Settlement, Tally, settle
from reminders.models import Message
from reminders.sending import letters, submitting
from reminders.sending.submitting import LEASE, Lease

log = logging.getLogger(__name__)

WINDOW = 64
# Marked and committed together. Few, because after the mark a cancellation comes too late, and
# because this many at most have an unknown outcome when the process is killed.
MARKED_TOGETHER = 16
# A channel that cannot even be opened is a fault of the installation, not of the message.
CHANNEL_CLOSED_RETRY = timedelta(minutes=5)

Open = Callable[[str], base.Channel]


def drain(
    *,
    clock: Callable[[], datetime],
    seconds: float,
    stopping: Callable[[], bool] = lambda: False,
    channel: Open = opening.channel,
) -> Tally:
    """Send window after window until nothing more is due, `seconds` are over or it shall stop.

    `clock` is read once for each window. A window that has begun is finished.
    """
    total = Tally()
    ends = time.monotonic() + seconds
    while not stopping():
        tally = send_due(now=clock(), window=WINDOW, channel=channel)
        total += tally
        if tally["claimed"] < WINDOW or time.monotonic() >= ends:
            break
    return total


def send_due(*, now: datetime, window: int = WINDOW, channel: Open = opening.channel) -> Tally:
    """Claim up to `window` due messages and deal with each: how many were "claimed", and how many
    went to which state. Any number of processes may call it at once."""
    lease = Lease(now)
    claim = claiming.claim(now=now, until=now + LEASE, limit=window)
    if not claim.revisions:
        return Tally()
    due = list(
        Message.objects.filter(pk__in=claim.revisions)
        .select_related("patient", "site")
        .order_by("priority", "due_at", "id")
    )
    tally = Tally(claimed=len(due))
    known = recipients.of(due)
    sendable = _passed(due, known, claim=claim, tally=tally, now=now)
    channels = _channels({message.channel for message in sendable}, channel)
    sendable = _reachable(sendable, channels, claim=claim, tally=tally, now=now)
    written = _written(sendable, known, claim=claim, tally=tally, now=now)
    while written and lease.allows_call:
        batch, written = written[:MARKED_TOGETHER], written[MARKED_TOGETHER:]
        tally += submitting.send(claim, batch, channels, lease=lease)
    tally += submitting.give_back(claim, [each.message for each in written], now=lease.now)
    return tally


def tidy(*, now: datetime) -> None:
    """Deal with what dead workers left: unmarked claims are scheduled and planned again, marked
    ones become unknown. `now` is the database's."""
    claiming.release(now=now)


def envelope(message: Message) -> gate.Envelope:
    """A stored message as the gate sees it."""
    return gate.Envelope(
        purpose=Purpose(message.purpose),
        channel=Channel(message.channel),
        priority=message.priority,
        due_at=message.due_at,
        expires_at=message.expires_at,
        needs=tuple(message.needs),
        ends_contact=message.kind == Kind.OPTOUT_ACK,
    )


# Each step below keeps what goes on, settles the rest and counts it in `tally`.


def _passed(
    due: Iterable[Message],
    known: Mapping[int, gate.Recipient],
    *,
    claim: Claim,
    tally: Tally,
    now: datetime,
) -> list[Message]:
    """Those that the gate lets out now."""
    passed, held = [], []
    for message in due:
        match gate.decide(envelope(message), known[message.pk], now=now):
            case gate.Send():
                passed.append(message)
            case gate.Wait(until=until, reason=reason, why=why):
                held.append(
                    Settlement(
                        message=message,
                        state=MessageState.SCHEDULED,
                        reason=reason,
                        wake_at=until,
                        why=[why],
                    )
                )
            case gate.Skip(reason=reason, why=why):
                held.append(
                    Settlement(
                        message=message,
                        state=MessageState.SKIPPED,
                        reason=reason,
                        why=[why],
                    )
                )
    tally += settle(claim, held, now=now)
    return passed


def _channels(names: Iterable[str], channel: Open) -> dict[str, base.Channel]:
    """The channels that open, by name."""
    opened = {}
    for name in names:
        try:
            opened[name] = channel(name)
        except SoftTimeLimitExceeded:
            raise
        except Exception as fault:  # noqa: BLE001 - wrong settings show in many ways
            # The error itself may quote a secret.
            log.error("channel %s does not open: %s", name, type(fault).__name__)
    return opened


def _reachable(
    messages: Sequence[Message],
    channels: Mapping[str, base.Channel],
    *,
    claim: Claim,
    tally: Tally,
    now: datetime,
) -> list[Message]:
    """Those whose channel is open."""
    away = [
        Settlement(
            message=message,
            state=MessageState.SCHEDULED,
            reason="provider_away",
            wake_at=now + CHANNEL_CLOSED_RETRY,
        )
        for message in messages
        if message.channel not in channels
    ]
    tally += settle(claim, away, now=now)
    return [message for message in messages if message.channel in channels]


def _written(
    messages: Sequence[Message],
    known: Mapping[int, gate.Recipient],
    *,
    claim: Claim,
    tally: Tally,
    now: datetime,
) -> list[letters.Written]:
    """Those that can be written, ready to leave."""
    written, unwritable = letters.write(messages, known, now=now)
    failed = [
        Settlement(
            message=message,
            state=MessageState.FAILED,
            reason="cannot_be_written",
            why=[REASONS["cannot_be_written"]],
        )
        for message in unwritable
    ]
    tally += settle(claim, failed, now=now)
    return written
