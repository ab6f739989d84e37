"""Replies as a provider reports them, and questions as the ledger asked them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.inbound import receiving
from reminders.models import InboundMessage, Message, SentContent
from tests.reminders.ledger import a_visit, queued

PHONE = "+12125550123"
Reply = Callable[..., InboundMessage | None]
_ids = count(1)


@pytest.fixture
def reply(site: Site, now: datetime) -> Reply:
    """Takes in a text to the site: `reply("STOP", at=…, by="+1…", provider_id=…)`."""

    def take_in(
        text: str,
        *,
        at: datetime = now,
        by: str = PHONE,
        provider_id: str = "",
        answered_as: str = "",
        channel: Channel = Channel.SMS,
        to: str = "",
    ) -> InboundMessage | None:
        return receiving.receive(
            channel=channel,
            provider="twilio",
            provider_id=provider_id or f"SM{next(_ids)}",
            from_address=by,
            to_address=to or (site.sms_number if channel == Channel.SMS else site.reply_to),
            text=text,
            answered_as=answered_as,
            received_at=at,
            now=at,
        )

    return take_in


@pytest.fixture
def visit(patient: Patient, site: Site, protocol: ProtocolVersion, now: datetime) -> Appointment:
    return a_visit(patient, site, protocol, now=now, starts_at=now + timedelta(days=3))


def asked(
    visit: Appointment,
    *,
    now: datetime,
    kind: Kind = Kind.REMINDER_CONFIRM,
    address: str = PHONE,
    channel: Channel = Channel.SMS,
) -> Message:
    """The question of `kind` about a visit, delivered to an address."""
    message = queued(visit, now=now, kind=kind, channel=channel)
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.DELIVERED, wake_at=None, accepted_at=now
    )
    SentContent.objects.create(message=message, address=address, text="…", at=now)
    return message


@pytest.fixture
def question(visit: Appointment, now: datetime) -> Message:
    """Elena was asked whether her visit suits her."""
    return asked(visit, now=now)


def said(**lookups: object) -> list[str]:
    """The kinds of what was put into the ledger at once."""
    found = Message.objects.filter(purpose="system", **lookups).order_by("id")
    return list(found.values_list("kind", flat=True))
