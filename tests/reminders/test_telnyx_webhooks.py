"""Telnyx's reports: believed by their signature and their time, harmless when repeated."""

import json
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from appointments.models import Appointment
from reminders.catalogue import MessageState
from reminders.channels.base import Outgoing
from reminders.channels.telnyx import TelnyxChannel
from reminders.models import InboundMessage, Message, Receipt, Suppression
from reminders.sending import dispatch
from reminders.stand_in import signing
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db

SEED, FORMER = b"a private key of thirty-two byte", b"another private key of the house"
PROFILE = "4000eba1-a0c0-4563-9925-b25e842a7cb6"
REFERENCE = UUID("6f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70")
PATH = f"/webhooks/telnyx/status/{REFERENCE}/"


@pytest.fixture(autouse=True)
def account(settings: Settings) -> None:
    settings.TELNYX_PUBLIC_KEY = signing.telnyx_public_key(SEED)
    settings.TELNYX_PUBLIC_KEY_PREVIOUS = ""
    settings.TELNYX_MESSAGING_PROFILE_ID = PROFILE


@pytest.fixture
def message(visit: Appointment, now: datetime) -> Message:
    sent = queued(visit, now=now)
    Message.objects.filter(pk=sent.pk).update(reference=REFERENCE)
    dispatch.send_due(now=now, channel=Recorder())
    return sent


def event(status: str = "delivered", **payload: Any) -> dict[str, Any]:
    number = payload.pop("to", "+12125550123")
    return {
        "data": {
            "id": f"event-{status}",
            "event_type": "message.sent" if status == "sent" else "message.finalized",
            "payload": {
                "id": "SM1",
                "messaging_profile_id": PROFILE,
                "to": [{"phone_number": number, "status": status}],
                "errors": [],
                **payload,
            },
        }
    }


def report(
    client: Client,
    told: Any,
    *,
    seed: bytes = SEED,
    age: int = 0,
    tampered: bool = False,
    path: str = PATH,
) -> int:
    """Posts one event as Telnyx would; the answer's status."""
    body, stamp = json.dumps(told).encode(), str(int(time.time()) - age)
    answer = client.post(
        path,
        body + b" " if tampered else body,
        content_type="application/json",
        headers={
            "Telnyx-Timestamp": stamp,
            "Telnyx-Signature-Ed25519": signing.telnyx(seed, stamp, body),
        },
    )
    assert answer.content == b""
    return answer.status_code


def state(message: Message) -> str:
    return Message.objects.get(pk=message.pk).state


def test_the_address_is_the_one_that_texts_carry(settings: Settings) -> None:
    channel = TelnyxChannel.from_settings()
    outgoing = Outgoing(message_id=1, reference=str(REFERENCE), to="", sender="", text="")

    carried = channel._fields(outgoing)["webhook_url"]
    channel.close()

    assert carried == settings.PUBLIC_URL + reverse("telnyx-status", args=[REFERENCE])


def test_a_signed_report_is_recorded_once_however_often_it_comes(
    client: Client, message: Message
) -> None:
    assert [report(client, event()) for _ in range(3)] == [204, 204, 204]

    assert state(message) == MessageState.DELIVERED
    assert Receipt.objects.get().provider == "telnyx"


def test_reports_in_the_wrong_order_end_as_delivered(client: Client, message: Message) -> None:
    report(client, event("delivered"))
    report(client, event("sent"))

    assert state(message) == MessageState.DELIVERED


def test_a_stop_in_a_report_suppresses_the_number(client: Client, message: Message) -> None:
    errors = [{"code": "40300", "title": "Blocked due to STOP message"}]

    report(client, event("delivery_failed", errors=errors))

    assert state(message) == MessageState.UNDELIVERED
    assert Suppression.objects.get().code == "telnyx-40300"


@pytest.mark.parametrize(
    "how",
    [{"seed": FORMER}, {"tampered": True}, {"age": 301}, {"age": -400}],
    ids=["another key", "another body", "too old", "from the future"],
)
def test_a_report_that_is_not_signed_now_by_our_account_is_refused(
    client: Client, message: Message, how: dict[str, Any]
) -> None:
    assert report(client, event(), **how) == 403
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"messaging_profile_id": "another"}, {"to": "+12125559999"}],
    ids=["another profile", "another recipient"],
)
def test_a_report_about_another_profile_or_recipient_is_refused(
    client: Client, message: Message, change: dict[str, Any]
) -> None:
    assert report(client, event(**change)) == 403
    assert not Receipt.objects.exists()


def test_the_former_key_is_believed_while_it_is_being_rotated(
    client: Client, settings: Settings
) -> None:
    assert report(client, event(), seed=FORMER) == 403

    settings.TELNYX_PUBLIC_KEY_PREVIOUS = signing.telnyx_public_key(FORMER)

    assert report(client, event(), seed=FORMER) == 204


def test_without_a_key_nobody_is_believed(client: Client, settings: Settings) -> None:
    settings.TELNYX_PUBLIC_KEY = ""

    assert report(client, event()) == 403
    assert client.post(PATH, b"{}", content_type="application/json").status_code == 403
    assert client.get(PATH).status_code == 405


def test_what_is_signed_and_cannot_be_read_is_said_to_be_so(client: Client) -> None:
    assert report(client, ["nothing"]) == 400
    assert report(client, {"data": {"event_type": "message.finalized"}}) == 400
    assert report(client, {"data": {"event_type": "call.hangup"}}) == 204
    assert not Receipt.objects.exists()


def test_a_text_of_another_profile_is_refused_and_another_event_is_left_at_that(
    client: Client,
) -> None:
    inbound = "/webhooks/telnyx/inbound/"
    assert report(client, event(), path=inbound) == 204
    told = event(messaging_profile_id="another")
    told["data"]["event_type"] = "message.received"
    assert report(client, told, path=inbound) == 403
    assert report(client, {"data": {"event_type": "message.received"}}, path=inbound) == 400
    assert report(client, told, path=inbound, age=301) == 403
    assert client.get(inbound).status_code == 405
    assert not InboundMessage.objects.exists() and not Receipt.objects.exists()
