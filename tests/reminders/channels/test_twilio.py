"""What is Twilio's alone, in a real HTTP conversation with the stand-in."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reminders.channels.base import Absent, Found, Outcome, Outgoing, Unanswered
from reminders.channels.twilio import TwilioChannel
from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, StandIn

SERVICE = "MG" + "1" * 32


def open_channel(base_url: str) -> TwilioChannel:
    return TwilioChannel(
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        public_url="http://127.0.0.1:1",
        base_url=base_url,
    )


@pytest.fixture
def channel(provider: StandIn) -> Iterator[TwilioChannel]:
    opened = open_channel(provider.http_url)
    yield opened
    opened.close()


def asked_for(text: Outgoing) -> Unanswered:
    return Unanswered(
        reference=text.reference,
        to=text.to,
        sender=text.sender,
        text=text.text,
        hidden="…",
        called_at=datetime.now(UTC),
    )


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (90_000, 36_000), (None, None)])
def test_validity_stays_within_what_twilio_takes(
    provider: StandIn,
    channel: TwilioChannel,
    text: Outgoing,
    asked: int | None,
    given: int | None,
) -> None:
    channel.submit(dataclasses.replace(text, validity_seconds=asked))

    assert provider.texts[0].validity_seconds == given


def test_a_messaging_service_can_be_the_sender(
    provider: StandIn, channel: TwilioChannel, text: Outgoing
) -> None:
    submission = channel.submit(dataclasses.replace(text, sender=SERVICE))

    assert submission.outcome is Outcome.ACCEPTED
    assert provider.texts[0].sender == SERVICE


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("21614", Outcome.REFUSED),
        ("21635", Outcome.REFUSED),
        ("21999", Outcome.REFUSED),
        ("21606", Outcome.NOT_SENT),
    ],
)
def test_a_refusal_is_judged_by_its_code(
    provider: StandIn, channel: TwilioChannel, text: Outgoing, mode: str, outcome: Outcome
) -> None:
    provider.mode(mode)

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (outcome, mode)


def test_a_name_that_cannot_be_found_sent_nothing(text: Outgoing) -> None:
    channel = open_channel("http://nowhere.invalid")
    submission = channel.submit(text)
    channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-connection")


def test_a_text_of_a_messaging_service_is_found_by_the_service(
    channel: TwilioChannel, text: Outgoing
) -> None:
    of_service = dataclasses.replace(text, sender=SERVICE)
    channel.submit(of_service)

    assert isinstance(channel.look_up(asked_for(of_service)), Found)
    assert channel.look_up(asked_for(text)) == Absent()


def test_two_texts_of_the_same_words_are_two_candidates(
    channel: TwilioChannel, text: Outgoing
) -> None:
    asked = asked_for(text)
    channel.submit(text)
    channel.submit(text)

    found = channel.look_up(asked)

    assert isinstance(found, Found)
    assert len(found.provider_ids) == 2
    assert not found.is_by_reference


def test_words_match_but_for_the_token_of_the_link(channel: TwilioChannel, text: Outgoing) -> None:
    linked = dataclasses.replace(text, text="Details: https://lumen.example/p/A_b-9/ Thanks")
    channel.submit(linked)
    kept = dataclasses.replace(linked, text="Details: https://lumen.example/p/…/ Thanks")
    other = dataclasses.replace(linked, text="Details: https://lumen.example/q/…/ Thanks")

    assert isinstance(channel.look_up(asked_for(kept)), Found)
    assert channel.look_up(asked_for(other)) == Absent()
