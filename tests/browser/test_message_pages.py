"""The pages of messages, replies and words: accessible, quiet, and no wider than a phone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from appointments.models import Appointment
from clinic import on_call
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.inbound import conversing, receiving
from reminders.ledger import opting_out
from reminders.models import Attempt, Conversation, LookUp, Message, SuppressionSource
from reminders.sending import dispatch
from reminders.wording.texts import SOURCES
from tests.browser.conftest import Look, SignIn
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, a_visit, queued

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
PHONE, MAIL = "+12125550123", "elena@patients.example"
REFUSED = ".error-summary, .field.error"
# Where the frame around it was looked at before.
PAGE = "main"

Hear = Callable[..., Conversation]


@pytest.fixture
def hear(site: Site, now: datetime) -> Hear:
    """Takes in a reply, `ago` hours ago, and gives its conversation."""

    def take_in(text: str, *, by: str = PHONE, ago: float = 1) -> Conversation:
        at = now - ago * HOUR
        channel = Channel.EMAIL if "@" in by else Channel.SMS
        stored = receiving.receive(
            channel=channel,
            provider="mail" if channel == Channel.EMAIL else "twilio",
            provider_id=uuid4().hex,
            from_address=by,
            to_address=site.reply_to if channel == Channel.EMAIL else site.sms_number,
            text=text,
            answered_as="",
            received_at=at,
            now=at,
        )
        assert stored is not None
        return stored.conversation

    return take_in


@pytest.fixture
def visit(patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime) -> Appointment:
    return a_visit(patient, site, protocol, now=now, starts_at=now + timedelta(days=3))


def test_the_inbox_and_the_rota(
    page: Page,
    look: Look,
    sign_in: SignIn,
    hear: Hear,
    manager: Staff,
    front_desk: Staff,
    provider: Staff,
    patient: Patient,
    visit: Appointment,
    site: Site,
    now: datetime,
) -> None:
    sign_in(manager)
    look("inbox-empty", "/inbox/", within=PAGE)
    look("on-call-empty", "/on-call/", within=".panel")
    wrong = {"staff": provider.pk, "starts_at": "soon", "phone": "0123"}
    look("on-call-refused", "/on-call/", wrong, REFUSED)
    on_call.add(
        site=site,
        staff=provider,
        starts_at=now - HOUR,
        ends_at=now + 11 * HOUR,
        phone="+12125550190",
        email="a.very.long.address.of.somebody@a-hospital-far-away.example",
        by=manager,
        now=now,
    )
    look("on-call", "/on-call/", within=PAGE)
    a_patient(site, front_desk, now, given="Omar", phone="+12125550140", email="o@p.example")
    a_patient(site, front_desk, now, given="Ines", phone="+12125550140", email="i@p.example")
    question = queued(visit, now=now - 3 * HOUR, kind=Kind.REMINDER_CONFIRM)
    # Sent as the ledger would have it, at whatever hour of the night the test runs.
    Message.objects.filter(pk=question.pk).update(
        state=MessageState.DELIVERED, accepted_at=now - 2 * HOUR, wake_at=None
    )
    urgent = hear("My lip is white and very numb since this morning, what should I do??", ago=0.4)
    shared = hear("2", by="+12125550140", ago=3)
    mail = hear(f"Do you still have the cream?\n{'verylongword' * 20}", by=MAIL, ago=5)
    stranger = hear("Who is this? wrong number", by="+12125559999", ago=7)
    done = hear("HELP", by="+12125550177", ago=9)
    conversing.take(conversation=mail, by=manager, now=now)
    look("inbox", "/inbox/")
    look("inbox-mine", "/inbox/?owner=mine", within=".tabs, .filters")
    look("inbox-tab-empty", "/inbox/?tab=waiting", within=".tabs, .panel")
    look("inbox-closed", "/inbox/?tab=closed", within=".panel")
    look("conversation-urgent", f"/inbox/{urgent.pk}/")
    look("conversation-shared", f"/inbox/{shared.pk}/", within=PAGE)
    look("conversation-mail", f"/inbox/{mail.pk}/", within=PAGE)
    look("conversation-barred", f"/inbox/{stranger.pk}/", within=PAGE)
    look("conversation-closed", f"/inbox/{done.pk}/", within=PAGE)
    too_long = {"text": "é" * 3000, "reference": uuid4()}
    look("conversation-too-long", f"/inbox/{urgent.pk}/reply/", too_long, within="main .panel")
    page.goto(page.url.split("/inbox")[0] + f"/inbox/{urgent.pk}/")
    page.get_by_label("What you want to say").fill("Please call us now 🙏")
    expect(page.get_by_text("a letter or emoji in it makes it longer")).to_be_visible()
    page.get_by_role("button", name="Send now").click()
    expect(page.get_by_text("Your answer goes out now.")).to_be_visible()
    look("conversation-answered", within=".thread")


def test_the_words_of_messages(
    look: Look, sign_in: SignIn, manager: Staff, site: Site, visit: Appointment
) -> None:
    sign_in(manager)
    at = f"/wording/site/{Kind.BOOKING_CONFIRMED}/en/"
    words = dict(SOURCES["en"][Kind.BOOKING_CONFIRMED])
    look("wording-list", "/wording/", within=PAGE)
    look("wording-editor", at, within="main .page-head")
    wrong = {**words, "sms": "Guaranteed! {when} http://bit.ly/x 🎉", "seen": "", "act": "preview"}
    look("wording-findings", at, wrong)
    anew = {**words, "sms": "{sms_name}: It is booked: {when}.", "opening": "It is all set."}
    save = {**anew, "seen": "", "act": "save"}
    look("wording-saved", at, save, within="main .page-head, .toasts")
    look("wording-publish", f"{at}publish/", within=PAGE)
    look("wording-unticked", f"{at}publish/", {"seen": "another"}, within=PAGE)


def test_a_message_and_a_closed_number(
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    front_desk: Staff,
    patient: Patient,
    visit: Appointment,
    site: Site,
    now: datetime,
) -> None:
    sign_in(manager)
    message = queued(visit, now=now, kind=Kind.REMINDER_CONFIRM)
    dispatch.send_due(now=now, channel=Recorder())
    Message.objects.filter(pk=message.pk).update(state=MessageState.UNKNOWN)
    Attempt.objects.filter(message=message).update(outcome="unknown", code="timeout")
    for minutes, answer in ((1, "no_answer"), (2, "absent"), (3, "")):
        LookUp.objects.create(
            message=message, attempt=1, at=now + timedelta(minutes=minutes), answer=answer
        )
    waiting = queued(visit, now=now + 2 * HOUR, channel=Channel.EMAIL)
    look("message-unknown", f"/messages/{message.pk}/?ask=repeat")
    look("message-waits", f"/messages/{waiting.pk}/", within=PAGE)
    phone = patient.contact_points.get(value=PHONE)
    close = f"/patients/{patient.pk}/contacts/{phone.pk}/close/"
    look("contact-close", close, within=PAGE)
    look("contact-close-refused", close, {"reason": ""}, within=PAGE)
    opting_out.opt_out(
        channel=Channel.SMS,
        address=PHONE,
        source=SuppressionSource.STAFF,
        by=front_desk,
        now=now,
        reason="She asked by telephone to get no more texts",
    )
    look("contact-open", f"/patients/{patient.pk}/contacts/{phone.pk}/open/", within=PAGE)
    look("patient-closed-number", f"/patients/{patient.pk}/")
