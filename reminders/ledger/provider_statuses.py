"""The providers' words as tables: Twilio's statuses and codes, and SMTP's replies, in our terms.

Sources: Twilio's page on status callbacks (docs/messaging/guides/track-outbound-message-status),
one page per code (docs/api/errors/<code>), RFC 3463 for enhanced SMTP codes. Twilio warns that
codes may change: an unknown one is reported, never guessed at.
"""

from dataclasses import dataclass
from enum import StrEnum

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
        MessageState.CLAIMED,
        MessageState.WITHDRAWN,
        MessageState.SKIPPED,
    }
)
FAILURES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED})

# A handset that was off can still receive after the carrier's first report.
ALLOWED_CORRECTION = (MessageState.UNDELIVERED, MessageState.DELIVERED)


def from_provider(provider: str, status: str) -> MessageState | None:
    """Our state for a provider's word; None when the word says nothing to us."""
    return TWILIO.get(status) if provider == "twilio" else None


def merge(current: str, incoming: str) -> MessageState | None:
    """The state after a report, or None when nothing changes: states only move forward."""
    if (current, incoming) == ALLOWED_CORRECTION:
        return MessageState(incoming)
    if current in NOT_AWAY and incoming in FAILURES:
        return None
    return MessageState(incoming) if RANK.get(incoming, 0) > RANK.get(current, 0) else None


class Action(StrEnum):
    """What a code asks for: try once more (an hour later or more), use the other channel, wake
    whoever runs the system, or only show it."""

    RETRY_ONCE = "retry_once"
    FALLBACK = "fallback"
    ALARM = "alarm"
    REPORT = "report"


@dataclass(frozen=True)
class ErrorRule:
    """`closes` is the reason for which the address is used no more: "opted_out", "not_textable"
    or "hard_bounce"; empty when it stays in use."""

    action: Action
    sentence: str
    closes: str = ""


RULES = {
    "20003": ErrorRule(Action.ALARM, "The provider does not accept our credentials."),
    "20005": ErrorRule(Action.ALARM, "The provider account is not active."),
    "20404": ErrorRule(Action.ALARM, "The provider account was not found."),
    "20429": ErrorRule(Action.RETRY_ONCE, "The provider asked us to slow down."),
    "21211": ErrorRule(Action.FALLBACK, "This is not a valid phone number.", "not_textable"),
    "21212": ErrorRule(Action.ALARM, "The clinic's sending number is not valid."),
    "21408": ErrorRule(Action.FALLBACK, "Texts to this country are not switched on."),
    "21602": ErrorRule(Action.REPORT, "The text was empty."),
    "21603": ErrorRule(Action.ALARM, "The clinic has no sending number."),
    "21604": ErrorRule(Action.FALLBACK, "There was no number to send to."),
    "21606": ErrorRule(Action.ALARM, "The clinic's sending number does not belong to the account."),
    "21609": ErrorRule(Action.ALARM, "The provider cannot use our address for delivery reports."),
    "21610": ErrorRule(
        Action.FALLBACK, "The recipient answered STOP and receives no more texts.", "opted_out"
    ),
    "21612": ErrorRule(Action.FALLBACK, "This number cannot be reached from the clinic's number."),
    "21614": ErrorRule(Action.FALLBACK, "This is not a mobile number.", "not_textable"),
    "21617": ErrorRule(Action.REPORT, "The text was too long for the provider."),
    "21624": ErrorRule(Action.REPORT, "The validity given to the provider was out of range."),
    "21635": ErrorRule(Action.FALLBACK, "This is a landline and takes no texts.", "not_textable"),
    "30001": ErrorRule(Action.REPORT, "The text expired in the provider's full queue."),
    "30002": ErrorRule(Action.ALARM, "The provider has suspended the account."),
    "30003": ErrorRule(Action.RETRY_ONCE, "The phone was switched off or out of reach."),
    "30004": ErrorRule(Action.FALLBACK, "The phone or its carrier blocks our texts."),
    "30005": ErrorRule(Action.FALLBACK, "The number is unknown: please check it."),
    "30006": ErrorRule(
        Action.FALLBACK, "This is a landline or a carrier that takes no texts.", "not_textable"
    ),
    "30007": ErrorRule(Action.ALARM, "A carrier filtered the text."),
    "30008": ErrorRule(Action.REPORT, "The carrier gave no reason."),
    "30022": ErrorRule(Action.RETRY_ONCE, "The carrier asked us to slow down."),
    "30034": ErrorRule(Action.ALARM, "The sending number is not registered with the carriers."),
    "30036": ErrorRule(Action.REPORT, "The text expired before it could be delivered."),
}

# Our own words for what a channel met before any provider's code.
RULES |= {
    "no-connection": ErrorRule(Action.RETRY_ONCE, "The provider could not be reached."),
    "timeout": ErrorRule(Action.REPORT, "The provider did not answer in time."),
    "dropped": ErrorRule(Action.REPORT, "The connection broke off before the answer."),
    "garbled": ErrorRule(Action.REPORT, "The provider's answer could not be read."),
    "malformed": ErrorRule(Action.REPORT, "The address or subject holds what mail cannot carry."),
    "unsupported": ErrorRule(Action.REPORT, "The provider cannot send a mail of this form."),
    "recipient": ErrorRule(Action.FALLBACK, "The provider no longer writes to this address."),
    "failed": ErrorRule(Action.FALLBACK, "The provider could not send the mail."),
    "http-401": ErrorRule(Action.ALARM, "The provider does not accept our credentials."),
    "http-403": ErrorRule(Action.ALARM, "The provider does not let our account send."),
    "http-429": ErrorRule(Action.RETRY_ONCE, "The provider asked us to slow down."),
}

# RFC 3463: class.subject.detail. Subject 1 is about the address, 2 about the mailbox.
MAIL_ADDRESS_IS_DEAD = ErrorRule(
    Action.FALLBACK, "This mail address does not exist.", "hard_bounce"
)
MAIL_REFUSED = ErrorRule(Action.FALLBACK, "The recipient's mail server refused the mail.")
MAIL_LATER = ErrorRule(Action.RETRY_ONCE, "The mail server asked us to come back later.")
MAIL_SENDER = ErrorRule(Action.ALARM, "The mail server does not accept us as a sender.")
PROVIDERS_FAULT = ErrorRule(Action.REPORT, "The provider had a fault of its own.")
UNREAD = ErrorRule(Action.REPORT, "The provider gave a code that we do not know.")
DEAD_ADDRESS_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
OUR_FAULT_CODES = frozenset({"5.1.7", "5.1.8", "5.7.8", "5.7.9", "530", "534", "535"})


def meaning(code: str) -> ErrorRule:
    """What to do about a code of a submission or a receipt, and how to say it to staff.

    Mail codes are an enhanced code ("5.1.1") or else the three digits of the reply ("550").
    """
    if code in RULES:
        return RULES[code]
    if code in DEAD_ADDRESS_CODES:
        return MAIL_ADDRESS_IS_DEAD
    if code in OUR_FAULT_CODES:
        return MAIL_SENDER
    is_mail = len(code) == 3 or "." in code
    if is_mail and code.startswith("5"):
        return MAIL_REFUSED
    if is_mail and code.startswith("4"):
        return MAIL_LATER
    return PROVIDERS_FAULT if code.startswith("http-5") else UNREAD
