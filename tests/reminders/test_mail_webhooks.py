"""The mail provider's reports, as Anymail reads those of Postmark."""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from appointments.models import Appointment
from clinic.models import AuditEntry, Site
from clinic.origin import Via
from patients import consent
from patients.models import Patient
from reminders.catalogue import Channel, MessageState
from reminders.models import Conversation, Message, Receipt, Suppression
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db

SECRET, FORMER = "clinic:a-secret", "clinic:the-former-one"
REFERENCE = UUID("6f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70")


@pytest.fixture(autouse=True)
def account(settings: Settings) -> None:
    settings.MAIL_PROVIDER = "postmark"
    settings.MAIL_WEBHOOK_SECRETS = [SECRET]


@pytest.fixture
def message(visit: Appointment, now: datetime) -> Message:
    sent = queued(visit, now=now, channel=Channel.EMAIL)
    Message.objects.filter(pk=sent.pk).update(reference=REFERENCE)
    dispatch.send_due(now=now, channel=Recorder())
    return sent


@pytest.fixture
def address(message: Message) -> str:
    return message.content.address


def report(client: Client, record: str, address: str, *, secret: str = SECRET, **other: Any) -> int:
    """Posts one event as Postmark would; the answer's status."""
    told = {
        "RecordType": record,
        "MessageID": "pm-1",
        "Metadata": {"reference": str(REFERENCE)},
        "Recipient": address,
        "Email": address,
        **other,
    }
    answer = client.post(
        "/webhooks/mail/",
        json.dumps(told),
        content_type="application/json",
        headers={"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()},
    )
    return answer.status_code


def state(message: Message) -> str:
    return Message.objects.get(pk=message.pk).state


def test_a_delivery_is_recorded_once_however_often_it_comes(
    client: Client, message: Message, address: str
) -> None:
    assert [report(client, "Delivery", address) for _ in range(3)] == [204] * 3
    assert report(client, "Open", address) == 204

    assert state(message) == MessageState.DELIVERED
    assert Receipt.objects.count() == 2


def on_record() -> tuple[int | None, str, str]:
    """Whose trail says that an address was closed, by a report, and why."""
    entry = AuditEntry.objects.get(action="address.close")
    assert (entry.by, entry.via) == (None, Via.PROVIDER)
    return entry.patient_id, entry.after["reason"], entry.reason


def test_a_bounce_that_is_final_closes_the_address(
    client: Client, message: Message, address: str
) -> None:
    report(client, "Bounce", address, ID=7, Type="HardBounce")

    assert state(message) == MessageState.UNDELIVERED
    assert Suppression.objects.get().reason == "hard_bounce"
    assert on_record() == (message.patient_id, "hard_bounce", "This mail address does not exist.")


@pytest.mark.parametrize(
    "bounce",
    [
        {"Type": "SoftBounce"},
        {"Type": "HardBounce", "Details": "smtp;552 5.2.2 The mailbox is full"},
        {"Type": "Blocked"},
    ],
    ids=["soft", "full", "blocked"],
)
def test_a_bounce_that_may_pass_closes_nothing(
    client: Client, message: Message, address: str, bounce: dict[str, str]
) -> None:
    report(client, "Bounce", address, ID=7, **bounce)

    assert state(message) in (MessageState.UNDELIVERED, MessageState.FAILED)
    assert not Suppression.objects.exists()


def test_a_delay_is_no_failure(client: Client, message: Message, address: str) -> None:
    report(client, "Bounce", address, ID=7, Type="Transient")

    assert state(message) == MessageState.SENT
    assert not Suppression.objects.exists()


def test_a_complaint_closes_the_address_and_leaves_the_mail_delivered(
    client: Client, message: Message, address: str
) -> None:
    report(client, "Delivery", address)
    report(client, "SpamComplaint", address, ID=8, Type="SpamComplaint")

    assert state(message) == MessageState.DELIVERED
    assert Suppression.objects.get().reason == "complained"
    assert on_record() == (message.patient_id, "complained", "Our mail was marked as spam.")


def test_who_unsubscribes_at_the_provider_has_opted_out(
    client: Client, message: Message, address: str, patient: Patient
) -> None:
    report(
        client,
        "SubscriptionChange",
        address,
        SuppressSending=True,
        SuppressionReason="ManualSuppression",
    )

    closed = Suppression.objects.filter(reason="opted_out").exists()
    standing = consent.standing([patient.pk])[patient.pk]
    assert closed or ("marketing", "email") not in standing


def test_a_report_about_another_recipient_moves_nothing(client: Client, message: Message) -> None:
    assert report(client, "Delivery", "somebody@else.example") == 204

    assert state(message) == MessageState.ACCEPTED
    assert not Receipt.objects.exists()


def test_without_the_secret_nothing_is_believed(
    client: Client, message: Message, address: str
) -> None:
    assert report(client, "Delivery", address, secret=FORMER) == 403
    assert client.post("/webhooks/mail/", {}, content_type="application/json").status_code == 403
    assert not Receipt.objects.exists()


def test_the_former_secret_is_believed_while_it_is_being_rotated(
    client: Client, message: Message, address: str, settings: Settings
) -> None:
    settings.MAIL_WEBHOOK_SECRETS = [SECRET, FORMER]

    assert report(client, "Delivery", address, secret=FORMER) == 204


@pytest.mark.parametrize("missing", ["MAIL_PROVIDER", "MAIL_WEBHOOK_SECRETS"])
def test_there_is_no_such_address_until_it_is_set_up(
    client: Client, message: Message, address: str, settings: Settings, missing: str
) -> None:
    setattr(settings, missing, "")

    assert report(client, "Delivery", address) == 404


def test_what_cannot_be_read_is_said_to_be_so(client: Client) -> None:
    headers = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
    answer = client.post(
        "/webhooks/mail/", "not JSON", content_type="application/json", headers=headers
    )

    assert answer.status_code == 400
    assert client.head("/webhooks/mail/").status_code == 200
    assert client.get("/webhooks/mail/").status_code == 405


# --- Mail that comes in ---------------------------------------------------------------------------


def write(client: Client, site: Site, *, sender: str, secret: str = SECRET, **headers: str) -> int:
    """Posts a mail that somebody wrote to the site as Postmark would; the answer's status."""
    told = {
        "FromFull": {"Email": sender, "Name": ""},
        "ToFull": [{"Email": site.reply_to.upper(), "Name": ""}],
        "MessageID": "pm-in-1",
        "TextBody": "my lip is white and numb",
        "Headers": [
            {"Name": name.replace("_", "-"), "Value": told} for name, told in headers.items()
        ],
    }
    answer = client.post(
        "/webhooks/mail/inbound/",
        json.dumps(told),
        content_type="application/json",
        headers={"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()},
    )
    return answer.status_code


def test_a_mail_is_for_the_site_whose_address_it_names(client: Client, site: Site) -> None:
    assert write(client, site, sender="Somebody@Mail.example") == 204

    conversation = Conversation.objects.get()
    assert (conversation.site, conversation.address) == (site, "somebody@mail.example")
    assert conversation.state == "escalated"


def test_what_machines_and_we_ourselves_write_is_no_reply(client: Client, site: Site) -> None:
    """A page about an urgent reply goes to the mailbox that also takes the replies."""
    assert write(client, site, sender=site.email_address) == 204
    assert write(client, site, sender=site.reply_to.title()) == 204
    assert write(client, site, sender="a@mail.example", Auto_Submitted="auto-replied") == 204

    assert not Conversation.objects.exists()


def test_what_comes_in_is_believed_by_the_same_secret(
    client: Client, site: Site, settings: Settings
) -> None:
    assert write(client, site, sender="a@mail.example", secret=FORMER) == 403
    assert client.head("/webhooks/mail/inbound/").status_code == 200
    assert client.get("/webhooks/mail/inbound/").status_code == 405
    settings.MAIL_PROVIDER = ""
    assert write(client, site, sender="a@mail.example") == 404
    assert not Conversation.objects.exists()
