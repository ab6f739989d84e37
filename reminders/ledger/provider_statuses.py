"""The providers' words for what became of a message, in our states, and how reports merge. Pure.

Sources, read in November 2026:
- Twilio: docs/messaging/guides/track-outbound-message-status;
- Telnyx: developers.telnyx.com/docs/messaging/messages/receiving-webhooks, and the `status` of the
  outbound message payload in its OpenAPI description;
- Anymail's normalized event types (anymail.signals.EventType), one set for all its providers.
"""

from __future__ import annotations

from collections.abc import Mapping

from reminders.catalogue import MessageState

# Twilio's `canceled` (only for texts scheduled at Twilio) and `partially_delivered` (not for
# SMS) have no row: their receipts are stored and change nothing.
TWILIO = {
    "accepted": MessageState.ACCEPTED,
    "scheduled": MessageState.ACCEPTED,
    "queued": MessageState.ACCEPTED,
    "sending": MessageState.ACCEPTED,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
}
# `delivery_unconfirmed` says that no carrier answered: the text stays sent. `cancelled` is of
# texts scheduled at Telnyx.
TELNYX = {
    "scheduled": MessageState.ACCEPTED,
    "queued": MessageState.ACCEPTED,
    "sending": MessageState.ACCEPTED,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "delivery_failed": MessageState.UNDELIVERED,
    "sending_failed": MessageState.FAILED,
    "expired": MessageState.FAILED,
}
# `complained` and `unsubscribed` are about the address and not about the mail.
MAIL = {
    "queued": MessageState.ACCEPTED,
    "sent": MessageState.SENT,
    "deferred": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "opened": MessageState.DELIVERED,
    "clicked": MessageState.DELIVERED,
    "bounced": MessageState.UNDELIVERED,
    "rejected": MessageState.FAILED,
    "failed": MessageState.FAILED,
}
STATUSES: Mapping[str, Mapping[str, MessageState]] = {
    "twilio": TWILIO,
    "telnyx": TELNYX,
    "mail": MAIL,
}

# Everything that is not here (scheduled, claimed, submitting, unknown, withdrawn, skipped) gives
# way to evidence: a provider that reports a text has it, whatever we believed.
RANK: dict[str, int] = {
    MessageState.ACCEPTED: 1,
    MessageState.SENT: 2,
    MessageState.UNDELIVERED: 3,
    MessageState.FAILED: 3,
    MessageState.DELIVERED: 3,
}

# Nothing of these is at a provider but a former sending, whose failure says nothing of the next.
NOT_AWAY = frozenset(
    {
        MessageState.SCHEDULED,
        MessageState.WITHDRAWN,
        MessageState.SKIPPED,
    }
)
FAILURES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED})

# A handset that was off can still receive after the carrier's first report.
ALLOWED_CORRECTION = (MessageState.UNDELIVERED, MessageState.DELIVERED)


def from_provider(provider: str, status: str) -> MessageState | None:
    """Our state for a provider's word; None when the word says nothing to us."""
    return STATUSES.get(provider, {}).get(status)


def merge(current: str, incoming: str) -> MessageState | None:
    """The state after a report, or None when nothing changes: states only move forward."""
    if (current, incoming) == ALLOWED_CORRECTION:
        return MessageState(incoming)
    if current in NOT_AWAY and incoming in FAILURES:
        return None
    return MessageState(incoming) if RANK.get(incoming, 0) > RANK.get(current, 0) else None


def contradicts(current: str, incoming: str) -> bool:
    """Whether a report says that what was delivered was not: it is flagged, and changes nothing."""
    return current == MessageState.DELIVERED and incoming in FAILURES
