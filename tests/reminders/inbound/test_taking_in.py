"""A report outlives whatever keeps it from being dealt with, and is dealt with once."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from appointments.models import Appointment, Task
from clinic.models import Site
from reminders import failpoints
from reminders.catalogue import Channel, Kind
from reminders.inbound import receiving, taking_in
from reminders.ledger import receipts
from reminders.ledger.claiming import database_now
from reminders.models import HeldReport, InboundMessage, Message, Receipt, SentContent, Suppression
from reminders.models.held_report import Way
from reminders.proving import proof
from reminders.sending import tidying
from tests.processes import Spawn
from tests.reminders.inbound.conftest import PHONE, said
from tests.reminders.ledger import queued

MINUTE = timedelta(minutes=1)


def a_reply(site: Site, text: str) -> dict[str, Any]:
    return {
        "channel": Channel.SMS,
        "provider": "twilio",
        "provider_id": f"SM{uuid4().hex}",
        "from_address": PHONE,
        "to_address": site.sms_number,
        "text": text,
        "answered_as": "",
    }


def broken(*_: object, **__: object) -> Any:
    raise LookupError("a fault of ours")


@pytest.mark.django_db
def test_what_can_be_dealt_with_is_at_once_and_leaves_no_row(site: Site, now: datetime) -> None:
    report = a_reply(site, "STOP\x00")
    for _ in range(2):
        taking_in.take(Way.REPLY, report, now=now)
    assert Suppression.objects.count() == InboundMessage.objects.count() == 1
    # Cut between the halves of an emoji.
    half = a_reply(site, "It burns \ud83d") | {"provider_id": "half"}
    taking_in.take(Way.REPLY, half, now=now)
    assert InboundMessage.objects.get(provider_id="half").text == "It burns \ufffd"
    assert not HeldReport.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("visit")
def test_a_stop_outlives_a_fault_of_ours_and_is_answered_only_while_that_is_of_use(
    site: Site, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as fault:
        fault.setattr(receiving, "read", broken)
        taking_in.take(Way.REPLY, a_reply(site, "STOP"), now=now)
        tidying.tidy(now=now + MINUTE)
    assert not InboundMessage.objects.exists()
    held = HeldReport.objects.get()
    assert (held.tries, held.fault) == (2, "LookupError")
    tidying.tidy(now=now + 2 * MINUTE)  # it is not its turn
    assert HeldReport.objects.exists()
    tidying.tidy(now=now + 6 * MINUTE)
    assert Suppression.objects.get(address=PHONE).lifted_at is None
    assert InboundMessage.objects.get().received_at == now
    assert said(kind=Kind.OPTOUT_ACK) == []
    assert not HeldReport.objects.exists()


@pytest.mark.django_db
def test_staff_are_told_once_of_a_reply_that_fails_again_and_again_and_the_proof_names_it(
    site: Site, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "read", broken)
    taking_in.take(Way.REPLY, a_reply(site, "I cannot breathe"), now=now)
    at = now
    for tries in range(2, 9):
        at = HeldReport.objects.get().next_at
        taking_in.work(now=at)
        assert HeldReport.objects.get().tries == tries
        assert Task.objects.filter(title="A reply cannot be read").count() == (tries >= 3)
    assert HeldReport.objects.get().next_at - at == taking_in.LONGEST_PAUSE
    named: Mapping[str, tuple[str, ...]] = {
        check.name: found.named for check, found in proof.prove(now=at) if found.faults
    }
    assert [each.split(" (")[1] for each in named["held"]] == ["LookupError)"]


@pytest.mark.django_db
def test_what_names_another_recipient_is_refused_and_not_kept(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    SentContent.objects.create(message=message, address=PHONE, text="…", at=now)
    report = {
        "provider": "twilio",
        "reference": str(message.reference),
        "event_key": "1",
        "status": "delivered",
        "code": "",
    }
    with pytest.raises(receipts.Misdirected):
        taking_in.take(Way.RECEIPT, {**report, "to": "+12125550111"}, now=now)
    assert not HeldReport.objects.exists() and not Receipt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reply_outlives_the_process_that_took_it_in(site: Site, spawn: Spawn) -> None:
    program = (
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from reminders.inbound import taking_in\n"
        f"taking_in.take('reply', {json.dumps(a_reply(site, 'ALTO'))}, now=timezone.now())"
    )
    process = spawn("-c", program, env={"AFTERGLOW_FAILPOINT": failpoints.AFTER_TAKING_IN})
    assert process.wait(30) == -9
    assert HeldReport.objects.get().tries == 0
    assert not Suppression.objects.exists() and not Message.objects.exists()
    taking_in.work(now=database_now() + MINUTE)
    assert Suppression.objects.get(address=PHONE).reason == "opted_out"
    assert said(kind=Kind.OPTOUT_ACK) == [Kind.OPTOUT_ACK]
    assert abs(InboundMessage.objects.get().received_at - timezone.now()) < MINUTE
