"""What messages say, and what patients were told before, read from the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from reminders.catalogue import SAID_NOW, TELLING_KINDS, Channel, Kind, MessageState
from reminders.ledger.claiming import Due
from reminders.models import DraftText, Message, MessageItem, SentContent
from reminders.planning.facts import Item

# In these states the patient was told what a message says, or may have been.
_TOLD = (
    MessageState.SUBMITTING,
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
)


# (schedule version, step, start) of one visit.
Told = tuple[int, str, datetime]


def items_of(messages: Sequence[Message | Due]) -> defaultdict[int, list[Item]]:
    """What each message says, by its id."""
    rows = MessageItem.objects.filter(message__in=[message.pk for message in messages])
    items: defaultdict[int, list[Item]] = defaultdict(list)
    for pk, anchor, version, step, channel in rows.order_by("id").values_list(
        "message_id", "anchor", "schedule_version", "step", "channel"
    ):
        items[pk].append(Item(anchor, version, step, Channel(channel)))
    return items


def drafts_of(messages: Sequence[Message | Due]) -> dict[int, DraftText]:
    """What somebody gave for each message that is said at once, by its id."""
    at_once = [message.pk for message in messages if message.kind in SAID_NOW]
    if not at_once:
        return {}
    return {draft.message_id: draft for draft in DraftText.objects.filter(message__in=at_once)}


def starts_told(anchors: Iterable[str]) -> defaultdict[str, list[Told]]:
    """By visit what patients were told of its start: (version, step, start), oldest first."""
    rows = (
        MessageItem.objects.filter(
            anchor__in=set(anchors),
            live=True,  # as the index by anchor has it: no message that was told is withdrawn
            step__in=[*TELLING_KINDS, Kind.CANCELLED],
            message__state__in=_TOLD,
        )
        .order_by("schedule_version", "message__accepted_at")
        .values_list("anchor", "schedule_version", "step", "starts_at")
    )
    told: defaultdict[str, list[Told]] = defaultdict(list)
    for anchor, version, step, starts_at in rows:
        if starts_at is not None:
            told[anchor].append((version, step, starts_at))
    return told


def told_offers(anchors: Iterable[str]) -> defaultdict[str, set[Channel]]:
    """By invitation the channels on which the patient heard of it, or may have."""
    rows = MessageItem.objects.filter(
        anchor__in=set(anchors), live=True, step=Kind.WAITLIST_OFFER, message__state__in=_TOLD
    )
    told: defaultdict[str, set[Channel]] = defaultdict(set)
    for anchor, channel in rows.values_list("anchor", "channel"):
        told[anchor].add(Channel(channel))
    return told


def told_before(
    told: Sequence[Told], version: int, *, elsewhere: datetime | None = None
) -> datetime | None:
    """The start that was told last before a schedule version; a told cancellation unsays it.
    Before anything was told here it is what a former system told, `elsewhere`.

    News of that version by one channel does not count as told: the other still has to say it.
    """
    earlier = [(step, starts_at) for number, step, starts_at in told if number < version]
    if not earlier:
        return elsewhere
    if earlier[-1][0] == Kind.CANCELLED:
        return None
    return earlier[-1][1]


def told_opt_out(addresses: Collection[str], *, since: datetime) -> set[str]:
    """The numbers that were told since then how to get no more texts, whoever shares them."""
    return set(
        SentContent.objects.filter(
            address__in=addresses, at__gte=since, tells_opt_out=True, message__state__in=_TOLD
        ).values_list("address", flat=True)
    )
