"""What numbers and addresses got lately, held still while a window of messages is judged.

Two workers never judge one number at once: whoever judges holds its lock until the transaction that
marks the message ends, so the caps hold exactly. Nobody waits for such a lock: messages to a number
that another worker holds are left for the next round. A constant number of queries for any window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from clinic import statements
from reminders import caps
from reminders.caps import Had
from reminders.catalogue import Channel, Kind, MessageState, Purpose
from reminders.gate import Recipient
from reminders.ledger.fallback import UNHEARD
from reminders.models import MessageItem, SentContent

# The first half of every advisory lock that stands for an address.
LOCK_CLASS = 0x0CA9
HOLD = """
SELECT address FROM json_array_elements_text(%s::json) AS address
 WHERE pg_try_advisory_xact_lock(%s, hashtext(address))
"""
# A provider has it, may have it, or is about to get it.
_HAD = (
    MessageState.SUBMITTING,
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
)


class Judged(Protocol):
    """What is asked of a message here."""

    @property
    def pk(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def priority(self) -> int: ...


class Traffic:
    """The traffic of the addresses of one window; lives as long as the caller's transaction."""

    def __init__(
        self, messages: Sequence[Judged], known: Mapping[int, Recipient], *, now: datetime
    ) -> None:
        self._now = now
        self._address = {
            each.pk: address
            for each in messages
            if (address := known[each.pk].address)
            and caps.counts(Purpose(each.purpose), Channel(each.channel))
        }
        self._held = _held({*self._address.values()})
        may_wait = [
            each
            for each in messages
            if each.pk in self._address and caps.may_give_way(Kind(each.kind), each.priority)
        ]
        self._may_wait = {each.pk for each in may_wait}
        self._asked = {self._address[each.pk] for each in may_wait}
        self._had = lately(self._asked, now=now)
        self._by_email = _said_by_email(
            [
                each.pk
                for each in may_wait
                if each.channel == Channel.SMS and known[each.pk].reads_email
            ]
        )

    def is_busy(self, message: Judged) -> bool:
        """Whether another worker is judging its number right now."""
        return message.pk in self._address and self._address[message.pk] not in self._held

    def had(self, message: Judged) -> Sequence[Had]:
        """What the message's address got lately, oldest first; nothing for what never gives way."""
        if message.pk not in self._may_wait:
            return ()
        return self._had[self._address[message.pk]]

    def is_said_by_email(self, message: Judged) -> bool:
        """Whether everything that a text says was or will be said by e-mail."""
        return message.pk in self._by_email

    def add(self, message: Judged) -> None:
        """Count a message of this window that leaves, if others to its address may give way."""
        address = self._address.get(message.pk)
        if address in self._asked:
            had = Had(
                self._now, Purpose(message.purpose), Channel(message.channel), Kind(message.kind)
            )
            self._had[address].append(had)


def _held(addresses: Collection[str]) -> set[str]:
    if not addresses:
        return set()
    asked = [statements.document([*addresses]), LOCK_CLASS]
    return {address for (address,) in statements.rows(HOLD, asked)}


def lately(addresses: Collection[str], *, now: datetime) -> defaultdict[str, list[Had]]:
    """What each address got as far back as any cap looks, oldest first."""
    had: defaultdict[str, list[Had]] = defaultdict(list)
    if not addresses:
        return had
    rows = (
        SentContent.objects.filter(
            address__in=addresses, at__gte=now - caps.LONGEST, message__state__in=_HAD
        )
        .order_by("at")
        .values_list("address", "at", "message__purpose", "message__channel", "message__kind")
    )
    for address, at, purpose, channel, kind in rows:
        had[address].append(Had(at, Purpose(purpose), Channel(channel), Kind(kind)))
    return had


def _said_by_email(texts: Sequence[int]) -> set[int]:
    """Those of these texts of which every item is live in an e-mail that reaches somebody."""
    if not texts:
        return set()
    said_by: defaultdict[int, set[tuple[str, int, str]]] = defaultdict(set)
    for row in MessageItem.objects.filter(message__in=texts):
        said_by[row.message_id].add((row.anchor, row.schedule_version, row.step))
    if not said_by:
        return set()
    anchors = {anchor for items in said_by.values() for anchor, _, _ in items}
    by_email = set(
        MessageItem.objects.filter(anchor__in=anchors, channel=Channel.EMAIL, live=True)
        .exclude(message__state__in=UNHEARD)
        .values_list("anchor", "schedule_version", "step")
    )
    return {message for message, items in said_by.items() if items <= by_email}
