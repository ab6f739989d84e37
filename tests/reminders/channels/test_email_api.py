"""Mail through a provider's HTTP API, as Anymail speaks it to Postmark, over real connections."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from reminders.channels.base import Outcome, Outgoing
from reminders.channels.email import EmailChannel

TAKEN = {"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": "patient@example.org"}
INACTIVE = {
    "ErrorCode": 406,
    "Message": "You tried to send to a recipient that has been marked as inactive.\n"
    "Found inactive addresses: patient@example.org.\n"
    "Inactive recipients are ones that have generated a hard bounce or a spam complaint.",
}


class Api(HTTPServer):
    """Answers every call with `status` and `body`; a status of 0 cuts the connection."""

    status = 200
    body: Any = TAKEN

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.received: list[dict[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        self.server.received.append(
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        )
        if not self.server.status:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        if self.server.status == 429:
            self.send_header("Retry-After", "120")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def open_channel(settings: Settings, port: int) -> EmailChannel:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": f"http://127.0.0.1:{port}/",
    }
    return EmailChannel()


@pytest.fixture
def channel(api: Api, settings: Settings) -> Iterator[EmailChannel]:
    opened = open_channel(settings, api.server_port)
    yield opened
    opened.close()


def test_a_mail_leaves_with_our_reference(api: Api, channel: EmailChannel, mail: Outgoing) -> None:
    submission = channel.submit(mail)

    [sent] = api.received
    assert (submission.outcome, submission.provider_id) == (Outcome.ACCEPTED, "pm-1")
    assert channel.provider == "postmark"
    assert sent["Metadata"] == {"reference": mail.reference}
    assert sent["TextBody"] == mail.text


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (422, INACTIVE, Outcome.REFUSED, "recipient"),
        (422, {"ErrorCode": 300, "Message": "bad"}, Outcome.REFUSED, "http-422"),
        (401, {"ErrorCode": 10, "Message": "bad token"}, Outcome.NOT_SENT, "http-401"),
        (429, {"ErrorCode": 429, "Message": "slow down"}, Outcome.NOT_SENT, "http-429"),
        (500, {"ErrorCode": 500, "Message": "sorry"}, Outcome.UNKNOWN, "http-500"),
        (0, None, Outcome.UNKNOWN, "dropped"),
    ],
)
def test_each_answer_is_judged_by_what_it_proves(
    api: Api,
    channel: EmailChannel,
    mail: Outgoing,
    status: int,
    body: Any,
    outcome: Outcome,
    code: str,
) -> None:
    api.status, api.body = status, body

    submission = channel.submit(mail)

    assert (submission.outcome, submission.code) == (outcome, code)
    asked_for_rest = {401: 300, 429: 120}
    assert submission.retry_after_seconds == asked_for_rest.get(status)


def test_a_connection_that_was_never_made_sent_nothing(settings: Settings, mail: Outgoing) -> None:
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        channel = open_channel(settings, unheard.getsockname()[1])
        submission = channel.submit(mail)
        channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-connection")
