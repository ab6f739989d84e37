"""The stand-in itself: as strict as the provider it stands for."""

import base64
import json
import os
import signal
import smtplib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, StandIn
from reminders.stand_in.twilio_api import E164

TEXT = {"To": "+15550100100", "From": "+15550100001", "Body": "Hello"}
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with StandIn(callback_delay=0.01) as stand_in:
        yield stand_in


@dataclass
class Listener:
    """Receives callbacks, and whether each was signed with the account's token."""

    url: str = ""
    heard: list[tuple[dict[str, str], bool]] = field(default_factory=list)

    def statuses(self) -> list[str]:
        return [fields["MessageStatus"] for fields, _ in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            fields = dict(urllib.parse.parse_qsl(raw))
            signed = RequestValidator(AUTH_TOKEN).validate(
                listening.url, fields, self.headers["X-Twilio-Signature"]
            )
            listening.heard.append((fields, signed))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    listening.url = f"http://127.0.0.1:{server.server_port}/webhooks/status/1/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening
    server.shutdown()
    thread.join()
    server.server_close()


def until(true: Callable[[], bool], *, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def call(
    base: str,
    path: str,
    fields: dict[str, str] | bytes | None = None,
    *,
    token: str = AUTH_TOKEN,
    method: str | None = None,
) -> tuple[int, Any]:
    """One HTTP call: its status and its JSON."""
    data = urllib.parse.urlencode(fields).encode() if isinstance(fields, dict) else fields
    request = urllib.request.Request(base + path, data=data, method=method)
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{token}".encode()).decode()
    request.add_header("Authorization", f"Basic {credentials}")
    try:
        with NO_PROXY.open(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_taken_text_can_be_fetched_by_the_providers_id_only(
    provider: StandIn,
) -> None:
    status, made = call(provider.http_url, MESSAGES, TEXT)

    assert (status, made["status"]) == (201, "queued")
    assert made["sid"].startswith("SM")
    assert call(provider.http_url, made["uri"])[1]["body"] == "Hello"
    assert call(provider.http_url, made["uri"].replace(made["sid"], "our-reference"))[0] == 404


def test_the_same_request_twice_is_two_texts(provider: StandIn) -> None:
    first, second = (call(provider.http_url, MESSAGES, TEXT)[1]["sid"] for _ in range(2))

    assert first != second
    assert len(provider.texts) == 2


def test_wrong_credentials_get_nothing(provider: StandIn) -> None:
    for fields in (TEXT, None):
        status, answer = call(provider.http_url, MESSAGES, fields, token="wrong")
        assert (status, answer["code"]) == (401, 20003)
    assert provider.texts == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"To": "07700 900123"}, 21211),
        ({"To": "+0123456789"}, 21211),
        ({"From": "+1"}, 21212),
        ({"Body": "a" * 1601}, 21617),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"ValidityPeriod": "soon"}, 21624),
        ({"StatusCallback": "/webhooks/"}, 21609),
        ({"StatusCallback": "http://my_host/"}, 21609),
    ],
)
def test_each_fault_gets_twilios_code(provider: StandIn, change: dict[str, str], code: int) -> None:
    status, answer = call(provider.http_url, MESSAGES, {**TEXT, **change})

    assert (status, answer["code"], answer["status"]) == (400, code, 400)
    assert provider.texts == []


def test_listing_filters_and_pages_newest_first(provider: StandIn) -> None:
    for number in range(5):
        call(provider.http_url, MESSAGES, {**TEXT, "Body": str(number)})
    call(provider.http_url, MESSAGES, {**TEXT, "To": "+15550100199"})

    query = urllib.parse.urlencode({"To": TEXT["To"], "From": TEXT["From"], "PageSize": 3})
    _, first = call(provider.http_url, f"{MESSAGES}?{query}")
    _, second = call(provider.http_url, first["next_page_uri"])

    assert [text["body"] for text in first["messages"]] == ["4", "3", "2"]
    assert [text["body"] for text in second["messages"]] == ["1", "0"]
    assert second["next_page_uri"] is None


def test_a_queued_text_has_no_date_of_sending(provider: StandIn) -> None:
    provider.mode("no_callback")
    slow = StandIn(callback_delay=60)
    with slow:
        call(slow.http_url, MESSAGES, TEXT)
        day = slow.texts[0].received_at[:10]
        _, found = call(slow.http_url, f"{MESSAGES}?DateSent={day}")

    assert found["messages"] == []


def test_callbacks_come_signed_and_in_order(provider: StandIn, listener: Listener) -> None:
    call(provider.http_url, MESSAGES, {**TEXT, "StatusCallback": listener.url})

    until(lambda: len(listener.heard) == 3)

    assert listener.statuses() == ["queued", "sent", "delivered"]
    assert all(signed for _, signed in listener.heard)
    fields = listener.heard[-1][0]
    assert fields["MessageSid"] == provider.texts[0].sid
    assert fields["AccountSid"] == ACCOUNT_SID
    assert provider.texts[0].status == "delivered"


