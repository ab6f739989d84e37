"""What is Telnyx's alone."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reminders.channels.base import Found, Outcome, Outgoing, Unanswered
from reminders.channels.telnyx import TelnyxChannel, error_code
from reminders.stand_in import TELNYX_API_KEY, StandIn


@pytest.fixture
def channel(provider: StandIn) -> Iterator[TelnyxChannel]:
    opened = TelnyxChannel(
        api_key=TELNYX_API_KEY, public_url="http://127.0.0.1:1", base_url=provider.http_url
    )
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("40301", Outcome.REFUSED),
        ("40399", Outcome.REFUSED),
        ("40305", Outcome.NOT_SENT),
        ("40318", Outcome.NOT_SENT),
    ],
)
def test_a_refusal_is_judged_by_its_code(
    provider: StandIn, channel: TelnyxChannel, text: Outgoing, mode: str, outcome: Outcome
) -> None:
    provider.mode(mode)

    submission = channel.submit(text)

    assert (submission.outcome, submission.code) == (outcome, f"telnyx-{mode}")


def test_a_block_is_an_opt_out_only_where_it_says_so() -> None:
    stopped = {"code": "40300", "title": "Blocked due to STOP message"}
    sender = {"code": "40300", "title": "The from number is not assigned to a profile"}

    assert error_code(stopped) == "telnyx-40300"
    assert error_code(sender) == "telnyx-40300-sender"


def test_a_text_is_found_by_our_reference_among_others_of_the_same_words(
    provider: StandIn, channel: TelnyxChannel, text: Outgoing
) -> None:
    called_at = datetime.now(UTC)
    for number in range(3):
        reference = f"{number}f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70"
        channel.submit(dataclasses.replace(text, reference=reference))

    found = channel.look_up(
        Unanswered(
            reference="1f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70",
            to=text.to,
            sender=text.sender,
            text=text.text,
            hidden="…",
            called_at=called_at,
        )
    )

    assert found == Found((provider.texts[1].sid,), is_by_reference=True)
