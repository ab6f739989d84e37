"""No installation is deployed whose providers may not be given health data."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from reminders.channels import agreements


def check() -> None:
    call_command("check", deploy=True, tags=[agreements.TAG])


def test_a_deployment_names_each_provider_without_an_agreement(settings: Settings) -> None:
    settings.TWILIO_BASE_URL, settings.MAIL_PROVIDER = "", "postmark"
    settings.HEALTH_DATA_AGREEMENTS = ["telnyx"]
    with pytest.raises(SystemCheckError, match="twilio, which texts go through") as refusal:
        check()
    assert "postmark, which mails go through" in str(refusal.value)
    settings.HEALTH_DATA_AGREEMENTS = ["twilio", "postmark"]
    check()


def test_a_stand_in_takes_no_agreement(settings: Settings) -> None:
    settings.TWILIO_BASE_URL, settings.HEALTH_DATA_AGREEMENTS = "http://127.0.0.1:9", ["smtp"]
    check()
