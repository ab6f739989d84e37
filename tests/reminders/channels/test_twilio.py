"""Texts, in a real HTTP conversation with the stand-in."""

import dataclasses
import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from reminders.channels.base import Outcome, Outgoing
from reminders.channels.twilio import TwilioChannel
from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, StandIn


def open_channel(base_url: str, *, auth_token: str = AUTH_TOKEN) -> TwilioChannel:
    return TwilioChannel(
        account_sid=ACCOUNT_SID,
        auth_token=auth_token,
        public_url="http://127.0.0.1:1",
        base_url=base_url,
    )


@pytest.fixture
def channel(provider: StandIn) -> Iterator[TwilioChannel]:
    opened = open_channel(provider.http_url)
    yield opened
    opened.close()


def test_an_accepted_text_arrives_as_it_was_given(
    provider: StandIn, channel: TwilioChannel, text: Outgoing
) -> None:
    submission = channel.submit(text)

    [arrived] = provider.texts
    assert submission.outcome is Outcome.ACCEPTED
    assert submission.provider_id == arrived.sid
    assert (arrived.to, arrived.sender, arrived.text) == (
        text.to,
        text.sender,
        text.text,
    )
    assert arrived.validity_seconds == 3600
    assert arrived.status_callback == (
        f"http://127.0.0.1:1/webhooks/twilio/status/{text.reference}/"
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
    submission = channel.submit(dataclasses.replace(text, sender="MG" + "1" * 32))

    assert submission.outcome is Outcome.ACCEPTED
    assert provider.texts[0].sender == "MG" + "1" * 32


@pytest.mark.parametrize(
    ("mode", "outcome", "code", "taken"),
    [
        ("429", Outcome.NOT_SENT, "20429", 0),
        ("500", Outcome.UNKNOWN, "http-500", 0),
        ("500_after_accept", Outcome.UNKNOWN, "http-500", 1),
        ("drop_before_accept", Outcome.UNKNOWN, "dropped", 0),
        ("drop_after_accept", Outcome.UNKNOWN, "dropped", 1),
        ("garbage", Outcome.UNKNOWN, "garbled", 1),
        ("21610", Outcome.REFUSED, "21610", 0),
        ("21614", Outcome.REFUSED, "21614", 0),
        ("21635", Outcome.REFUSED, "21635", 0),
        ("21999", Outcome.REFUSED, "21999", 0),
        ("21606", Outcome.NOT_SENT, "21606", 0),
        ("30003", Outcome.ACCEPTED, "", 1),
    ],
)
def test_each_answer_is_judged_by_what_it_proves(
    provider: StandIn,
    channel: TwilioChannel,
    text: Outgoing,
    mode: str,
    outcome: Outcome,
    code: str,
    taken: int,
) -> None:
    provider.mode(mode)

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (outcome, code)
    assert len(provider.texts) == taken


def test_a_busy_provider_says_when_to_come_back(
    provider: StandIn, channel: TwilioChannel, text: Outgoing
) -> None:
    provider.mode("429")

    assert channel.submit(text).retry_after_seconds == 1


def test_the_next_text_leaves_after_a_broken_connection(
    provider: StandIn, channel: TwilioChannel, text: Outgoing
) -> None:
    provider.mode("drop_before_accept")
    channel.submit(text)

    assert channel.submit(text).outcome is Outcome.ACCEPTED


def test_a_wrong_number_is_refused_with_its_code(channel: TwilioChannel, text: Outgoing) -> None:
    submission = channel.submit(dataclasses.replace(text, to="07700"))

    assert (submission.outcome, submission.code) == (Outcome.REFUSED, "21211")


def test_wrong_credentials_lose_no_text(provider: StandIn, text: Outgoing) -> None:
    channel = open_channel(provider.http_url, auth_token="wrong")

    submission = channel.submit(text)
    channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "20003")
    assert submission.retry_after_seconds == 300


def test_a_connection_that_was_never_made_sent_nothing(text: Outgoing) -> None:
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        channel = open_channel(f"http://127.0.0.1:{unheard.getsockname()[1]}")
        submission = channel.submit(text)
        channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-connection")


def test_a_name_that_cannot_be_found_sent_nothing(text: Outgoing) -> None:
    channel = open_channel("http://nowhere.invalid")
    submission = channel.submit(text)
    channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-connection")


def test_silence_after_the_call_is_unknown(
    provider: StandIn,
    channel: TwilioChannel,
    text: Outgoing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reminders.channels.twilio.READ_SECONDS", 0.2)
    provider.mode("slow", ms=5000)

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (Outcome.UNKNOWN, "timeout")
    assert len(provider.texts) == 1


def test_one_channel_serves_many_threads(
    provider: StandIn, channel: TwilioChannel, text: Outgoing
) -> None:
    outcomes: list[Outcome] = []

    def send() -> None:
        for _ in range(10):
            outcomes.append(channel.submit(text).outcome)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == [Outcome.ACCEPTED] * 80
    assert len({arrived.sid for arrived in provider.texts}) == 80


def test_nothing_of_a_text_reaches_the_log(
    provider: StandIn, text: Outgoing, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        channel = open_channel(provider.http_url)
        provider.mode("21610")
        channel.submit(text)
        channel.submit(text)
        channel.close()

    logged = caplog.text
    assert text.to[1:] not in logged
    assert "Lumen" not in logged
