"""What patients text back, from the provider's signed report to what they hear and what happens."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import time_machine
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from appointments.models import Appointment, Task
from clinic import on_call
from clinic.models import Site, Staff
from patients.models import Patient
from reminders.models import Conversation, InboundMessage, Suppression
from reminders.sending import tidying
from reminders.stand_in import StandIn
from tests.appointments.conftest import Book, Wish
from tests.stories.conftest import Advance

# The provider's report comes in by HTTP, on committed rows.
pytestmark = pytest.mark.django_db(transaction=True)

PHONE, NURSE = "+12125550123", "+12125550190"
VISIT = date(2027, 3, 4)
TextBack = Callable[..., int]


@pytest.fixture
def text_back(
    providers: StandIn, live_server: LiveServer, settings: Settings, site: Site
) -> TextBack:
    """Elena texts the clinic at a moment of the story; the status of the answer."""
    settings.PUBLIC_URL = live_server.url

    def send(text: str, at: datetime, *, copies: int = 1, sid: str = "") -> int:
        told = {"sid": sid} if sid else {}
        with time_machine.travel(at, tick=False):
            statuses = {
                providers.reply(
                    text,
                    sender=PHONE,
                    to=site.sms_number,
                    url=f"{live_server.url}/webhooks/twilio/inbound/",
                    **told,
                )
                for _ in range(copies)
            }
        [status] = statuses
        return status

    return send


@pytest.fixture
def visit(book: Book, wish: Wish) -> Appointment:
    return book(wish(VISIT)).appointments.get()


def texts_to(providers: StandIn, number: str) -> list[str]:
    return [text.text for text in providers.texts if text.to == number]


def test_a_digit_confirms_stop_ends_it_and_danger_reaches_somebody(
    visit: Appointment,
    patient: Patient,
    site: Site,
    providers: StandIn,
    advance: Advance,
    text_back: TextBack,
    manager: Staff,
    provider: Staff,
    now: datetime,
) -> None:
    three_days_before = visit.starts_at - timedelta(days=3)
    advance(now + timedelta(minutes=3))
    advance(three_days_before)
    assert any("Reply 1" in text for text in texts_to(providers, PHONE))

    # She answers with the digit: the visit is confirmed and nobody is troubled.
    assert text_back("1 thanks!", three_days_before) == 204
    visit.refresh_from_db()
    assert visit.state == "confirmed"
    assert not Conversation.objects.open().exists()

    # In the night after, something is wrong: she is told to call, and the nurse is paged, twice.
    night = visit.starts_at + timedelta(hours=15)
    on_call.add(
        site=site,
        staff=provider,
        starts_at=night - timedelta(hours=1),
        ends_at=night + timedelta(hours=8),
        phone=NURSE,
        by=manager,
        now=night,
    )
    assert text_back("my cheek went white and it hurts really bad", night) == 204
    advance(night)
    assert texts_to(providers, PHONE)[-1].count(site.phone) == 1
    [page] = texts_to(providers, NURSE)
    assert "/inbox/" in page and "white" not in page and "Elena" not in page
    tidying.tidy(now=night + timedelta(minutes=15))
    advance(night + timedelta(minutes=15))
    assert len(texts_to(providers, NURSE)) == 2
    assert Task.objects.filter(title__startswith="Call now").exists()

    # And at last she has enough: reported five times, heard once, answered once.
    morning = night + timedelta(hours=9)
    assert text_back("STOP", morning, copies=5, sid="a" * 32) == 204
    heard = len(texts_to(providers, PHONE))
    advance(morning)
    advance(morning + timedelta(days=30))
    assert len(texts_to(providers, PHONE)) == heard + 1
    assert Suppression.objects.get(lifted_at=None).address == PHONE
    assert InboundMessage.objects.count() == 3


def test_a_report_that_twilio_did_not_sign_is_not_heard(
    patient: Patient, providers: StandIn, text_back: TextBack, settings: Settings, now: datetime
) -> None:
    settings.TWILIO_AUTH_TOKEN = "another"
    assert text_back("STOP", now) == 403
    assert not InboundMessage.objects.exists()
