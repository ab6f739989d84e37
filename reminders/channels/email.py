"""Mail through the configured Django or Anymail backend.

SMTP is watched command by command, because only the moment at which a conversation breaks tells
"not sent" from "perhaps sent". Anymail's providers are judged by the same rules as any HTTP call.
"""

import smtplib
import threading
from collections.abc import Callable
from email.utils import formataddr
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from reminders.channels.base import Outcome, Outgoing, Submission
from reminders.channels.broken_calls import broken
from reminders.ledger.provider_statuses import Action, meaning

DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"
# A fault of our account, not of the mail: it waits until somebody has mended it.
RETRY_AFTER_ALARM_SECONDS = 300
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

    def abandon(self) -> None:
        """Close without a farewell: after an error the other side may never answer one."""
        half_open: smtplib.SMTP | None = self._partial_connection  # type: ignore[has-type]
        for connection in (self.connection, half_open):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


class EmailChannel:
    name = "email"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._smtp = SmtpConnection() if _is_smtp() else None
        self._backend = self._smtp or get_connection()
        self.provider = str(getattr(self._backend, "esp_name", "smtp")).lower()

    def submit(self, outgoing: Outgoing) -> Submission:
        try:
            mail = compose(outgoing)
            mail.message()
        except ValueError:  # a line break in a header, an address that cannot be encoded
            return Submission(outcome=Outcome.REFUSED, code="malformed")
        with self._lock:
            if self._smtp is not None:
                return _converse(self._smtp, mail)
            return _call(self._backend, mail)

    def close(self) -> None:
        with self._lock:
            if self._smtp is not None:
                self._smtp.abandon()
            else:
                self._backend.close()


def compose(outgoing: Outgoing) -> EmailMultiAlternatives:
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
    mail = EmailMultiAlternatives(
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
    if outgoing.calendar is not None:
        mail.attach_alternative(
            outgoing.calendar.decode(),
            f"text/calendar; method={outgoing.calendar_method}",
        )
        mail.attach("invite.ics", outgoing.calendar, "application/ics")
    return mail


def message_id(outgoing: Outgoing) -> str:
    """The same for every attempt, so that a mail sent twice is one mail to its reader."""
    return f"<{outgoing.reference}@{outgoing.sender.rpartition('@')[2]}>"


def _is_smtp() -> bool:
    return bool(settings.EMAIL_BACKEND == DJANGO_SMTP)


def _converse(smtp: SmtpConnection, mail: EmailMultiAlternatives) -> Submission:
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
        submission = _replied(code, reply)
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refusal:
        submission = _replied(refusal.smtp_code, refusal.smtp_error)
    except REFUSED_TO_TALK as refusal:
        submission = Submission(
            outcome=Outcome.NOT_SENT,
            code=str(refusal.smtp_code),
            retry_after_seconds=RETRY_AFTER_ALARM_SECONDS,
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


def _replied(code: int, reply: bytes | str) -> Submission:
    """A negative reply is certain: the server has not taken the mail (RFC 5321, 4.2.5)."""
    known = str(code) if code == 421 else _enhanced_code(reply) or str(code)
    if meaning(known).action is Action.ALARM:
        return Submission(
            outcome=Outcome.NOT_SENT,
            code=known,
            retry_after_seconds=RETRY_AFTER_ALARM_SECONDS,
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
        return Submission(
            outcome=Outcome.NOT_SENT,
            code=f"http-{status}",
            retry_after_seconds=RETRY_AFTER_ALARM_SECONDS,
        )
    outcome = Outcome.REFUSED if 400 <= status < 500 else Outcome.UNKNOWN
    return Submission(outcome=outcome, code=f"http-{status}")
