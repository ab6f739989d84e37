"""What a hard failure asks for: an address that is used no more, and a call by staff.

Owns when nobody but a person can reach the patient. The other channel needs no act here: what it
says was planned as a message of its own. Which codes close an address is in the providers' table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from appointments.models import Task, TaskKind
from reminders.catalogue import REASONS, Channel, MessageState
from reminders.ledger.provider_statuses import FAILURES, meaning
from reminders.models import Message, MessageItem, SentContent, Suppression

# Failures up to this priority must reach the patient by some other road.
CALL_UP_TO_PRIORITY = 1
UNHEARD = (*FAILURES, MessageState.SKIPPED, MessageState.WITHDRAWN)

# The gate's reasons that leave a living patient of a sending site untold.
LEAVES_UNTOLD = frozenset({"no_consent", "no_address", "suppressed", "expired", "no_common_hour"})

# (anchor, schedule version, step): what is said, whatever the channel.
Said = tuple[str, int, str]


def after_failures(codes: Mapping[int, str], *, now: datetime) -> None:
    """Suppress addresses and ask staff to call, for messages that failed for good.

    `codes` gives the provider's code by message id, empty when there is none. The caller holds
    the patients' rows, and the messages are already stored as failed.
    """
    if not codes:
        return
    _suppress(codes, now=now)
    _ask_for_calls(codes, now=now)


def after_skips(messages: Sequence[Message], *, now: datetime) -> None:
    """Ask staff to call about what failed on one channel and was left to these, on the other.

    The caller holds the patients' rows, and the messages are already stored as skipped.
    """
    left = {_said_by(item) for item in MessageItem.objects.filter(message__in=messages)}
    failed = (
        MessageItem.objects.filter(
            anchor__in={anchor for anchor, _, _ in left}, message__state__in=FAILURES
        )
        .exclude(message__reason="cannot_be_written")  # staff have their task for it
        .select_related("message")
    )
    codes = {item.message_id: item.message.error_code for item in failed if _said_by(item) in left}
    _ask_for_calls(codes, now=now)


def _suppress(codes: Mapping[int, str], *, now: datetime) -> None:
    contents = SentContent.objects.filter(message__in=codes).select_related("message")
    suppressions = [
        Suppression(
            channel=content.message.channel,
            address=content.address,
            reason=reason,
            code=codes[content.message_id],
            since=now,
        )
        for content in contents
        if (reason := meaning(codes[content.message_id]).closes)
    ]
    Suppression.objects.bulk_create(suppressions, ignore_conflicts=True)


def _ask_for_calls(codes: Mapping[int, str], *, now: datetime) -> None:
    """One call task for whatever is urgent and is said by no channel."""
    urgent = Message.objects.filter(pk__in=codes, priority__lte=CALL_UP_TO_PRIORITY)
    items: dict[int, list[MessageItem]] = {}
    for item in MessageItem.objects.filter(message__in=urgent):
        items.setdefault(item.message_id, []).append(item)
    said = _said(item.anchor for each in items.values() for item in each)
    Task.objects.bulk_create(
        [
            _call(message, message.patient_id, codes[message.pk], items.get(message.pk, []), now)
            for message in urgent
            if message.patient_id is not None
            and not {_said_by(item) for item in items.get(message.pk, [])} <= said
        ],
        ignore_conflicts=True,
    )


def report_unwritable(messages: Sequence[Message], *, now: datetime) -> None:
    """One task for each message whose words could not be put together."""
    if not messages:
        return
    Task.objects.bulk_create(
        [
            Task(
                key=f"unwritable:{message.key}",
                site_id=message.site_id,
                patient_id=message.patient_id,
                kind=TaskKind.CHECK,
                title="A message could not be written",
                detail=f"The {message.kind.replace('_', ' ')} was not sent. Tell the patient.",
                why=[REASONS["cannot_be_written"]],
                due_at=now,
                created_at=now,
            )
            for message in messages
            if message.patient_id is not None  # a task is about a patient
        ],
        ignore_conflicts=True,
    )


def _said_by(item: MessageItem) -> Said:
    return item.anchor, item.schedule_version, item.step


def _said(anchors: Iterable[str]) -> set[Said]:
    """Everything that was or will be said about these visits and series, by any channel."""
    return set(
        MessageItem.objects.filter(anchor__in=set(anchors), live=True)
        .exclude(message__state__in=UNHEARD)
        .values_list("anchor", "schedule_version", "step")
    )


def _call(
    message: Message, patient_id: int, code: str, items: list[MessageItem], now: datetime
) -> Task:
    visits = [item.anchor.removeprefix("visit:") for item in items if item.anchor[:6] == "visit:"]
    by = "text message" if message.channel == Channel.SMS else "e-mail"
    # Not of the message: the two channels that say the same ask for one call.
    unsaid = " ".join(sorted(map(str, map(_said_by, items))))
    return Task(
        key=f"call:{patient_id}:{message.kind}:{sha256(unsaid.encode()).hexdigest()[:20]}",
        site_id=message.site_id,
        patient_id=patient_id,
        appointment_id=int(visits[0]) if visits else None,
        kind=TaskKind.CALL,
        title="Call the patient: a message did not reach them",
        detail=f"The {message.kind.replace('_', ' ')} by {by} could not be delivered.",
        why=[meaning(code).sentence] if code else [],
        due_at=now,
        created_at=now,
    )
