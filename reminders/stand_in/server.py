"""The stand-in's door: HTTP for texts, reading and control; beside it the mail server."""

import json
import re
import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from reminders.stand_in import replies
from reminders.stand_in.answers import Answer
from reminders.stand_in.callbacks import Callbacks
from reminders.stand_in.mailbox import Mailbox
from reminders.stand_in.modes import Modes
from reminders.stand_in.received import Mail, Received, Text
from reminders.stand_in.reports import TelnyxReports, TwilioReports
from reminders.stand_in.signing import telnyx_public_key
from reminders.stand_in.telnyx_api import TelnyxApi
from reminders.stand_in.telnyx_api import error as telnyx_error
from reminders.stand_in.twilio_api import TwilioApi, error

# Not secrets: the account of nobody, for the demo and the tests.
ACCOUNT_SID = "AC" + "5" * 32
AUTH_TOKEN = "stand-in-token"
TELNYX_API_KEY = "stand-in-key"
TELNYX_PROFILE_ID = "5" * 8 + "-5555-4555-8555-" + "5" * 12
TELNYX_SEED = b"the private key of the stand-in."
MESSAGES = re.compile(r"/2010-04-01/Accounts/(?P<account>\w+)/Messages(?:/(?P<sid>\w+))?\.json")
KEEP = 2000
MAX_BODY_BYTES = 100_000


class StandIn:
    """The providers in this process. Ports of 0 are chosen; `callback_delay` is in seconds. With
    `smtp_tls` the mail server insists on STARTTLS, with `smtp_login` on this name and password."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        smtp_port: int = 0,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        callback_delay: float = 0.05,
        keep: int = KEEP,
        data: Path | None = None,
        smtp_tls: ssl.SSLContext | None = None,
        smtp_login: tuple[str, str] | None = None,
    ) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.received = Received(keep=keep, file=data)
        self.modes = Modes()
        self._callbacks = Callbacks(
            received=self.received,
            reports={
                "twilio": TwilioReports(account_sid=account_sid, token=auth_token),
                "telnyx": TelnyxReports(seed=TELNYX_SEED, profile_id=TELNYX_PROFILE_ID),
            },
            delay=callback_delay,
        )
        twilio = TwilioApi(
            account_sid=account_sid,
            token=auth_token,
            received=self.received,
            modes=self.modes,
            callbacks=self._callbacks,
        )
        self._account = replies.Account(account_sid, auth_token, TELNYX_SEED, TELNYX_PROFILE_ID)
        telnyx = TelnyxApi(
            api_key=TELNYX_API_KEY,
            profile_id=TELNYX_PROFILE_ID,
            received=self.received,
            modes=self.modes,
            callbacks=self._callbacks,
        )
        self._http = Door(
            (host, http_port), twilio, telnyx, self.received, self.modes, self._account
        )
        try:
            self._mailbox = Mailbox(
                host=host,
                port=smtp_port,
                received=self.received,
                modes=self.modes,
                tls=smtp_tls,
                login=smtp_login,
            )
        except OSError:
            self._http.server_close()
            raise
        self._thread = threading.Thread(target=self._serve, name="stand-in", daemon=True)
        self.http_port: int = self._http.server_address[1]
        self.http_url = f"http://{host}:{self.http_port}"
        self.smtp_port = self._mailbox.port

    @property
    def telnyx_public_key(self) -> str:
        """What verifies this stand-in's Telnyx reports (base64)."""
        return telnyx_public_key(TELNYX_SEED)

    @property
    def texts(self) -> list[Text]:
        """Oldest first."""
        return self.received.texts()

    @property
    def mails(self) -> list[Mail]:
        """Oldest first."""
        return self.received.mails()

    @property
    def mail_connections(self) -> int:
        """How many conversations the mail server has had."""
        return self._mailbox.connections

    def hang_up_mail(self) -> None:
        """End the mail server's conversations, as it does with idle clients."""
        self._mailbox.hang_up()

    def mode(self, name: str, *, count: int = 1, ms: int = 3000) -> None:
        """Misbehave for the next `count` submissions (0: until `clear`); see the package."""
        self.modes.tell(name, count=count, ms=ms)

    def reply(self, text: str, **told: Any) -> int:
        """Write back to the clinic as its provider reports it; the status of the answer. `told`
        is the rest of a `replies.Reply`."""
        return replies.send(replies.Reply(text=text, **told), self._account)

    def clear_modes(self) -> None:
        """Behave again, and keep what arrived."""
        self.modes.clear()

    def clear(self) -> None:
        """Forget what arrived and behave again."""
        self.received.clear()
        self.modes.clear()

    def start(self) -> None:
        self._callbacks.start()
        self._mailbox.start()
        self._thread.start()

    def stop(self) -> None:
        self._http.hang_up()
        self._thread.join()
        self._http.server_close()
        self._mailbox.stop()
        self._callbacks.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _serve(self) -> None:
        self._http.serve_forever(poll_interval=0.05)


