"""What a channel is given and what it answers: pure values, the same for mail and text.

A channel never sees a patient or a database, and its answer never holds a body or an address.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

CalendarMethod = Literal["REQUEST", "CANCEL", ""]


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One rendered message, ready to leave.

    `reference` is our own id at the provider (UUID text): the Message-ID of a mail, part of the
    callback address of a text. `sender` is a mail address, or a number (or Messaging Service id)
    for texts. `validity_seconds` is how long the provider may keep it queued.
    """

    message_id: int
    reference: str
    to: str
    sender: str
    sender_name: str = ""
    reply_to: str = ""
    subject: str = ""
    text: str
    html: str = ""
    calendar: bytes | None = None
    calendar_method: CalendarMethod = ""
    validity_seconds: int | None = None
    unsubscribe_url: str = ""


class Outcome(StrEnum):
    """What is certain after a call: `not_sent` was never processed and may be repeated, `refused`
    will never be taken, `unknown` may or may not have been taken and must never be repeated
    blindly."""

    ACCEPTED = "accepted"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The answer to one call. `code` is the provider's own, or a short word of ours."""

    outcome: Outcome
    provider_id: str = ""
    code: str = ""
    retry_after_seconds: int | None = None


class Channel(Protocol):
    """Takes messages to one provider over a connection that it keeps open for the process.

    `submit` never raises for what a provider or network does. It may be called from several
    threads.
    """

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

    def submit(self, outgoing: Outgoing) -> Submission: ...

    def close(self) -> None: ...
