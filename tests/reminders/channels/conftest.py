from collections.abc import Iterator

import pytest

from reminders.channels.base import Outgoing
from reminders.stand_in import StandIn

REFERENCE = "6f2b1d8e-5c0a-4a59-9d0e-3a4f6c1b2d70"


@pytest.fixture
def provider() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def text() -> Outgoing:
    return Outgoing(
        message_id=7,
        reference=REFERENCE,
        to="+15550100100",
        sender="+15550100001",
        text="Lumen Clinic: your visit is on Fri 12 Mar at 10:00.",
        validity_seconds=3600,
    )


@pytest.fixture
def mail() -> Outgoing:
    return Outgoing(
        message_id=8,
        reference=REFERENCE,
        to="patient@example.org",
        sender="visits@lumen.example",
        sender_name="Lumen Clinic, Chelsea",
        reply_to="desk@lumen.example",
        subject="Your visit on Fri 12 Mar, José",
        text="Your visit is on Fri 12 Mar at 10:00.\n",
        html="<p>Your visit is on <b>Fri 12 Mar</b> at 10:00.</p>",
    )
