"""What providers report about messages that they took: stored once, merged forward only.

Reports come doubled, late and in any order, also before the answer to the call was stored. Believes
its caller that the report is the provider's; refuses to guess at words it does not know.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from reminders.catalogue import MessageState
from reminders.channels.base import Outcome
from reminders.ledger import claiming, fallback, provider_statuses
from reminders.models import Message, MessageItem, Receipt


@transaction.atomic
def record(
    *,
    provider: str,
    reference: UUID | str,
    event_key: str,
    status: str,
    code: str,
    now: datetime,
) -> bool:
    """Store one report and move its message if it says more than is known; whether it did.

    `reference` is our own id of the message, `event_key` what makes the event one and the same
    when it comes again, `status` the provider's word. A report about no message of ours is kept.
    """
    known = Message.objects.filter(reference=reference).only("patient_id").first()
    if known is not None:
        claiming.hold_patients([known.patient_id])
    message = known and Message.objects.select_for_update(no_key=True).get(pk=known.pk)
    following = _following(message, provider_statuses.from_provider(provider, status))
    receipt, is_new = Receipt.objects.get_or_create(
        provider=provider,
        event_key=event_key[:120],
        defaults={
            "message": message,
            "status": status[:20],
            "code": code[: claiming.CODE_LENGTH],
            "applied": following is not None,
            "received_at": now,
        },
    )
    if not is_new or message is None or following is None:
        return False
    if message.state in provider_statuses.NOT_AWAY:
        _said_after_all(message)
    if message.state in provider_statuses.NOT_AWAY or following is MessageState.FAILED:
        # What the patient was told is another than what was planned from.
        claiming.plan_anew([message.patient_id])
    _move(message, following, code=receipt.code, now=now)
    if following in provider_statuses.FAILURES:
        fallback.after_failures({message.pk: receipt.code}, now=now)
    return True


def _following(message: Message | None, reported: str | None) -> MessageState | None:
    """The state that a report moves a message to; None when it says nothing new."""
    if message is None or reported is None:
        return None
    merged = provider_statuses.merge(message.state, reported)
    return None if merged is None else MessageState(merged)


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
    message.reason = "not_delivered" if failed else ""
    message.error_code = code if failed else ""
    message.accepted_at = message.accepted_at or now
    message.delivered_at = now if state is MessageState.DELIVERED else None
    message.closed_at = now if failed else None
    message.wake_at = None
    # Evidence that it was sent: planning must never say the same again.
    message.claimed_at = message.claimed_at or now
    message.save(
        update_fields=[
            *("state", "reason", "error_code", "accepted_at"),
            *("delivered_at", "closed_at", "wake_at", "claimed_at"),
        ]
    )
    # Whoever made the call may be dead, and nobody else would end the attempt.
    message.attempts.filter(ended_at=None).update(ended_at=now, outcome=Outcome.ACCEPTED)