class Door(ThreadingHTTPServer):
    """Knows its open connections, so that stopping also ends those that clients keep."""

    request_queue_size = 128
    daemon_threads = False

    def __init__(
        self,
        address: tuple[str, int],
        twilio: TwilioApi,
        telnyx: TelnyxApi,
        received: Received,
        modes: Modes,
        account: replies.Account,
    ) -> None:
        self.twilio, self.telnyx = twilio, telnyx
        self.received, self.modes = received, modes
        self.account = account
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Conversation)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        self.stopping.set()
        self.shutdown()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Door

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path == "/control":
            self._answer(self._control(body))
            return
        if self.path == "/reply":
            self._answer(self._reply(body))
            return
        if self.path == "/v2/messages":
            if self._admitted_by_telnyx():
                self._answer(self._telnyx_message(body))
            return
        messages = MESSAGES.fullmatch(self.path)
        if messages is None or messages["sid"]:
            self._answer(_not_found())
        elif self._admitted(messages["account"]):
            self._answer(
                self.server.twilio.create(dict(parse_qsl(body.decode("utf-8", "replace"))))
            )

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/health":
            self._answer(Answer(200, {"ok": True}))
        elif url.path == "/received.json":
            self._answer(Answer(200, self.server.received.as_json()))
        elif url.path == "/v2/detail_records":
            if self._admitted_by_telnyx():
                self._answer(self.server.telnyx.records(dict(parse_qsl(url.query))))
        elif (messages := MESSAGES.fullmatch(url.path)) is None:
            self._answer(_not_found())
        elif not self._admitted(messages["account"]):
            return
        elif messages["sid"]:
            self._answer(self.server.twilio.fetch(messages["sid"]))
        else:
            self._answer(self.server.twilio.search(dict(parse_qsl(url.query))))

    def do_DELETE(self) -> None:
        if self.path != "/received":
            self._answer(_not_found())
            return
        self.server.received.clear()
        self._answer(Answer(200, {"ok": True}))

    def _body(self) -> bytes | None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(error(413, 20413, "Request entity too large"))
            return None
        return self.rfile.read(length)

    def _admitted(self, account_sid: str) -> bool:
        admitted = self.server.twilio.admits(account_sid, self.headers.get("Authorization", ""))
        if not admitted:
            self._answer(error(401, 20003, "Authenticate"))
        return admitted

    def _admitted_by_telnyx(self) -> bool:
        admitted = self.server.telnyx.admits(self.headers.get("Authorization", ""))
        if not admitted:
            self._answer(telnyx_error(401, "10009", "Authentication failed"))
        return admitted

    def _telnyx_message(self, body: bytes) -> Answer:
        try:
            return self.server.telnyx.create(dict(json.loads(body)))
        except (ValueError, TypeError):
            return telnyx_error(400, "10023", "Invalid JSON")

    def _control(self, body: bytes) -> Answer:
        try:
            told = json.loads(body)
            if told["mode"] == "clear":
                self.server.modes.clear()
            else:
                count, ms = int(told.get("count", 1)), int(told.get("ms", 3000))
                self.server.modes.tell(str(told["mode"]), count=count, ms=ms)
        except (ValueError, KeyError, TypeError) as fault:
            return Answer(400, {"message": str(fault)})
        return Answer(200, {"ok": True})

    def _reply(self, body: bytes) -> Answer:
        """What a patient writes, handed on in its own time: who asked may be whom it goes to."""
        try:
            reply = replies.Reply(**json.loads(body))
        except (ValueError, TypeError) as fault:
            return Answer(400, {"message": str(fault)})
        threading.Thread(
            target=replies.send, args=(reply, self.server.account), daemon=True
        ).start()
        return Answer(200, {"ok": True})

    def _answer(self, answer: Answer) -> None:
        if answer.wait_ms:
            self.server.stopping.wait(answer.wait_ms / 1000)
        if answer.cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = answer.raw or json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if answer.retry_after:
            self.send_header("Retry-After", answer.retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: request lines hold numbers."""


def _not_found() -> Answer:
    return error(404, 20404, "The requested resource was not found")
