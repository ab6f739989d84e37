"""What a provider's error code asks for, and how it is said to staff. Pure.

Twilio's codes stand as they are ("21610"), Telnyx's behind its name ("telnyx-40300"): both count
from 10000. Mail has an enhanced code ("5.1.1") or the three digits of the reply ("550"); Anymail's
reject reasons stand behind "mail-". Our own words tell what a channel met before any code.

Sources, read in November 2026: twilio.com/docs/api/errors/<code>; developers.telnyx.com:
docs/messaging/messages/error-codes and development/api-fundamentals/api-errors; RFC 3463;
anymail.signals.RejectReason. Providers warn that codes may change: an unknown one is reported,
never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from clinic.saying import noop


class Action(StrEnum):
    """What a code asks for.

    `retry_once`: one more try, an hour later or more. `slow_down`: more tries, with pauses.
    `fallback`: the other channel. `alarm`: whoever runs the system, because no message of this
    kind leaves. `expired`: nothing, it ran out of time at the provider. `report`: show it.
    """

    RETRY_ONCE = "retry_once"
    SLOW_DOWN = "slow_down"
    FALLBACK = "fallback"
    ALARM = "alarm"
    EXPIRED = "expired"
    REPORT = "report"


@dataclass(frozen=True)
class ErrorRule:
    """`closes` is the reason for which the address is used no more: "opted_out", "not_textable"
    or "hard_bounce"; empty when it stays in use."""

    action: Action
    sentence: str
    closes: str = ""


STOPPED = ErrorRule(
    Action.FALLBACK, noop("The recipient answered STOP and receives no more texts."), "opted_out"
)
NO_CREDENTIALS = ErrorRule(Action.ALARM, noop("The provider does not accept our credentials."))
NOT_ALLOWED = ErrorRule(Action.ALARM, noop("The provider does not let our account send."))
NO_NUMBER = ErrorRule(Action.FALLBACK, noop("This is not a valid phone number."), "not_textable")
LANDLINE = ErrorRule(
    Action.FALLBACK, noop("This is a landline and takes no texts."), "not_textable"
)
NO_COUNTRY = ErrorRule(Action.FALLBACK, noop("Texts to this country are not switched on."))
BLOCKED = ErrorRule(Action.FALLBACK, noop("The phone or its carrier blocks our texts."))
OUT_OF_REACH = ErrorRule(Action.RETRY_ONCE, noop("The phone was switched off or out of reach."))
SLOWER = ErrorRule(Action.SLOW_DOWN, noop("The provider asked us to slow down."))
CARRIER_SLOWER = ErrorRule(Action.SLOW_DOWN, noop("The carrier asked us to slow down."))
FILTERED = ErrorRule(Action.ALARM, noop("A carrier filtered the text."))
UNREGISTERED = ErrorRule(
    Action.ALARM, noop("The sending number is not registered with the carriers.")
)
BAD_SENDER = ErrorRule(Action.ALARM, noop("The clinic's sending number is not valid."))
NOT_OUR_SENDER = ErrorRule(
    Action.ALARM, noop("The clinic's sending number does not belong to the account.")
)
TOO_LONG = ErrorRule(Action.REPORT, noop("The text was too long for the provider."))
EMPTY = ErrorRule(Action.REPORT, noop("The text was empty."))
QUEUE_EXPIRED = ErrorRule(Action.EXPIRED, noop("The text expired in the provider's queue."))
EXPIRED = ErrorRule(Action.EXPIRED, noop("The text expired before it could be delivered."))
UNREAD = ErrorRule(Action.REPORT, noop("The provider gave a code that we do not know."))
PROVIDERS_FAULT = ErrorRule(Action.REPORT, noop("The provider had a fault of its own."))

TWILIO = {
    "20003": NO_CREDENTIALS,
    "20005": ErrorRule(Action.ALARM, noop("The provider account is not active.")),
    "20404": ErrorRule(Action.ALARM, noop("The provider account was not found.")),
    "20429": SLOWER,
    "21211": NO_NUMBER,
    "21212": BAD_SENDER,
    "21408": NO_COUNTRY,
    "21602": EMPTY,
    "21603": ErrorRule(Action.ALARM, noop("The clinic has no sending number.")),
    "21604": ErrorRule(Action.FALLBACK, noop("There was no number to send to.")),
    "21606": NOT_OUR_SENDER,
    "21609": ErrorRule(
        Action.ALARM, noop("The provider cannot use our address for delivery reports.")
    ),
    "21610": STOPPED,
    "21612": ErrorRule(
        Action.FALLBACK, noop("This number cannot be reached from the clinic's number.")
    ),
    "21614": ErrorRule(Action.FALLBACK, noop("This is not a mobile number."), "not_textable"),
    "21617": TOO_LONG,
    "21624": ErrorRule(Action.REPORT, noop("The validity given to the provider was out of range.")),
    "21635": LANDLINE,
    "30001": QUEUE_EXPIRED,
    "30002": ErrorRule(Action.ALARM, noop("The provider has suspended the account.")),
    "30003": OUT_OF_REACH,
    "30004": BLOCKED,
    "30005": ErrorRule(Action.FALLBACK, noop("The number is unknown: please check it.")),
    "30006": ErrorRule(
        Action.FALLBACK,
        noop("This is a landline or a carrier that takes no texts."),
        "not_textable",
    ),
    "30007": FILTERED,
    "30008": ErrorRule(Action.REPORT, noop("The carrier gave no reason.")),
    "30022": CARRIER_SLOWER,
    "30034": UNREGISTERED,
    "30036": EXPIRED,
}

TELNYX = {
    "telnyx-10002": NO_NUMBER,
    "telnyx-10009": NO_CREDENTIALS,
    "telnyx-10010": NOT_ALLOWED,
    "telnyx-10011": SLOWER,
    "telnyx-10016": NO_NUMBER,
    "telnyx-20100": ErrorRule(Action.ALARM, noop("The provider account has run out of money.")),
    "telnyx-40001": LANDLINE,
    "telnyx-40002": FILTERED,
    "telnyx-40003": FILTERED,
    "telnyx-40004": BLOCKED,
    "telnyx-40005": EXPIRED,
    "telnyx-40006": OUT_OF_REACH,
    "telnyx-40008": ErrorRule(
        Action.FALLBACK, noop("The carrier did not take the text: please check the number.")
    ),
    "telnyx-40009": ErrorRule(
        Action.REPORT, noop("The carrier does not take what the text holds.")
    ),
    "telnyx-40010": UNREGISTERED,
    "telnyx-40011": CARRIER_SLOWER,
    "telnyx-40012": NO_NUMBER,
    "telnyx-40013": BAD_SENDER,
    "telnyx-40014": QUEUE_EXPIRED,
    "telnyx-40015": FILTERED,
    "telnyx-40100": BAD_SENDER,
    "telnyx-40300": STOPPED,
    "telnyx-40301": LANDLINE,
    "telnyx-40302": TOO_LONG,
    "telnyx-40305": NOT_OUR_SENDER,
    "telnyx-40309": NO_COUNTRY,
    "telnyx-40310": NO_NUMBER,
    "telnyx-40312": NOT_ALLOWED,
    "telnyx-40314": NOT_ALLOWED,
    "telnyx-40315": FILTERED,
    "telnyx-40316": EMPTY,
    "telnyx-40318": SLOWER,
    "telnyx-40322": FILTERED,
    "telnyx-40328": TOO_LONG,
    # The same number without the word STOP is about the sender, says Telnyx's own advice.
    "telnyx-40300-sender": NOT_OUR_SENDER,
}

MAIL_ADDRESS_IS_DEAD = ErrorRule(
    Action.FALLBACK, noop("This mail address does not exist."), "hard_bounce"
)
MAIL_REFUSED = ErrorRule(Action.FALLBACK, noop("The recipient's mail server refused the mail."))
MAIL_LATER = ErrorRule(Action.RETRY_ONCE, noop("The mail server asked us to come back later."))
MAIL_SENDER = ErrorRule(Action.ALARM, noop("The mail server does not accept us as a sender."))
# RFC 3463: class.subject.detail. Subject 1 is about the address, 2 about the mailbox.
DEAD_ADDRESS_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
OUR_FAULT_CODES = frozenset({"5.1.7", "5.1.8", "5.7.8", "5.7.9", "530", "534", "535"})

# Anymail's reject reasons. Only `bounced` and `invalid` are about an address that is dead.
REJECTED = {
    "mail-invalid": MAIL_ADDRESS_IS_DEAD,
    "mail-bounced": MAIL_ADDRESS_IS_DEAD,
    "mail-soft": MAIL_REFUSED,
    "mail-blocked": MAIL_REFUSED,
    "mail-spam": MAIL_REFUSED,
    "mail-timed_out": MAIL_REFUSED,
    "mail-unsubscribed": ErrorRule(
        Action.FALLBACK, noop("The recipient unsubscribed at the mail provider."), "opted_out"
    ),
}

OURS = {
    "writer-died": ErrorRule(
        Action.ALARM, noop("Writing the message ended the process that did so, three times.")
    ),
    "no-turn": ErrorRule(Action.RETRY_ONCE, noop("All connections to the mail server were busy.")),
    "no-connection": ErrorRule(Action.RETRY_ONCE, noop("The provider could not be reached.")),
    "timeout": ErrorRule(Action.REPORT, noop("The provider did not answer in time.")),
    "dropped": ErrorRule(Action.REPORT, noop("The connection broke off before the answer.")),
    "garbled": ErrorRule(Action.REPORT, noop("The provider's answer could not be read.")),
    "malformed": ErrorRule(
        Action.REPORT, noop("The address or subject holds what mail cannot carry.")
    ),
    "unsupported": ErrorRule(Action.REPORT, noop("The provider cannot send a mail of this form.")),
    "recipient": ErrorRule(Action.FALLBACK, noop("The provider no longer writes to this address.")),
    "failed": ErrorRule(Action.FALLBACK, noop("The provider could not send the mail.")),
    "http-401": NO_CREDENTIALS,
    "http-403": NOT_ALLOWED,
    "http-429": SLOWER,
}

RULES = {**TWILIO, **TELNYX, **REJECTED, **OURS}


def meaning(code: str) -> ErrorRule:
    """What to do about a code of a submission or a receipt, and how to say it to staff."""
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


def is_known(code: str) -> bool:
    """Whether the tables hold what a code means."""
    return meaning(code) is not UNREAD
