"""The demo's page of received messages, over a running stand-in."""

import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from clinic.models import Staff
from reminders.channels.base import Outgoing
from reminders.channels.twilio import TwilioChannel
from reminders.models import InboundMessage
from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, StandIn
from tests.personas import open_site
from tests.processes import eventually

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings: Settings) -> Iterator[StandIn]:
    with StandIn() as stand_in:
        settings.SANDBOX_URL = stand_in.http_url
        yield stand_in


@pytest.fixture
def desk(client: Client) -> Client:
    staff = Staff.objects.create_user("desk@lumen.example", "a-long-password", name="Ada")
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def receive_text(provider: StandIn, words: str) -> None:
    channel = TwilioChannel(
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        public_url="http://127.0.0.1:1",
        base_url=provider.http_url,
    )
    channel.submit(
        Outgoing(
            message_id=1,
            reference="r",
            to="+15550100100",
            sender="+15550100001",
            text=words,
        )
    )
    channel.close()


def receive_mail(provider: StandIn, *, html: str = "<p>Dear you</p>") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "visits@lumen.example", "patient@example.org"
    mail["Subject"] = "Your <visit>"
    mail.set_content("Dear you")
    mail.add_alternative(html, subtype="html")
    mail.add_attachment(
        b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",
        maintype="application",
        subtype="ics",
        filename="invite.ics",
    )
    with smtplib.SMTP("127.0.0.1", provider.smtp_port, timeout=5) as smtp:
        smtp.send_message(mail)


def test_received_texts_and_mails_are_shown_newest_first(provider: StandIn, desk: Client) -> None:
    receive_text(provider, "The first <b>text</b>")
    receive_text(provider, "The second text")
    receive_mail(provider)

    page = desk.get("/sandbox/").content.decode()

    assert page.index("The second text") < page.index("The first &lt;b&gt;text")
    assert "Your &lt;visit&gt;" in page
    assert "<h1>Sandbox</h1>" in page


def test_the_page_asks_for_its_lists_alone(provider: StandIn, desk: Client) -> None:
    receive_text(provider, "Hello")

    lists = desk.get("/sandbox/", headers={"HX-Request": "true"}).content.decode()

    assert "Hello" in lists
    assert "<html" not in lists


def test_a_mail_can_be_read_as_text_and_html_and_its_invitation_taken(
    provider: StandIn, desk: Client
) -> None:
    receive_mail(provider)

    page = desk.get("/sandbox/mail/1/")
    invitation = desk.get("/sandbox/mail/1/invite.ics")

    assert "Dear you" in page.content.decode()
    assert "Invitation (REQUEST)" in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert invitation["Content-Type"] == "text/calendar; charset=utf-8"
    assert invitation.content.startswith(b"BEGIN:VCALENDAR")
    assert desk.get("/sandbox/mail/2/").status_code == 404


def test_a_mails_html_can_do_nothing(provider: StandIn, desk: Client) -> None:
    receive_mail(provider, html="<script>alert(1)</script>")

    frame = desk.get("/sandbox/mail/1/html/")

    policy = frame["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_a_stand_in_that_is_down_is_said_in_one_sentence(settings: Settings, desk: Client) -> None:
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        settings.SANDBOX_URL = f"http://127.0.0.1:{unheard.getsockname()[1]}"

        assert "does not answer" in desk.get("/sandbox/").content.decode()
        assert desk.get("/sandbox/mail/1/").status_code == 503


@pytest.mark.parametrize("path", ["/sandbox/", "/sandbox/mail/1/", "/sandbox/mail/1/html/"])
def test_there_is_no_sandbox_where_real_messages_are_sent(
    settings: Settings, desk: Client, path: str
) -> None:
    settings.SANDBOX_URL = ""

    assert desk.get(path).status_code == 404


def test_a_patient_writes_back_to_the_number_that_wrote_to_them(
    provider: StandIn, desk: Client, live_server: LiveServer, settings: Settings
) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, AUTH_TOKEN
    open_site("harbour", "Harbour Skin Clinic", "America/New_York", "+15550100001")
    receive_text(provider, "Does it suit you?")

    assert "Write back from" in desk.get("/sandbox/").content.decode()
    told = {"phone": "+15550100100", "text": "who is this?"}
    assert desk.post("/sandbox/reply/", told).status_code == 302
    eventually(lambda: InboundMessage.objects.filter(text="who is this?").exists())
    assert desk.post("/sandbox/reply/", {**told, "phone": "+1"}).status_code == 404


def test_an_outsider_is_sent_to_sign_in(provider: StandIn, client: Client) -> None:
    for path in ("/sandbox/", "/sandbox/mail/1/", "/sandbox/mail/1/html/"):
        assert client.get(path).status_code == 302
