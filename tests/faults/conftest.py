"""A real worker's surroundings: providers that it can reach and that report back to us."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from clinic.models import ProtocolVersion, Site, Staff
from config.celery import app
from patients.models import Patient
from reminders.catalogue import Channel, Kind
from reminders.channels import opening
from reminders.ledger import claiming
from reminders.models import Message
from reminders.sending import dispatch
from reminders.stand_in import TELNYX_API_KEY, StandIn
from tests.personas import a_patient
from tests.reminders.ledger import a_visit, planned, queued

Queue = Callable[..., list[Message]]


@pytest.fixture
def stand_in() -> Generator[StandIn]:
    with StandIn() as providers:
        yield providers


@pytest.fixture
def reachable(live_server: LiveServer, stand_in: StandIn, settings: Settings) -> Generator[None]:
    """Providers are the stand-in, which reports to this test's own web server: for this process,
    and for those that the nursery brings forth."""
    settings.PUBLIC_URL = live_server.url
    settings.TWILIO_ACCOUNT_SID = stand_in.account_sid
    settings.TWILIO_AUTH_TOKEN = stand_in.auth_token
    settings.TWILIO_BASE_URL = stand_in.http_url
    settings.TELNYX_API_KEY, settings.TELNYX_MESSAGING_PROFILE_ID = TELNYX_API_KEY, ""
    settings.TELNYX_PUBLIC_KEY = stand_in.telnyx_public_key
    settings.TELNYX_BASE_URL = stand_in.http_url
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", stand_in.smtp_port
    opening.forget()
    yield
    opening.forget()


@pytest.fixture
def due(
    transactional_db: None,
    site: Site,
    front_desk: Staff,
    protocol: ProtocolVersion,
    now: datetime,
) -> Queue:
    """Queues messages that are due now and at any hour, each to a patient of its own."""
    patients = iter(range(1000))

    def queue(number: int = 1, *, channel: Channel = Channel.SMS) -> list[Message]:
        at = datetime.now(UTC) - timedelta(seconds=1)
        messages = []
        for _ in range(number):
            each = next(patients)
            patient = a_patient(
                site, front_desk, now, phone=f"+1212556{each:04}", email=f"p{each}@patients.example"
            )
            visit = a_visit(patient, site, protocol, now=now)
            messages.append(queued(visit, now=at, kind=Kind.BOOKING_CONFIRMED, channel=channel))
        return messages

    return queue


def ring(times: int = 1) -> None:
    """Doorbells as beat rings them, but all at once."""
    for _ in range(times):
        app.send_task("reminders.tasks.drain", queue="wake", expires=30, retry=False)


def patient_of(message: Message) -> Patient:
    assert message.patient is not None
    return message.patient


def state(message: Message) -> str:
    return Message.objects.values_list("state", flat=True).get(pk=message.pk)


def lease_runs_out(message: Message) -> None:
    """Let the time of a dead worker's claim pass, and tidy up after it."""
    now = claiming.database_now()
    Message.objects.filter(pk=message.pk, leased_until__gt=now).update(
        leased_until=now - timedelta(seconds=1)
    )
    dispatch.tidy(now=now)


def plan_again(message: Message) -> None:
    """As if planning had looked again and found the message still right."""
    planned(patient_of(message), message.site)
