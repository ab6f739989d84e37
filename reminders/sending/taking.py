"""Taking due messages up: claim, gate, words and mark, in one transaction.

Until it commits nothing can have left, and whoever dies leaves everything as it was. Meanwhile it
holds the rows of the messages and of their patients: a visit is cancelled wholly before the mark,
which then does not come about, or wholly after it, which is too late for what was marked.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from celery.exceptions import SoftTimeLimitExceeded
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    transaction,
)

from appointments.models import PatientLink
from reminders import failpoints, gate
from reminders.catalogue import REASONS, Channel, Kind, MessageState, Purpose
from reminders.channels import base
from reminders.channels.base import Outgoing
from reminders.failpoints import failpoint
from reminders.journeys import catching_up, recipients
from reminders.journeys.traffic import Traffic
from reminders.ledger import accounts, backoff, claiming, marking
from reminders.ledger.accounts import Caller, Outlook
from reminders.ledger.claiming import Due
from reminders.ledger.marking import Words
from reminders.ledger.settling import Settlement, Tally, settle
from reminders.models import Message
from reminders.sending import letters
from reminders.sending.lease import Lease

# A channel that cannot even be opened is a fault of the installation, not of the message.
HELD_UP_SECONDS = 0.05
CHANNEL_CLOSED_RETRY = timedelta(minutes=5)
# Neither is a database that has other columns or rules than this release: no words of a message
# break these, and once both are of one release it leaves. What is wrong with words is a DataError.
DISAGREEMENTS = (IntegrityError, ProgrammingError)
DISAGREEMENT_RETRY = timedelta(minutes=1)
# Nor is a machine that is short of memory, of a disk or of open files: what it cannot do now it may
# in a minute. Of a message that asks for too much of it the tries run out.
TROUBLES = (OSError, MemoryError)


@dataclass(frozen=True, slots=True)
class Ready:
    """The words of one message, as they leave and as they are kept, and the link they carry."""

    outgoing: Outgoing
    words: Words
    link: PatientLink | None = None


# Gives those that can be written, by message id.
Write = Callable[[Sequence[Due], Mapping[int, gate.Recipient], datetime], Mapping[int, Ready]]

# The channel of this name, None when it does not open.
Opened = Callable[[str], base.Channel | None]


@dataclass(frozen=True, slots=True)
class Marked:
    """One message that may be submitted until its lease runs out."""

    due: Due
    token: UUID
    attempt: int
    outgoing: Outgoing
    lease: Lease


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one claim: those marked, and how many were "claimed" and went elsewhere.

    `more_in` is in how many seconds more may be had, None when nothing more was due.
    """

    marked: list[Marked] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    more_in: float | None = None


class Poison(Exception):
    """Taking these messages up failed as a whole; nothing was changed. The cause is chained."""

    def __init__(self, messages: Sequence[Due]) -> None:
        super().__init__()
        self.messages = messages


def envelope(message: Message | Due, *, said_by_email: bool = False) -> gate.Envelope:
    """A stored message as the gate sees it."""
    return gate.Envelope(
        purpose=Purpose(message.purpose),
        channel=Channel(message.channel),
        priority=message.priority,
        due_at=message.due_at,
        expires_at=message.expires_at,
        needs=tuple(message.needs),
        ends_contact=message.kind == Kind.OPTOUT_ACK,
        kind=Kind(message.kind),
        said_by_email=said_by_email,
        at_any_hour=message.at_any_hour,
    )


def write(
    due: Sequence[Due], known: Mapping[int, gate.Recipient], now: datetime
) -> dict[int, Ready]:
    """Letters for these messages."""
    written, _ = letters.write(due, known, now=now)
    return {each.message.pk: Ready(each.outgoing, each.words, each.link) for each in written}


@transaction.atomic
def take(
    *,
    lease: Lease,
    limit: int,
    names: Collection[str],
    channel: Opened,
    caller: Caller,
    write: Write = write,
    floor: datetime = claiming.BOTTOM,
) -> Taken:
    """Claim up to `limit` due messages on the channels of these `names`, mark those that may leave
    and settle the others. What the accounts of their providers do not allow now stays due.

    Raises:
        Poison: when a message among these breaks more than itself.
    """
    opened = {name: each for name in names if (each := channel(name)) is not None}
    outlook = accounts.foresee(
        {name: each.provider for name, each in opened.items()}, limit, now=lease.marked_at
    )
    # The messages of a channel that does not open are put off.
    names = [name for name in names if name not in opened or outlook[name].allowed]
    limit = min(limit, sum(outlook[name].allowed if name in opened else limit for name in names))
    due, found = (
        claiming.take(now=lease.marked_at, channels=names, limit=limit, floor=floor)
        if limit
        else ([], 0)
    )
    if not due:
        waits = [outlook[name].ready_in for name in opened if not outlook[name].allowed]
        return Taken(more_in=HELD_UP_SECONDS if found else min(waits, default=None))
    failpoint(failpoints.AFTER_CLAIM)
    try:
        return _Taking(lease, limit, opened, outlook, caller, write).of(due, found)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception as fault:
        raise Poison(due) from fault


