"""What a hard failure asks for: an address that is used no more, the other channel, a call.

What was said by text alone and did not arrive is planned as an e-mail: raising the patient's
revision is all it takes, and the item that is said once keeps it from being said twice. Staff are
asked to call when no channel says it: when the e-mail fails as well, or the gate holds it back.
Which codes close an address is in the providers' table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from appointments.models import Task, TaskKind
from clinic.retelling import Fact, kept, word
from clinic.saying import noop
from reminders.catalogue import KIND_WORDS, REASONS, UNWRITTEN, Channel, Kind, MessageState
from reminders.ledger import alarms, claiming, opting_out
from reminders.ledger.claiming import Due
from reminders.ledger.provider_codes import meaning
from reminders.ledger.provider_statuses import FAILURES
from reminders.models import (
    Message,
    MessageItem,
    SentContent,
    Suppression,
    SuppressionSource,
)

# Failures up to this priority must reach the patient by some other road.
CALL_UP_TO_PRIORITY = 1
UNHEARD = (*FAILURES, MessageState.SKIPPED, MessageState.WITHDRAWN)

# The gate's reasons that leave a living patient of a sending site untold.
LEAVES_UNTOLD = frozenset({"no_consent", "no_address", "suppressed", "expired", "no_common_hour"})

# Said at once and to one person: no other channel says them.
PERSONAL = frozenset({Kind.SAFETY_TEXT, Kind.STAFF_REPLY})

# (anchor, schedule version, step): what is said, whatever the channel.
Said = tuple[str, int, str]
ItemsOf = Mapping[int, list[MessageItem]]


def after_failures(codes: Mapping[int, str], *, now: datetime) -> None:
    """Suppress addresses, turn to the other channel and ask staff to call, for messages that
    failed for good; tell staff of what is wrong with the account.

    `codes` gives the provider's code by message id, empty when there is none. The caller holds
    the patients' rows, and the messages are already stored as failed.
    """
    if not codes:
        return
    _suppress(codes, now=now)
    sites = Message.objects.filter(pk__in=codes).values_list("site_id", "pk")
    alarms.raise_for(((site, codes[pk]) for site, pk in sites), now=now)
    urgent = _urgent(codes)
    items = _items_of(urgent)
    by_email = _falling_back(urgent, items)
    claiming.plan_anew(each.patient_id for each in by_email)
    _ask_for_calls(codes, [each for each in urgent if each not in by_email], items, now=now)


def after_skips(messages: Sequence[int], *, now: datetime) -> None:
    """Ask staff to call about what failed on one channel and was left to these, on the other.
    `messages` are ids.

    The caller holds the patients' rows, and the messages are already stored as skipped.
    """
    if not messages:
        return
    left = {_said_by(item) for item in MessageItem.objects.filter(message__in=messages)}
    failed = (
        MessageItem.objects.filter(
            anchor__in={anchor for anchor, _, _ in left}, message__state__in=FAILURES
        )
        .exclude(message__reason__in=UNWRITTEN)  # staff have their task for it
        .select_related("message")
    )
    codes = {item.message_id: item.message.error_code for item in failed if _said_by(item) in left}
    urgent = _urgent(codes)
    _ask_for_calls(codes, urgent, _items_of(urgent), now=now)


def ask_about_unknown(message: Message, *, attempt: int, now: datetime) -> None:
    """One task about an urgent message of which nobody can say whether it was taken, unless
    another channel says the same. The caller holds the patient's row."""
    items = list(message.items.all())
    said = _said((item.anchor for item in items), without=message.pk)
    is_said = bool(items) and {_said_by(item) for item in items} <= said
    if message.priority > CALL_UP_TO_PRIORITY or is_said:
        return
    Task.objects.bulk_create(
        [
            Task(
                key=f"unknown:{message.pk}:{attempt}",
                site_id=message.site_id,
                patient_id=message.patient_id,
                appointment_id=_visit_of(items),
                kind=TaskKind.CHECK,
                title=noop("A message may not have been sent"),
                detail=kept(
                    "Nobody can say whether it left (%(message)s). Ask the patient, or send it"
                    " again from its page.",
                    message=_named(message),
                ),
                why=[noop("The provider did not answer, and what it knows does not settle it.")],
                due_at=now,
                created_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def no_longer_unknown(message: Message, *, now: datetime) -> None:
    """Close what `ask_about_unknown` opened: the provider has reported."""
    Task.objects.open().filter(key__startswith=f"unknown:{message.pk}:").update(
        closed_at=now, outcome=noop("No longer needed: the provider reported.")
    )


def report_unwritten(messages: Sequence[tuple[Due, str]], *, now: datetime) -> None:
    """One task for each message that could not be written, with its reason (of `UNWRITTEN`)."""
    if not messages:
        return
    Task.objects.bulk_create(
        [
            Task(
                key=f"unwritable:{message.key}",
                site_id=message.site_id,
                patient_id=message.patient_id,
                kind=TaskKind.CHECK,
                title=noop("A message could not be written"),
                detail=kept(
                    "It was not sent (%(message)s). Tell the patient.",
                    message=word(KIND_WORDS[message.kind]),
                ),
                why=[REASONS[reason]],
                due_at=now,
                created_at=now,
            )
            for message, reason in messages
        ],
        ignore_conflicts=True,
    )


def _suppress(codes: Mapping[int, str], *, now: datetime) -> None:
    closing = {pk: reason for pk, code in codes.items() if (reason := meaning(code).closes)}
    if not closing:
        return
    contents = SentContent.objects.filter(message__in=closing).select_related("message__site")
    suppressions = [
        Suppression(
            channel=content.message.channel,
            address=content.address,
            reason=closing[content.message_id],
            source=SuppressionSource.PROVIDER,
            code=codes[content.message_id][: claiming.CODE_LENGTH],
            since=now,
        )
        for content in contents
    ]
    sites = [content.message.site for content in contents]
    opting_out.close(list(zip(suppressions, sites, strict=True)))


def _urgent(ids: Collection[int]) -> list[Message]:
    return list(Message.objects.filter(pk__in=ids, priority__lte=CALL_UP_TO_PRIORITY))


def _items_of(messages: Iterable[Message]) -> dict[int, list[MessageItem]]:
    items: dict[int, list[MessageItem]] = {}
    for item in MessageItem.objects.filter(message__in=messages):
        items.setdefault(item.message_id, []).append(item)
    return items


def _falling_back(messages: Iterable[Message], items: ItemsOf) -> list[Message]:
    """Those that planning will make an e-mail of: something of the text was never one."""
    texts = {
        each: {_said_by(item) for item in items.get(each.pk, [])}
        for each in messages
        if each.channel == Channel.SMS
    }
    anchors = {anchor for said in texts.values() for anchor, _, _ in said}
    mails = MessageItem.objects.filter(anchor__in=anchors, channel=Channel.EMAIL, live=True)
    by_email = {_said_by(item) for item in mails}
    return [each for each, said in texts.items() if not said <= by_email]


def _ask_for_calls(
    codes: Mapping[int, str], urgent: Iterable[Message], items: ItemsOf, *, now: datetime
) -> None:
    """One call task for whatever is urgent and is said by no channel."""
    said = _said(item.anchor for each in items.values() for item in each)
    Task.objects.bulk_create(
        [
            _call(message, codes[message.pk], items.get(message.pk, []), now)
            for message in urgent
            if _is_unsaid(message, items.get(message.pk, []), said)
        ],
        ignore_conflicts=True,
    )


def _said_by(item: MessageItem) -> Said:
    return item.anchor, item.schedule_version, item.step


def _said(anchors: Iterable[str], *, without: int = 0) -> set[Said]:
    """Everything that was or will be said about these visits and series, by any channel."""
    return set(
        MessageItem.objects.filter(anchor__in=set(anchors), live=True)
        .exclude(message__state__in=UNHEARD)
        .exclude(message=without)
        .values_list("anchor", "schedule_version", "step")
    )


def _visit_of(items: Iterable[MessageItem]) -> int | None:
    visits = [item.anchor.removeprefix("visit:") for item in items if item.anchor[:6] == "visit:"]
    return int(visits[0]) if visits else None


def _named(message: Message) -> Fact:
    by = noop("text message") if message.channel == Channel.SMS else noop("e-mail")
    return word(KIND_WORDS[message.kind], by)


def _is_unsaid(message: Message, items: list[MessageItem], said: set[Said]) -> bool:
    if items:
        return not {_said_by(item) for item in items} <= said
    return message.kind in PERSONAL


def _call(message: Message, code: str, items: list[MessageItem], now: datetime) -> Task:
    # Not of the message: the two channels that say the same ask for one call.
    unsaid = " ".join(sorted(map(str, map(_said_by, items)))) or message.key
    digest = sha256(unsaid.encode()).hexdigest()[:20]
    return Task(
        key=f"call:{message.patient_id}:{message.kind}:{digest}",
        site_id=message.site_id,
        patient_id=message.patient_id,
        appointment_id=_visit_of(items),
        kind=TaskKind.CALL,
        title=noop("Call the patient: a message did not reach them"),
        detail=kept("It could not be delivered (%(message)s).", message=_named(message)),
        why=[meaning(code).sentence] if code else [],
        due_at=now,
        created_at=now,
    )
