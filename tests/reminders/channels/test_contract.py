"""What every text channel keeps to, in real HTTP conversations with the stand-in.

A channel is one line of `CHANNELS`.
"""

import dataclasses
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from reminders.channels.base import Absent, Channel, Found, NoAnswer, Outcome, Outgoing, Unanswered
from reminders.channels.telnyx import TelnyxChannel
from reminders.channels.twilio import TwilioChannel
from reminders.stand_in import ACCOUNT_SID, AUTH_TOKEN, TELNYX_API_KEY, StandIn

HERE = "http://127.0.0.1:1"


def twilio(base_url: str, key: str = AUTH_TOKEN) -> Channel:
    return TwilioChannel(
        account_sid=ACCOUNT_SID, auth_token=key, public_url=HERE, base_url=base_url
    )


def telnyx(base_url: str, key: str = TELNYX_API_KEY) -> Channel:
    return TelnyxChannel(api_key=key, public_url=HERE, base_url=base_url)


@dataclass(frozen=True)
class Contract:
    """A channel at an address, with a key of its own or another, and its provider's codes."""

    open: Callable[..., Channel]
    busy: str
    stopped: str
    not_a_number: str
    credentials: str


CHANNELS = [
    Contract(twilio, "20429", "21610", "21211", "20003"),
    Contract(telnyx, "telnyx-10011", "telnyx-40300", "telnyx-40310", "telnyx-10009"),
]


@pytest.fixture(params=CHANNELS, ids=lambda contract: contract.open.__name__)
def contract(request: pytest.FixtureRequest) -> Contract:
    found: Contract = request.param
    return found


@pytest.fixture
def channel(provider: StandIn, contract: Contract) -> Iterator[Channel]:
    opened = contract.open(provider.http_url)
    yield opened
    opened.close()


def unanswered(text: Outgoing, **other: object) -> Unanswered:
    asked = Unanswered(
        reference=text.reference,
        to=text.to,
        sender=text.sender,
        text=text.text,
        hidden="…",
        called_at=datetime.now(UTC),
    )
    return dataclasses.replace(asked, **other)  # type: ignore[arg-type]


def test_an_accepted_text_arrives_as_it_was_given(
    provider: StandIn, channel: Channel, text: Outgoing
) -> None:
    submission = channel.submit(text)

    [arrived] = provider.texts
    assert submission.outcome is Outcome.ACCEPTED
    assert (submission.provider_id, channel.provider) == (arrived.sid, arrived.provider)
    assert (arrived.to, arrived.sender, arrived.text) == (text.to, text.sender, text.text)
    assert arrived.status_callback == (
        f"{HERE}/webhooks/{channel.provider}/status/{text.reference}/"
    )


@pytest.mark.parametrize(
    ("mode", "outcome", "code", "taken"),
    [
        ("500", Outcome.UNKNOWN, "http-500", 0),
        ("500_after_accept", Outcome.UNKNOWN, "http-500", 1),
        ("drop_before_accept", Outcome.UNKNOWN, "dropped", 0),
        ("drop_after_accept", Outcome.UNKNOWN, "dropped", 1),
        ("garbage", Outcome.UNKNOWN, "garbled", 1),
        ("30003", Outcome.ACCEPTED, "", 1),
    ],
)
def test_each_answer_is_judged_by_what_it_proves(
    provider: StandIn,
    channel: Channel,
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


@pytest.mark.parametrize(("mode", "seconds"), [("429", {1}), ("429_date", {58, 59, 60})])
def test_a_busy_provider_took_nothing_and_says_when_to_come_back(
    provider: StandIn,
    channel: Channel,
    contract: Contract,
    text: Outgoing,
    mode: str,
    seconds: set[int],
) -> None:
    provider.mode(mode)

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, contract.busy)
    assert submission.retry_after_seconds in seconds
    assert provider.texts == []


def test_a_number_that_said_stop_is_refused_with_the_providers_code(
    provider: StandIn, channel: Channel, contract: Contract, text: Outgoing
) -> None:
    provider.mode("21610")

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (Outcome.REFUSED, contract.stopped)


