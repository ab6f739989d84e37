"""Mail through the configured Django or Anymail backend.

SMTP is watched command by command, because only the moment at which a conversation breaks tells
"not sent" from "perhaps sent". Anymail's providers are judged by the same rules as any HTTP call.
"""

import smtplib
from collections.abc import Callable
from email.utils import formataddr
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from reminders.channels import wire
from reminders.channels.base import (
    CannotSay,
    LookUp,
    Outcome,
    Outgoing,
    Submission,
    Unanswered,
)
from reminders.channels.broken_calls import broken
from reminders.channels.kept import Kept, NoneFree
from reminders.ledger.provider_codes import Action, meaning

DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"
# Servers hang up on idle clients after some minutes; asking costs one round trip.
ASK_AFTER_IDLE_SECONDS = 30.0
PROVIDER_LENGTH = 10  # the ledger's column
ACCOUNT_OR_PACE = frozenset({401, 403, 429})
REFUSED_TO_TALK = (
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
)


class Watched(smtplib.SMTP):
    """Remembers whether the message itself has begun to leave."""

    data_begun = False

    def mail(self, sender: str, options: Any = ()) -> tuple[int, bytes]:
        self.data_begun = False
        return super().mail(sender, options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.data_begun = True
        return super().data(msg)


class WatchedTls(Watched, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class SmtpConnection(EmailBackend):
    """Django's SMTP backend over a watched conversation that can be abandoned at once."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return WatchedTls if self.use_ssl else Watched

    @property
    def data_begun(self) -> bool:
        return getattr(self.connection, "data_begun", False)

    @property
    def is_alive(self) -> bool:
        """Whether the server still answers on this connection."""
        try:
            return self.connection is not None and self.connection.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def abandon(self) -> None:
        """Close without a farewell: after an error the other side may never answer one."""
        half_open: smtplib.SMTP | None = self._partial_connection  # type: ignore[has-type]
        for connection in (self.connection, half_open):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


class EmailChannel:
    """Mail to one server or provider, over several conversations at once."""

    name = "email"

    def __init__(self) -> None:
        self._is_smtp = settings.EMAIL_BACKEND == DJANGO_SMTP
        self._kept: Kept[Any] = (
            Kept(SmtpConnection, SmtpConnection.abandon)
            if self._is_smtp
            else Kept(get_connection, lambda backend: backend.close())
        )
        self.provider = "smtp" if self._is_smtp else esp_name()

    def submit(self, outgoing: Outgoing) -> Submission:
        try:
            mail = compose(outgoing)
            mail.message()
        except ValueError:  # a line break in a header, an address that cannot be encoded
            return Submission(outcome=Outcome.REFUSED, code="malformed")
        try:
            with self._kept.borrowed() as (conversation, idle_seconds):
                if self._is_smtp:
                    return _converse(conversation, mail, idle_seconds=idle_seconds)
                return _call(conversation, mail)
        except NoneFree:
            return Submission(outcome=Outcome.NOT_SENT, code="no-turn")

    def look_up(self, unanswered: Unanswered) -> LookUp:
        """SMTP remembers nothing for us to ask, and Anymail has no question that fits all."""
        return CannotSay()

    def close(self) -> None:
        self._kept.close()


def esp_name() -> str:
    """The provider's name as the ledger has it, such as "postmark"."""
    name = str(getattr(get_connection(), "esp_name", "mail")).lower().replace(" ", "_")
    return name[:PROVIDER_LENGTH]


class Mail(EmailMultiAlternatives):
    """Put together once: what was looked at before it leaves is what leaves."""

    _whole: Any = None

    def message(self, *args: Any, **options: Any) -> Any:
        if self._whole is None:
            self._whole = super().message(*args, **options)
        return self._whole


def compose(outgoing: Outgoing) -> Mail:
    """The mail as it leaves. The invitation goes twice, because some programs act only on the
    part inside the message (Gmail, Outlook) and others only on the file."""
    headers = {
        "Message-ID": message_id(outgoing),
        "X-Afterglow-Reference": outgoing.reference,
        "Auto-Submitted": "auto-generated",
    }
    if outgoing.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{outgoing.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    mail = Mail(
        subject=outgoing.subject,
        body=outgoing.text,
        from_email=formataddr((outgoing.sender_name, outgoing.sender)),
        to=[outgoing.to],
        reply_to=[outgoing.reply_to] if outgoing.reply_to else None,
        headers=headers,
    )
    mail.metadata = {"reference": outgoing.reference}  # type: ignore[attr-defined]  # Anymail's
    if outgoing.html:
        mail.attach_alternative(outgoing.html, "text/html")
    for number, invitation in enumerate(outgoing.invitations, 1):
        several = len(outgoing.invitations) > 1
        if not several:  # a mail program shows one as the mail itself
            kind = f"text/calendar; method={outgoing.calendar_method}"
            mail.attach_alternative(invitation.decode(), kind)
        name = f"invite-{number}.ics" if several else "invite.ics"
        mail.attach(name, invitation, "application/ics")
    return mail


def message_id(outgoing: Outgoing) -> str:
    """The same for every attempt, so that a mail sent twice is one mail to its reader."""
    return f"<{outgoing.reference}@{outgoing.sender.rpartition('@')[2]}>"


def _converse(
    smtp: SmtpConnection, mail: EmailMultiAlternatives, *, idle_seconds: float
) -> Submission:
    if idle_seconds > ASK_AFTER_IDLE_SECONDS and not smtp.is_alive:
        smtp.abandon()
    reused = smtp.connection is not None
    submission = _attempt(smtp, mail)
    if reused and submission.code in {"no-connection", "421"}:
        # The server had closed the idle connection; nothing of this mail was on its way.
        return _attempt(smtp, mail)
    return submission


def _attempt(smtp: SmtpConnection, mail: EmailMultiAlternatives) -> Submission:
    try:
        smtp.open()
        smtp.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as refusal:
        [(code, reply)] = refusal.recipients.values()
        return _after_refusal(smtp, _replied(code, reply))
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
        return _after_refusal(smtp, _replied(refusal.smtp_code, refusal.smtp_error))
    except REFUSED_TO_TALK as refusal:
        submission = Submission(
            outcome=Outcome.NOT_SENT,
            code=str(refusal.smtp_code),
            retry_after_seconds=wire.RETRY_AFTER_ALARM_SECONDS,
        )
    except (smtplib.SMTPException, OSError):
        submission = (
            Submission(outcome=Outcome.UNKNOWN, code="dropped")
            if smtp.data_begun
            else Submission(outcome=Outcome.NOT_SENT, code="no-connection")
        )
    else:
        # The server's own id is in a reply that smtplib drops; the Message-ID derives from ours.
        return Submission(outcome=Outcome.ACCEPTED)
    smtp.abandon()
    return submission


def _after_refusal(smtp: SmtpConnection, submission: Submission) -> Submission:
    """smtplib has reset the transaction (RSET), so the next mail may follow; 421 means that the
    server hangs up, and an answer that is none that nobody knows what it will say next."""
    if submission.code in {"421", "garbled"}:
        smtp.abandon()
    return submission


def _replied(code: int, reply: bytes | str) -> Submission:
    """A negative reply is certain: the server has not taken the mail (RFC 5321, 4.2.5)."""
    known = str(code) if code == 421 else _enhanced_code(reply) or str(code)
    if meaning(known).action is Action.ALARM:
        return Submission(
            outcome=Outcome.NOT_SENT,
            code=known,
            retry_after_seconds=wire.RETRY_AFTER_ALARM_SECONDS,
        )
    if 500 <= code < 600:
        return Submission(outcome=Outcome.REFUSED, code=known)
    if 400 <= code < 500:
        return Submission(outcome=Outcome.NOT_SENT, code=known)
    return Submission(outcome=Outcome.UNKNOWN, code="garbled")


def _enhanced_code(reply: bytes | str) -> str:
    """ "5.1.1" of "5.1.1 No such user": the words may name the address and are dropped."""
    text = reply.decode("ascii", "replace") if isinstance(reply, bytes) else reply
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    parts = first.split(".")
    return first if len(parts) == 3 and all(part.isdecimal() for part in parts) else ""


def _call(backend: Any, mail: EmailMultiAlternatives) -> Submission:
    """One call through a backend that is not SMTP: an Anymail provider, or Django's own."""
    send: Callable[[list[EmailMultiAlternatives]], int] = backend.send_messages
    try:
        send([mail])
    except AnymailRecipientsRefused:
        return Submission(outcome=Outcome.REFUSED, code="recipient")
    except AnymailAPIError as error:
        return _judged(error)
    except AnymailError:  # raised while composing: the provider cannot express this mail
        return Submission(outcome=Outcome.REFUSED, code="unsupported")
    status = getattr(mail, "anymail_status", None)
    if getattr(status, "status", None) == {"failed"}:
        return Submission(outcome=Outcome.REFUSED, code="failed")
    return Submission(
        outcome=Outcome.ACCEPTED, provider_id=str(getattr(status, "message_id", None) or "")
    )


def _judged(error: AnymailAPIError) -> Submission:
    status = error.status_code
    if status is None:
        return broken(error.__cause__ or error)
    if status in ACCOUNT_OR_PACE:
        wait = wire.RETRY_AFTER_ALARM_SECONDS
        if status == 429 and error.response is not None:
            wait = wire.seconds(error.response.headers)
        return Submission(outcome=Outcome.NOT_SENT, code=f"http-{status}", retry_after_seconds=wait)
    outcome = Outcome.REFUSED if 400 <= status < 500 else Outcome.UNKNOWN
    return Submission(outcome=outcome, code=f"http-{status}")