@pytest.mark.parametrize(
    ("mode", "statuses", "end"),
    [
        ("duplicate", "queued queued sent sent delivered delivered", "delivered"),
        ("out_of_order", "delivered sent queued", "delivered"),
        ("30003", "queued sent undelivered", "undelivered"),
        ("30036", "queued sent failed", "failed"),
        ("drop_after_accept", "queued sent delivered", "delivered"),
    ],
)
def test_callbacks_can_misbehave(
    provider: StandIn, listener: Listener, mode: str, statuses: str, end: str
) -> None:
    provider.mode(mode)
    fields = {**TEXT, "StatusCallback": listener.url}
    if mode == "drop_after_accept":
        with pytest.raises(OSError):
            call(provider.http_url, MESSAGES, fields)
    else:
        call(provider.http_url, MESSAGES, fields)

    until(lambda: len(listener.heard) == len(statuses.split()))

    assert listener.statuses() == statuses.split()
    assert provider.texts[0].status == end
    if mode.isdecimal():
        assert listener.heard[-1][0]["ErrorCode"] == mode


def test_a_forged_callback_does_not_verify(provider: StandIn, listener: Listener) -> None:
    provider.mode("forged")
    call(provider.http_url, MESSAGES, {**TEXT, "StatusCallback": listener.url})

    until(lambda: len(listener.heard) == 3)

    assert not any(signed for _, signed in listener.heard)


def test_no_callback_means_delivered_in_silence(provider: StandIn, listener: Listener) -> None:
    provider.mode("no_callback")
    call(provider.http_url, MESSAGES, {**TEXT, "StatusCallback": listener.url})

    until(lambda: provider.texts[0].status == "delivered")

    assert listener.heard == []


def test_the_destination_alone_can_ask_for_trouble(provider: StandIn) -> None:
    answers = {
        ending: call(provider.http_url, MESSAGES, {**TEXT, "To": f"+1555010{ending}"})
        for ending in ("9429", "9500", "9610", "0100")
    }

    assert [status for status, _ in answers.values()] == [429, 500, 400, 201]
    assert answers["9610"][1]["code"] == 21610
    assert E164.fullmatch("+15550109610")


def test_modes_are_set_over_http_and_used_up_in_order(provider: StandIn) -> None:
    for mode, count in (("429", 2), ("500", 1)):
        told = json.dumps({"mode": mode, "count": count}).encode()
        assert call(provider.http_url, "/control", told)[0] == 200

    statuses = [call(provider.http_url, MESSAGES, TEXT)[0] for _ in range(4)]

    assert statuses == [429, 429, 500, 201]


def test_a_lasting_mode_ends_when_cleared(provider: StandIn) -> None:
    provider.mode("500", count=0)
    assert [call(provider.http_url, MESSAGES, TEXT)[0] for _ in range(3)] == [500] * 3

    call(provider.http_url, "/control", b'{"mode": "clear"}')

    assert call(provider.http_url, MESSAGES, TEXT)[0] == 201


@pytest.mark.parametrize("told", [b"{}", b"nonsense", b'{"mode": "kindly"}', b"[]"])
def test_an_unknown_mode_is_refused(provider: StandIn, told: bytes) -> None:
    assert call(provider.http_url, "/control", told)[0] == 400


def test_what_arrived_can_be_read_and_cleared(provider: StandIn) -> None:
    call(provider.http_url, MESSAGES, TEXT)
    send_mail(provider.smtp_port)

    _, received = call(provider.http_url, "/received.json")
    [text], [mail] = received["texts"], received["mails"]
    assert (text["to"], text["text"]) == (TEXT["To"], "Hello")
    assert (mail["to"], mail["subject"], mail["text"]) == (
        "to@x.example",
        "Hi",
        "Dear you\n",
    )

    call(provider.http_url, "/received", method="DELETE")
    assert call(provider.http_url, "/received.json")[1] == {"texts": [], "mails": []}


def test_only_the_newest_are_kept() -> None:
    with StandIn(keep=3) as provider:
        for number in range(5):
            call(provider.http_url, MESSAGES, {**TEXT, "Body": str(number)})

        assert [text.text for text in provider.texts] == ["2", "3", "4"]


def test_a_file_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "received.jsonl"
    with StandIn(data=file, callback_delay=0.01) as first:
        call(first.http_url, MESSAGES, TEXT)
        send_mail(first.smtp_port)
        until(lambda: first.texts[0].status == "delivered")

    with StandIn(data=file) as second:
        assert [text.status for text in second.texts] == ["delivered"]
        assert [mail.subject for mail in second.mails] == ["Hi"]
        call(second.http_url, MESSAGES, TEXT)
        assert second.texts[-1].id == 3


MODULE = ("-m", "reminders.stand_in")
COMMAND = ("manage.py", "stand_in")


@pytest.mark.parametrize(
    ("start", "stop"),
    [(MODULE, signal.SIGTERM), (MODULE, signal.SIGINT), (COMMAND, signal.SIGTERM)],
)
def test_the_process_says_when_it_is_ready_and_stops_cleanly(
    start: tuple[str, str], stop: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, *start, "--http-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        ports = json.loads(process.stdout.readline())
        base = f"http://127.0.0.1:{ports['http_port']}"
        assert call(base, "/health") == (200, {"ok": True})
        send_mail(ports["smtp_port"])

        process.send_signal(stop)

        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == b""


def test_a_port_in_use_gets_one_clear_line(provider: StandIn) -> None:
    command = [
        sys.executable,
        "-m",
        "reminders.stand_in",
        "--http-port",
        str(provider.http_port),
    ]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=20)

    assert ended.returncode == 1
    assert ended.stderr == "The stand-in cannot open its ports: Address already in use.\n"


def send_mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.sendmail("from@x.example", ["to@x.example"], b"Subject: Hi\r\n\r\nDear you\r\n")