def test_a_wrong_number_is_refused_with_the_providers_code(
    channel: Channel, contract: Contract, text: Outgoing
) -> None:
    submission = channel.submit(dataclasses.replace(text, to="07700"))

    assert (submission.outcome, submission.code) == (Outcome.REFUSED, contract.not_a_number)


def test_wrong_credentials_lose_no_text(
    provider: StandIn, contract: Contract, text: Outgoing
) -> None:
    channel = contract.open(provider.http_url, "wrong")

    submission = channel.submit(text)
    looked_up = channel.look_up(unanswered(text))
    channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, contract.credentials)
    assert submission.retry_after_seconds == 300
    assert looked_up == NoAnswer()


def test_the_next_text_leaves_after_a_broken_connection(
    provider: StandIn, channel: Channel, text: Outgoing
) -> None:
    provider.mode("drop_before_accept")
    channel.submit(text)

    assert channel.submit(text).outcome is Outcome.ACCEPTED


def test_a_connection_that_was_never_made_sent_nothing(contract: Contract, text: Outgoing) -> None:
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        channel = contract.open(f"http://127.0.0.1:{unheard.getsockname()[1]}")
        submission, looked_up = channel.submit(text), channel.look_up(unanswered(text))
        channel.close()

    assert (submission.outcome, submission.code) == (Outcome.NOT_SENT, "no-connection")
    assert looked_up == NoAnswer()


def test_silence_after_the_call_is_unknown(
    provider: StandIn, channel: Channel, text: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.channels.wire.READ_SECONDS", 0.2)
    provider.mode("slow", ms=5000)

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (Outcome.UNKNOWN, "timeout")
    assert len(provider.texts) == 1


def test_one_channel_serves_many_threads(
    provider: StandIn, channel: Channel, text: Outgoing
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
    provider: StandIn, contract: Contract, text: Outgoing, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        channel = contract.open(provider.http_url)
        provider.mode("21610")
        channel.submit(text)
        channel.submit(text)
        channel.look_up(unanswered(text))
        channel.close()

    assert text.to[1:] not in caplog.text
    assert "Lumen" not in caplog.text


# --- What became of a call without an answer ------------------------------------------------------


def test_a_text_that_was_taken_without_an_answer_is_found(
    provider: StandIn, channel: Channel, text: Outgoing
) -> None:
    asked = unanswered(text)
    provider.mode("drop_after_accept")
    channel.submit(text)

    found = channel.look_up(asked)

    assert isinstance(found, Found)
    assert found.provider_ids == (provider.texts[0].sid,)


def test_a_text_that_never_arrived_is_absent(
    provider: StandIn, channel: Channel, text: Outgoing
) -> None:
    asked = unanswered(text)
    provider.mode("drop_before_accept")
    channel.submit(text)
    other = dataclasses.replace(text, reference="0f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70", text="Else")
    channel.submit(other)

    assert channel.look_up(asked) == Absent()


def test_a_list_that_is_behind_says_absent(
    provider: StandIn, channel: Channel, text: Outgoing
) -> None:
    asked = unanswered(text)
    provider.mode("late_list", ms=60_000)
    channel.submit(text)

    assert channel.look_up(asked) == Absent()
    provider.clear_modes()
    assert isinstance(channel.look_up(asked), Found)


def test_texts_of_another_time_are_somebody_elses(
    provider: StandIn, channel: Channel, text: Outgoing
) -> None:
    channel.submit(text)
    asked = unanswered(text, called_at=datetime.now(UTC) - timedelta(days=4))

    assert channel.look_up(asked) == Absent()


def test_every_page_of_a_list_is_read(
    provider: StandIn, channel: Channel, text: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminders.channels.twilio.LISTED_AT_ONCE", 2)
    monkeypatch.setattr("reminders.channels.telnyx.PAGE_SIZE", 2)
    asked = unanswered(text)
    channel.submit(text)
    for number in range(5):
        reference = f"{number}f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70"
        channel.submit(dataclasses.replace(text, reference=reference, text=f"Number {number}"))

    found = channel.look_up(asked)

    assert isinstance(found, Found)
    assert found.provider_ids == (provider.texts[0].sid,)
