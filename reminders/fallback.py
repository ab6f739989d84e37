"""What a hard failure asks for: an address that is used no more, and a call by staff.

Owns which codes close an address, and when nobody but a person can reach the patient. The other
channel needs no act here: what it says was planned as a message of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from appointments.models import Task, TaskKind
from reminders.catalogue import REASONS, Channel, MessageState
from reminders.models import Message, MessageItem, SentContent, Suppression
from reminders.provider_statuses import Action, meaning

# Failures up to this priority must reach the patient by some other road.
CALL_UP_TO_PRIORITY = 1
OPTED_OUT = frozenset({"21610"})
NOT_TEXTABLE = frozenset({"21211", "21614", "21635", "30006"})
UNHEARD = (
    MessageState.FAILED,
    MessageState.UNDELIVERED,
    MessageState.SKIPPED,
    MessageState.WITHDRAWN,
)


def after_failures(codes: Mapping[int, str], *, now: datetime) -> None:
    """Suppress addresses and ask staff to call, for messages that failed for good.

    `codes` gives the provider's code by message id, empty when there is none. The caller holds
    the patients' rows, and the messages are already stored as failed.
    """
    if not codes:
        return
    _suppress(codes, now=now)
    _ask_for_calls(codes, now=now)


def suppression_reason(channel: str, code: str) -> str:
    """Why an address is used no more after this code; empty when it stays in use."""
    if channel == Channel.SMS:
        if code in OPTED_OUT:
            return "opted_out"
        return "not_textable" if code in NOT_TEXTABLE else ""
    return "hard_bounce" if meaning(code).action is Action.SUPPRESS else ""


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
        if (reason := suppression_reason(content.message.channel, codes[content.message_id]))
    ]
    Suppression.objects.bulk_create(suppressions, ignore_conflicts=True)


def _ask_for_calls(codes: Mapping[int, str], *, now: datetime) -> None:
    """One call task for each urgent message that the other channel does not say either."""
    urgent = Message.objects.filter(pk__in=codes, priority__lte=CALL_UP_TO_PRIORITY)
    items: dict[int, list[MessageItem]] = {}
    for item in MessageItem.objects.filter(message__in=urgent):
        items.setdefault(item.message_id, []).append(item)
    said = _said(item.anchor for each in items.values() for item in each)
    Task.objects.bulk_create(
        [
            _call(message, codes[message.pk], items.get(message.pk, []), now)
            for message in urgent
            if not _said_elsewhere(message, items.get(message.pk, []), said)
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
        ],
        ignore_conflicts=True,
    )


def _said(anchors: Iterable[str]) -> set[tuple[str, int, str, str]]:
    """(anchor, schedule version, step, channel) of everything that was or will be said."""
    return set(
        MessageItem.objects.filter(anchor__in=set(anchors), live=True)
        .exclude(message__state__in=UNHEARD)
        .values_list("anchor", "schedule_version", "step", "channel")
    )


def _said_elsewhere(
    message: Message, items: list[MessageItem], said: set[tuple[str, int, str, str]]
) -> bool:
    others = [channel.value for channel in Channel if channel != message.channel]
    return bool(items) and all(
        any((item.anchor, item.schedule_version, item.step, other) in said for other in others)
        for item in items
    )


def _call(message: Message, code: str, items: list[MessageItem], now: datetime) -> Task:
    visits = [item.anchor.removeprefix("visit:") for item in items if item.anchor[:6] == "visit:"]
    by = "text message" if message.channel == Channel.SMS else "e-mail"
    return Task(
        key=f"call:{message.key}",
        site_id=message.site_id,
        patient_id=message.patient_id,
        appointment_id=int(visits[0]) if visits else None,
        kind=TaskKind.CALL,
        title="Call the patient: a message did not reach them",
        detail=f"The {message.kind.replace('_', ' ')} by {by} could not be delivered.",
        why=[meaning(code).sentence] if code else [],
        due_at=now,
        created_at=now,
    )
