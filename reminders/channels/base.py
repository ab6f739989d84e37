"""What a channel is given and what it answers: pure values, the same for mail and text.

A channel never sees a patient or a database, and its answer never holds a body or an address.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

CalendarMethod = Literal["REQUEST", "CANCEL", ""]


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One rendered message, ready to leave.

    `reference` is our own id at the provider (UUID text): the Message-ID of a mail, part of the
    callback address of a text. `sender` is a mail address, or a number (or Messaging Service id)
    for texts. `invitations` are calendar files, one a visit. `validity_seconds` is how long the
    provider may keep it queued.
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
    invitations: tuple[bytes, ...] = ()
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


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A call whose outcome is unknown, as it is looked for at its provider.

    `text` is what was sent, with `hidden` in place of what is not kept (the token of a link).
    `called_at` is the moment before the call, by our clock (UTC).
    """

    reference: str
    to: str
    sender: str
    text: str
    hidden: str
    called_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What the provider holds that may be it, by its own ids: never empty. By our reference, or
    else by words, numbers and time alone."""

    provider_ids: tuple[str, ...]
    is_by_reference: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider answered, and holds nothing that may be it, or not yet."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The provider could not be asked this time."""


@dataclass(frozen=True, slots=True)
class CannotSay:
    """Providers of this kind keep nothing that could be asked for."""


LookUp = Found | Absent | NoAnswer | CannotSay


class Channel(Protocol):
    """Takes messages to one provider over connections that it keeps open for the process.

    `submit` and `look_up` never raise for what a provider or network does, and may be called
    from several threads at once.
    """

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

    def submit(self, outgoing: Outgoing) -> Submission: ...

    def look_up(self, unanswered: Unanswered) -> LookUp: ...

    def close(self) -> None: ...
