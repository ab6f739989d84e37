import pytest
from pytest_django import Settings

from reminders.channels.opening import channel, forget


@pytest.fixture(autouse=True)
def account(settings: Settings) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC" + "7" * 32, "token"
    forget()


def test_a_process_has_one_channel_of_each_name() -> None:
    sms, email = channel("sms"), channel("email")

    assert (sms.name, sms.provider) == ("sms", "twilio")
    assert email.name == "email"
    assert channel("sms") is sms
    assert channel("email") is email
    forget()
    assert channel("sms") is not sms
    forget()


def test_there_are_no_other_channels() -> None:
    with pytest.raises(KeyError):
        channel("fax")
