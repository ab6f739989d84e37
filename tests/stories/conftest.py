"""A story plays on real parts, with the time of the story passed in."""

from collections.abc import Callable, Generator
from datetime import datetime

import pytest
from pytest_django import Settings

from patients.models import Patient
from reminders.channels import opening
from reminders.journeys import replanning
from reminders.sending import dispatch
from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, StandIn
from tests.appointments.conftest import book, wish
from tests.audited import audited as audited  # a fixture
from tests.faults.conftest import reachable, stand_in

__all__ = ["book", "reachable", "stand_in", "wish"]

Advance = Callable[[datetime], None]


@pytest.fixture
def providers(settings: Settings) -> Generator[StandIn]:
    """The stand-in of both providers, which the channels speak to over HTTP and SMTP."""
    with StandIn() as stand_in:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", stand_in.smtp_port
        settings.TWILIO_BASE_URL = stand_in.http_url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, AUTH_TOKEN
        opening.forget()
        stand_in.mode("no_callback", count=0)
        yield stand_in
        opening.forget()


@pytest.fixture
def advance(providers: StandIn) -> Advance:
    """Lets the clinic live until a moment: plan what is stale, send what is due, till quiet."""

    def live(now: datetime) -> None:
        while True:
            planned = replanning.sync_stale(now=now)
            tally = dispatch.send_due(now=now)
            # Several that are late beside each other make their patient stale again.
            if not planned and not tally["claimed"] and not Patient.objects.stale().exists():
                return

    return live