def refuse(message: Due, fault: BaseException | None, *, now: datetime) -> Tally:
    """Give a message up that breaks whatever takes it up with this fault, if it still waits to be
    sent; put it off when the fault is not its own."""
    if isinstance(fault, DISAGREEMENTS):
        return settle([_back(message, "cannot_be_stored", now + DISAGREEMENT_RETRY)], now=now)
    if isinstance(fault, TROUBLES):
        return settle([_tried(message, now=now)], now=now)
    return settle([_unwritten(message, "cannot_be_written")], now=now)


@dataclass(frozen=True, slots=True)
class _Taking:
    """The steps of one claim: judged, written, allowed by the accounts, marked."""

    lease: Lease
    limit: int
    opened: Mapping[str, base.Channel]
    outlook: Mapping[str, Outlook]
    caller: Caller
    write: Write

    def of(self, due: Sequence[Due], found: int) -> Taken:
        now = self.lease.marked_at
        known = recipients.of(due)
        late = catching_up.held_back(due, now=now)
        traffic = Traffic(due, known, now=now)
        # The more urgent first: it takes the room that a cap leaves.
        due = sorted(
            (each for each in due if each.pk not in late and not traffic.is_busy(each)),
            key=lambda each: (each.priority, each.due_at, each.pk),
        )
        held = {
            each.pk: rest
            for each in due
            if (rest := _held(each, known[each.pk], traffic, now, self.opened))
        }
        passed = [each for each in due if each.pk not in held]
        failpoint(failpoints.AFTER_GATE)
        ready = self.write(passed, known, now) if passed else {}
        held |= {
            each.pk: _unwritten(each, "cannot_be_written")
            for each in passed
            if each.pk not in ready
        }
        leaving = self._allowed([each for each in passed if each.pk in ready])
        failpoint(failpoints.BEFORE_MARK)
        marked = self._mark(leaving, ready)
        tally = settle(list(held.values()), now=now)
        claimed = len(held) + len(leaving)
        if claimed:
            tally["claimed"] = claimed
        return Taken(marked, tally, self._more_in(found, claimed))

    def _more_in(self, found: int, claimed: int) -> float | None:
        if claimed < found:
            return HELD_UP_SECONDS  # by others, who hold a patient, a number or an account's calls
        return 0.0 if found == self.limit else None

    def _allowed(self, ready: Sequence[Due]) -> list[Due]:
        """Those for whose call there is leave; the others were only looked at."""
        wanted = Counter(each.channel for each in ready)
        left = {
            name: accounts.debit(
                name,
                self.opened[name].provider,
                count,
                caller=self.caller,
                now=self.lease.marked_at,
                until=self.lease.until,
            )
            for name, count in sorted(wanted.items())
            if self.outlook[name].is_limited
        }
        allowed = []
        for each in ready:
            if each.channel in left:
                left[each.channel] -= 1
            if left.get(each.channel, 0) >= 0:
                allowed.append(each)
        return allowed

    def _mark(self, leaving: Sequence[Due], ready: Mapping[int, Ready]) -> list[Marked]:
        """Store that these are about to be submitted, with the words and the links they carry."""
        if not leaving:
            return []
        token = uuid4()
        attempts = marking.mark(
            [(self.opened[each.channel].provider, ready[each.pk].words) for each in leaving],
            token=token,
            now=self.lease.marked_at,
            until=self.lease.until,
        )
        if links := [link for each in leaving if (link := ready[each.pk].link) is not None]:
            PatientLink.objects.bulk_create(links)
        return [
            Marked(each, token, attempts[each.pk], ready[each.pk].outgoing, self.lease)
            for each in leaving
        ]


def _held(
    message: Due,
    recipient: gate.Recipient,
    traffic: Traffic,
    now: datetime,
    opened: Collection[str],
) -> Settlement | None:
    """Where a message goes that does not leave now; None when it does, and then it counts."""
    asked = envelope(message, said_by_email=traffic.is_said_by_email(message))
    match gate.decide(asked, recipient, now=now, had=traffic.had(message)):
        case gate.Wait(until=until, reason=reason, why=why):
            return _back(message, reason, until, why=[why])
        case gate.Skip(reason=reason, why=why):
            return Settlement(message=message, state=MessageState.SKIPPED, reason=reason, why=[why])
        case _ if message.channel not in opened:
            return _back(message, "provider_away", now + CHANNEL_CLOSED_RETRY)
    traffic.add(message)
    return None


def _back(
    message: Due, reason: str, wake_at: datetime, *, why: Sequence[str] | None = None
) -> Settlement:
    return Settlement(
        message=message, state=MessageState.SCHEDULED, reason=reason, wake_at=wake_at, why=why
    )


def _tried(message: Due, *, now: datetime) -> Settlement:
    """Tried again as after a call that came to nothing, and given up as late."""
    following = backoff.after_not_sent(
        tries=message.attempts_made + 1,
        retry_after_seconds=None,
        expires_at=message.expires_at,
        now=now,
        chance=random.random(),
    )
    if isinstance(following, backoff.GiveUp):
        return _unwritten(message, "machine_failed")
    return replace(_back(message, "machine_trouble", following.at), tries=1)


def _unwritten(message: Due, reason: str) -> Settlement:
    """Given up for one of the reasons `UNWRITTEN`."""
    return Settlement(
        message=message, state=MessageState.FAILED, reason=reason, why=[REASONS[reason]]
    )
