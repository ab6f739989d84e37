"""What providers report about messages that they took: stored once, merged forward only.

Reports come doubled, late and in any order, also before the answer to the call was stored. Believes
its caller that the report is the provider's; refuses to guess at words it does not know.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from reminders.catalogue import MessageState
from reminders.ledger import accounts, backoff, claiming, fallback, marking, provider_statuses
from reminders.ledger.provider_codes import Action, meaning
from reminders.models import Message, MessageItem, Receipt, SentContent

SECOND_TRY = "second_try"
# So long after a text was taken a carrier's wish for fewer still says something of now.
STILL_SO = timedelta(minutes=10)


class Misdirected(Exception):
    """The report names another recipient than its message has."""


@transaction.atomic
def record(
    *,
    provider: str,
    reference: UUID | str,
    event_key: str,
    status: str,
    code: str,
    now: datetime,
    to: str = "",
    provider_id: str = "",
) -> bool:
    """Store one report and move its message if it says more than is known; whether it did.

    `reference` is our own id of the message, `event_key` what makes the event one and the same
    when it comes again, `status` the provider's word, `to` the recipient and `provider_id` the
    provider's id of the sending, where the report names them. A report about no message of ours is
    kept; so is the failure of a former sending, which says nothing of the last. A failure after
    the delivery is kept and flagged.

    Raises Misdirected: nothing is stored.
    """
    message = _held(reference, to)
    reported = provider_statuses.from_provider(provider, status)
    if message is not None and reported in provider_statuses.FAILURES:
        reported = None if _is_of_former_sending(message, provider_id) else reported
    following = _following(message, reported)
    receipt, is_new = Receipt.objects.get_or_create(
        provider=provider,
        event_key=event_key[:120],
        defaults={
            "message": message,
            "status": status[:20],
            "code": code[: claiming.CODE_LENGTH],
            "applied": following is not None,
            "is_flagged": message is not None
            and reported is not None
            and provider_statuses.contradicts(message.state, reported),
            "received_at": now,
        },
    )
    if not is_new or message is None or following is None:
        return False
    _apply(message, following, code=receipt.code, provider_id=provider_id, now=now)
    return True


def _held(reference: UUID | str, to: str) -> Message | None:
    """The message under its patient's lock and its own."""
    known = Message.objects.filter(reference=reference).only("patient_id").first()
    if known is None:
        return None
    sent_to = SentContent.objects.filter(message=known).values_list("address", flat=True).first()
    if to and sent_to and to.casefold() != sent_to.casefold():
        raise Misdirected
    claiming.hold_patients([known.patient_id])
    return Message.objects.select_for_update(no_key=True).get(pk=known.pk)


def _is_of_former_sending(message: Message, provider_id: str) -> bool:
    return bool(provider_id and message.provider_id and provider_id != message.provider_id)


def _following(message: Message | None, reported: str | None) -> MessageState | None:
    """The state that a report moves a message to; None when it says nothing new."""
    if message is None or reported is None:
        return None
    merged = provider_statuses.merge(message.state, reported)
    return None if merged is None else MessageState(merged)


def _apply(
    message: Message, following: MessageState, *, code: str, provider_id: str, now: datetime
) -> None:
    has_failed = following in provider_statuses.FAILURES
    message.provider_id = message.provider_id or provider_id[: marking.PROVIDER_ID_LENGTH]
    if message.state in provider_statuses.NOT_AWAY:
        _said_after_all(message)
    if message.state in provider_statuses.NOT_AWAY or following is MessageState.FAILED:
        # What the patient was told is another than what was planned from.
        claiming.plan_anew([message.patient_id])
    if message.state == MessageState.SUBMITTING and message.claimed_at is not None:
        # Whoever made the call may be dead, and nobody else would store the attempt.
        marking.attempt_reported(message.pk, started_at=message.claimed_at, now=now)
    if has_failed and _too_many_came(message, code, now=now):
        accounts.slow_down(message.channel, message.provider, now=now)
    if has_failed and (again := _second_try(message, code, now=now)):
        _schedule(message, again, code=code)
        claiming.plan_anew([message.patient_id])
        return
    if message.state == MessageState.UNKNOWN:
        fallback.no_longer_unknown(message, now=now)
    _move(message, following, code=code, now=now)
    if has_failed:
        fallback.after_failures({message.pk: code}, now=now)


def _too_many_came(message: Message, code: str, *, now: datetime) -> bool:
    """Whether a carrier wants fewer of us now; a late report is of how it was."""
    taken_at = message.accepted_at or message.claimed_at or now
    return meaning(code).action is Action.SLOW_DOWN and now - taken_at < STILL_SO


def _second_try(message: Message, code: str, *, now: datetime) -> datetime | None:
    """When it goes again by itself, if its failure may be over by then."""
    alike = [
        each
        for each in Receipt.objects.filter(message=message).values_list("code", flat=True)
        if meaning(each).action in (Action.RETRY_ONCE, Action.SLOW_DOWN)
    ]
    following = backoff.after_failure(
        action=meaning(code).action, failures=len(alike), expires_at=message.expires_at, now=now
    )
    return following.at if following else None


def _schedule(message: Message, at: datetime, *, code: str) -> None:
    message.state = MessageState.SCHEDULED
    message.reason, message.error_code = SECOND_TRY, code
    # What belongs to the former sending; the next one has its own.
    message.provider_id = ""
    message.claim_token = message.claimed_at = message.accepted_at = message.closed_at = None
    message.attempts_made = 0
    message.wake_at = at
    message.save(
        update_fields=[
            *("state", "reason", "error_code", "provider_id", "wake_at", "attempts_made"),
            *("claim_token", "claimed_at", "accepted_at", "closed_at"),
        ]
    )


def _said_after_all(message: Message) -> None:
    """Make the items live again of a message that planning had given up, but for those that
    another has sent since. What only waits to say the same gives way and is planned anew."""
    for item in message.items.filter(live=False):
        same = MessageItem.objects.filter(
            anchor=item.anchor,
            schedule_version=item.schedule_version,
            step=item.step,
            channel=item.channel,
            live=True,
        )
        same.filter(message__state__in=provider_statuses.NOT_AWAY).update(live=False)
        if not same.exists():
            MessageItem.objects.filter(pk=item.pk).update(live=True)


def _move(message: Message, state: MessageState, *, code: str, now: datetime) -> None:
    failed = state in provider_statuses.FAILURES
    message.state = state
    message.reason = _reason(code) if failed else ""
    message.error_code = code if failed else ""
    message.accepted_at = message.accepted_at or now
    message.delivered_at = now if state is MessageState.DELIVERED else None
    message.closed_at = now if failed else None
    message.wake_at = None
    # Evidence that it was sent: planning must never say the same again.
    message.claimed_at = message.claimed_at or now
    message.save(
        update_fields=[
            *("state", "reason", "error_code", "accepted_at", "provider_id"),
            *("delivered_at", "closed_at", "wake_at", "claimed_at"),
        ]
    )


def _reason(code: str) -> str:
    return "expired" if meaning(code).action is Action.EXPIRED else "not_delivered"
