"""What every way in keeps to, in real HTTP conversations with what the provider would send.

A way in is one line of `WAYS`.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from clinic.models import Site
from patients.models import Patient
from reminders.catalogue import Channel
from reminders.models import InboundMessage, Suppression
from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, TELNYX_PROFILE_ID, StandIn
from tests.reminders.inbound.conftest import PHONE, said

pytestmark = pytest.mark.django_db

MAIL = "elena@patients.example"
SECRET = "clinic:a-secret"


@dataclass(frozen=True)
class Way:
    """A provider with the path that it reports to, and what makes it a stranger's."""

    provider: str
    channel: Channel
    path: str
    key: str
    other_key: str | list[str]

    @property
    def sender(self) -> str:
        return PHONE if self.channel == Channel.SMS else MAIL


WAYS = [
    Way("twilio", Channel.SMS, "/webhooks/twilio/inbound/", "TWILIO_AUTH_TOKEN", "another"),
    Way("telnyx", Channel.SMS, "/webhooks/telnyx/inbound/", "TELNYX_PUBLIC_KEY", "A" * 43 + "="),
    Way("postmark", Channel.EMAIL, "/webhooks/mail/inbound/", "MAIL_WEBHOOK_SECRETS", ["clinic:x"]),
]
TEXTS = [way for way in WAYS if way.channel == Channel.SMS]


def name(way: Way) -> str:
    return way.provider


@pytest.fixture
def provider(settings: Settings, live_server: LiveServer) -> Iterator[StandIn]:
    with StandIn() as stand_in:
        settings.PUBLIC_URL = live_server.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT_SID, AUTH_TOKEN
        settings.TELNYX_PUBLIC_KEY = stand_in.telnyx_public_key
        settings.TELNYX_MESSAGING_PROFILE_ID = TELNYX_PROFILE_ID
        settings.MAIL_PROVIDER, settings.MAIL_WEBHOOK_SECRETS = "postmark", [SECRET]
        cache.clear()
        yield stand_in


Write = Callable[..., int]


@pytest.fixture
def write(provider: StandIn, site: Site, live_server: LiveServer) -> Write:
    """Elena writes to the site by one of the ways; the status of our answer to its provider."""

    def send(way: Way, text: str, **told: str) -> int:
        ours = site.sms_number if way.channel == Channel.SMS else site.reply_to
        url = live_server.url + way.path
        if way.channel == Channel.EMAIL:
            url = url.replace("://", f"://{SECRET}@")
        told = {"sender": way.sender, "to": ours, "url": url, **told}
        return provider.reply(text, provider=way.provider, **told)

    return send


@pytest.mark.parametrize("way", WAYS, ids=name)
def test_a_reply_is_taken_in_once_however_often_it_is_reported_and_not_logged(
    way: Way, write: Write, patient: Patient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words = "do you sell the blue cream?"

    assert {write(way, words, sid="a" * 32) for _ in range(3)} == {204}

    stored = InboundMessage.objects.select_related("conversation").get()
    assert stored.text == words
    assert stored.conversation.patient == patient
    assert (stored.conversation.channel, stored.conversation.address) == (way.channel, way.sender)
    assert write(way, words) == 204
    assert InboundMessage.objects.count() == 2
    for secret in (words, way.sender):
        assert secret not in caplog.text


@pytest.mark.parametrize("way", WAYS, ids=name)
def test_a_stop_closes_the_number_or_address_and_is_answered(
    way: Way, write: Write, patient: Patient
) -> None:
    assert write(way, "STOP") == 204

    closed = Suppression.objects.get()
    assert (closed.channel, closed.address) == (way.channel, way.sender)
    assert said() == ["optout_ack"]


@pytest.mark.parametrize("way", TEXTS, ids=name)
def test_a_stop_that_the_provider_dealt_with_is_not_answered_again(
    way: Way, write: Write, patient: Patient
) -> None:
    assert write(way, "no more of these", opt_out_type="STOP") == 204

    assert Suppression.objects.get().source == "provider"
    assert said() == []


@pytest.mark.parametrize("word", ["START", "HELP"])
@pytest.mark.parametrize("way", TEXTS, ids=name)
def test_what_the_provider_has_answered_is_not_answered_again(
    way: Way, write: Write, patient: Patient, word: str
) -> None:
    assert write(way, "STOP", opt_out_type="STOP") == 204
    assert write(way, word, opt_out_type=word) == 204

    assert Suppression.objects.filter(lifted_at=None).exists() == (word == "HELP")
    assert said() == []


@pytest.mark.parametrize("way", WAYS, ids=name)
def test_what_a_stranger_reports_is_refused(
    way: Way, write: Write, patient: Patient, settings: Settings
) -> None:
    setattr(settings, way.key, way.other_key)

    assert write(way, "STOP") == 403

    assert not InboundMessage.objects.exists()
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("way", WAYS, ids=name)
def test_what_was_written_to_nobody_of_ours_is_not_kept(
    way: Way, write: Write, patient: Patient
) -> None:
    elsewhere = "+19995550000" if way.channel == Channel.SMS else "desk@elsewhere.example"

    assert write(way, "hello", to=elsewhere) == 204

    assert not InboundMessage.objects.exists()
