"""A mail server that keeps what it is given, opened up for reading."""

import asyncio
import logging
import re
import socket
import ssl
import threading
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from reminders.stand_in.modes import Mode, Modes
from reminders.stand_in.received import Attachment, Mail, Received

READY_SECONDS = 10


class Mailbox:
    """Serves SMTP on a thread of its own. `port` 0 chooses one. `tls` and `login` are asked for
    where they are given."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        received: Received,
        modes: Modes,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self._tls, self._login = tls, login
        # Its lines hold addresses.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._socket = socket.create_server((host, port))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self._handler = Handler(received, modes)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mailbox", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(READY_SECONDS):
            raise RuntimeError("The mail server did not start.")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(self._conversation, sock=self._socket)
        )
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._hang_up())
        self._loop.close()

    def _conversation(self) -> SMTP:
        self.connections += 1
        return SMTP(
            self._handler,
            hostname="stand-in",
            ident="Afterglow stand-in",
            loop=self._loop,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            auth_required=self._login is not None,
            authenticator=self._admits,
        )

    def _admits(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, told: Any
    ) -> AuthResult:
        is_known = isinstance(told, LoginPassword) and self._login == (
            told.login.decode(),
            told.password.decode(),
        )
        return AuthResult(success=is_known, handled=False)

    def hang_up(self) -> None:
        """End every conversation."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(READY_SECONDS)

    async def _hang_up(self) -> None:
        conversations = asyncio.all_tasks() - {asyncio.current_task()}
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)


class Handler:
    """What the mail server says at each step; names and arguments are aiosmtpd's."""

    def __init__(self, received: Received, modes: Modes) -> None:
        self._received = received
        self._modes = modes
        self._asked: WeakKeyDictionary[Envelope, Mode] = WeakKeyDictionary()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        mode = self._modes.for_mailbox(address)
        if mode.name == "mail_550":
            return "550 5.1.1 No such mailbox"
        if mode.name == "mail_451":
            return "451 4.7.1 Please come back later"
        if mode.name == "mail_421":
            asyncio.get_running_loop().call_later(0.05, _cut, server)
            return "421 4.3.2 Too busy"
        if mode.name == "mail_drop_before":
            _cut(server)
            raise asyncio.CancelledError
        envelope.rcpt_tos.append(address)
        self._asked[envelope] = mode
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mode = self._asked[envelope]
        if mode.name == "mail_slow":
            await asyncio.sleep(mode.ms / 1000)
        self._received.add(opened(envelope))
        if mode.name == "mail_drop_after":
            _cut(server)
            raise asyncio.CancelledError
        return "250 2.0.0 Taken"


def opened(envelope: Envelope) -> Mail:
    """A mail in the parts a reader asks for. Line ends of its texts become \\n."""
    raw = envelope.original_content or b""
    message = message_from_bytes(raw, _class=EmailMessage, policy=default)
    invitations = [part for part in message.walk() if part.get_content_type() == "application/ics"]
    calendar = "".join(part.get_content().decode() for part in invitations).replace("\r\n", "\n")
    method = re.search("^METHOD:(.*)$", calendar, re.M)
    return Mail(
        to=", ".join(envelope.rcpt_tos),
        sender=str(message["From"] or envelope.mail_from or ""),
        reply_to=str(message["Reply-To"] or ""),
        subject=str(message["Subject"] or ""),
        message_id=str(message["Message-ID"] or ""),
        headers={name: str(value) for name, value in message.items()},
        text=_content(message.get_body(preferencelist=("plain",))),
        html=_content(message.get_body(preferencelist=("html",))),
        calendar=calendar,
        calendar_method=method[1] if method else "",
        received_at=datetime.now(UTC).isoformat(),
        attachments=[
            Attachment(
                name=part.get_filename() or "",
                type=part.get_content_type(),
                bytes=len(part.get_payload(decode=True) or b""),
            )
            for part in message.iter_attachments()
        ],
    )


def _content(part: Any) -> str:
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _cut(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()
