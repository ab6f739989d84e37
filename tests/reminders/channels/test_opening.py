import pytest
from pytest_django import Settings

from reminders.channels.opening import channel, forget, of_provider


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


def test_the_settings_name_who_takes_texts_and_the_former_is_still_asked(
    settings: Settings,
) -> None:
    settings.SMS_PROVIDER, settings.TELNYX_API_KEY = "telnyx", "key"
    sms = channel("sms")

    assert (sms.name, sms.provider) == ("sms", "telnyx")
    assert of_provider("telnyx") is sms
    assert of_provider("twilio").provider == "twilio"
    assert of_provider(channel("email").provider) is channel("email")
    with pytest.raises(KeyError):
        of_provider("pigeon")
    forget()


def test_there_are_no_other_channels() -> None:
    with pytest.raises(KeyError):
        channel("fax")
