"""Twilio's status callbacks: believed by their signature, harmless when repeated."""

import time
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from twilio.request_validator import RequestValidator

from appointments.models import Appointment
from reminders.channels.base import Outgoing
from reminders.channels.twilio import TwilioChannel
from reminders.models import Message, Receipt
from reminders.sending import dispatch
from reminders.stand_in import StandIn
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db

PUBLIC_URL = "https://clinic.example"
ACCOUNT = "AC" + "7" * 32
SID = "SM" + "1" * 32
TOKEN = "the-token"
REFERENCE = UUID("6f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70")


@pytest.fixture(autouse=True)
def account(settings: Settings) -> None:
    settings.PUBLIC_URL = PUBLIC_URL
    settings.TWILIO_ACCOUNT_SID = ACCOUNT
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.TWILIO_AUTH_TOKEN_PREVIOUS = ""


def report(
    client: Client,
    *,
    token: str = TOKEN,
    base: str = PUBLIC_URL,
    tampered: dict[str, str] | None = None,
    host: str = "testserver",
    **fields: str,
) -> int:
    """Posts one status as Twilio would, and returns the answer's status. `tampered` is changed
    after signing."""
    path = f"/webhooks/twilio/status/{REFERENCE}/"
    sent = {
        "AccountSid": ACCOUNT,
        "MessageSid": SID,
        "MessageStatus": "delivered",
        **fields,
    }
    answer = client.post(
        path,
        urlencode({**sent, **(tampered or {})}),
        content_type="application/x-www-form-urlencoded",
        headers={
            "X-Twilio-Signature": RequestValidator(token).compute_signature(base + path, sent),
            "Host": host,
        },
    )
    assert answer.content == b""
    return answer.status_code


def test_the_address_is_the_one_that_texts_carry(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_BASE_URL = ACCOUNT, ""
    channel = TwilioChannel.from_settings()
    outgoing = Outgoing(message_id=1, reference=str(REFERENCE), to="", sender="", text="")

    carried = channel._fields(outgoing)["status_callback"]
    channel.close()

    assert carried == PUBLIC_URL + reverse("twilio-status", args=[REFERENCE])


def test_a_signed_report_is_recorded_once_however_often_it_comes(
    client: Client,
) -> None:
    assert [report(client) for _ in range(3)] == [204, 204, 204]

    receipt = Receipt.objects.get()
    assert (receipt.provider, receipt.status, receipt.code) == (
        "twilio",
        "delivered",
        "",
    )


def test_each_status_of_a_text_is_an_event_of_its_own(client: Client) -> None:
    for status in ("queued", "sent", "undelivered"):
        report(client, MessageStatus=status, ErrorCode="30003" if status[0] == "u" else "")

    assert set(Receipt.objects.values_list("status", "code")) == {
        ("queued", ""),
        ("sent", ""),
        ("undelivered", "30003"),
    }


def test_parameters_that_we_do_not_know_are_part_of_the_signature(
    client: Client,
) -> None:
    assert report(client, RawDlrDate="2703121000", SomethingNew="", To="+15550100100") == 204
    assert report(client, tampered={"SomethingNew": "x"}) == 403


@pytest.mark.parametrize(
    "change",
    [
        {"token": "another-token"},
        {"tampered": {"MessageStatus": "failed"}},
        {"base": "http://testserver"},
        {"AccountSid": "AC" + "8" * 32},
        {"AccountSid": ""},
    ],
    ids=[
        "wrong token",
        "tampered",
        "signed for another address",
        "another account",
        "no account",
    ],
)
def test_a_report_that_is_not_our_accounts_is_refused(
    client: Client, change: dict[str, str]
) -> None:
    assert report(client, **change) == 403  # type: ignore[arg-type]
    assert not Receipt.objects.exists()


def test_a_report_without_a_signature_is_refused(client: Client) -> None:
    path = reverse("twilio-status", args=[uuid4()])

    assert client.post(path, {"AccountSid": ACCOUNT}).status_code == 403
    assert client.post(path, "not a form", content_type="application/json").status_code == 403
    assert client.get(path).status_code == 405


def test_the_host_header_plays_no_part(client: Client) -> None:
    assert report(client, host="localhost:8000") == 204


def test_the_former_token_is_believed_while_it_is_being_rotated(
    client: Client, settings: Settings
) -> None:
    assert report(client, token="the-former-token") == 403

    settings.TWILIO_AUTH_TOKEN_PREVIOUS = "the-former-token"

    assert report(client, token="the-former-token") == 204


@pytest.mark.parametrize("signed", ["https://clinic.example:443", "https://clinic.example"])
def test_the_port_may_stand_in_what_is_signed_or_not(client: Client, signed: str) -> None:
    assert report(client, base=signed) == 204


def test_a_parameter_that_comes_twice_is_signed_as_it_came(client: Client) -> None:
    path = f"/webhooks/twilio/status/{REFERENCE}/"
    sent = QueryDict(mutable=True)
    sent.update({"AccountSid": ACCOUNT, "MessageSid": SID, "MessageStatus": "sent"})
    sent.setlist("Extra", ["b", "a"])
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + path, sent)

    answer = client.post(
        path,
        sent.urlencode(),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )

    assert answer.status_code == 204


def test_a_report_about_another_recipient_is_refused(
    client: Client, visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    Message.objects.filter(pk=message.pk).update(reference=REFERENCE)
    dispatch.send_due(now=now, channel=Recorder())

    assert report(client, To="+12125559999") == 403
    assert not Receipt.objects.exists()
    assert report(client, To="+12125550123") == 204


def test_an_account_without_a_token_believes_nobody(client: Client, settings: Settings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""

    assert report(client, token="") == 403


def send_through(provider: StandIn, public_url: str) -> None:
    channel = TwilioChannel(
        account_sid=provider.account_sid,
        auth_token=provider.auth_token,
        public_url=public_url,
        base_url=provider.http_url,
    )
    channel.submit(
        Outgoing(
            message_id=1,
            reference=str(REFERENCE),
            to="+15550100100",
            sender="+15550100001",
            text="Hello",
        )
    )
    channel.close()


def statuses_after(count: int, *, seconds: float = 10) -> set[str]:
    deadline = time.monotonic() + seconds
    while Receipt.objects.count() < count:
        assert time.monotonic() < deadline, "the callbacks did not come in time"
        time.sleep(0.02)
    return set(Receipt.objects.values_list("status", flat=True))


def test_the_stand_ins_callbacks_arrive_and_forged_ones_do_not(
    live_server: LiveServer, settings: Settings
) -> None:
    with StandIn(account_sid=ACCOUNT, auth_token=TOKEN, callback_delay=0.01) as provider:
        settings.PUBLIC_URL = live_server.url
        provider.mode("forged")
        send_through(provider, live_server.url)
        provider.mode("duplicate")
        send_through(provider, live_server.url)

        assert statuses_after(3) == {"queued", "sent", "delivered"}
        genuine = provider.texts[1].sid
        assert all(genuine in receipt.event_key for receipt in Receipt.objects.all())
