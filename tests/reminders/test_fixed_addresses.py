"""Messages that go to a fixed address, with or without a patient."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.test import Client

from appointments.models import Appointment, Task
from clinic.models import Site, Staff
from reminders import gate
from reminders.catalogue import Channel, Kind, MessageState, Purpose
from reminders.channels.base import Outcome, Outgoing, Submission
from reminders.journeys import recipients
from reminders.ledger import receipts, retrying, skipping
from reminders.ledger.claiming import Due
from reminders.ledger.marking import Words
from reminders.ledger.skipping import SkipRefused
from reminders.models import Attempt, Message, SentContent, Suppression
from reminders.sending import dispatch
from reminders.sending.taking import Ready
from tests.reminders.ledger import ACCEPTED, Recorder, queued

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
NUMBER = "+12125550188"


def to_nobody(site: Site, *, now: datetime) -> Message:
    """A due message to a number that no patient has, of a site that is planned."""
    message = Message.objects.create(
        key=f"said:{uuid4().hex}",
        reference=uuid4(),
        to_address=NUMBER,
        site=site,
        kind=Kind.HELP_REPLY,
        channel=Channel.SMS,
        purpose=Purpose.SYSTEM,
        priority=0,
        due_at=now,
        wake_at=now,
        expires_at=now + timedelta(minutes=30),
        created_at=now,
    )
    Site.objects.filter(pk=site.pk).update(planned_revision=site.revision)
    return message


def write(
    due: Sequence[Due], known: Mapping[int, gate.Recipient], now: datetime
) -> dict[int, Ready]:
    return {
        each.pk: Ready(
            Outgoing(message_id=each.pk, reference="1", to=NUMBER, sender="1", text="Help"),
            Words(message_id=each.pk, address=NUMBER, text="Help"),
        )
        for each in due
    }


def send(message: Message, answer: Submission, *, now: datetime) -> None:
    channel = Recorder(answer)
    dispatch.send_due(now=now, channel=channel, write=write)
    assert len(channel.sent) == 1
    message.refresh_from_db()


def test_a_message_needs_a_patient_or_an_address(site: Site, now: datetime) -> None:
    message = to_nobody(site, now=now)
    message.to_address = ""
    with pytest.raises(IntegrityError, match="message_has_recipient"):
        message.save()


def test_a_message_to_nobodys_number_is_claimed_marked_and_accepted(
    site: Site, now: datetime
) -> None:
    message = to_nobody(site, now=now)
    send(message, ACCEPTED, now=now)
    assert message.state == MessageState.ACCEPTED
    assert Attempt.objects.get().outcome == "accepted"
    assert SentContent.objects.get().address == NUMBER


def test_it_waits_while_its_site_is_to_be_planned(site: Site, now: datetime) -> None:
    to_nobody(site, now=now)
    Site.objects.filter(pk=site.pk).update(revision=7)
    assert not dispatch.send_due(now=now, channel=Recorder())


def test_it_is_put_off_when_the_provider_is_away_and_fails_when_refused(
    site: Site, now: datetime
) -> None:
    message = to_nobody(site, now=now)
    send(message, Submission(outcome=Outcome.NOT_SENT, code="20429"), now=now)
    assert message.state == MessageState.SCHEDULED
    assert message.wake_at is not None
    later = message.wake_at + MINUTE  # when its provider's account has rested too
    send(message, Submission(outcome=Outcome.REFUSED, code="21614"), now=later)
    assert message.state == MessageState.FAILED
    assert Suppression.objects.get().address == NUMBER
    assert not Task.objects.exists()


def test_the_mark_of_a_dead_worker_becomes_unknown(site: Site, now: datetime) -> None:
    message = to_nobody(site, now=now)
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.SUBMITTING, claim_token=uuid4(), claimed_at=now, leased_until=now
    )
    dispatch.tidy(now=now + MINUTE)
    message.refresh_from_db()
    assert message.state == MessageState.UNKNOWN


def test_it_is_not_sent_to_an_address_that_is_closed(site: Site, now: datetime) -> None:
    message = to_nobody(site, now=now)
    Suppression.objects.create(channel="sms", address=NUMBER, reason="opted_out", since=now)
    assert dispatch.send_due(now=now, channel=Recorder()) == {"claimed": 1, "skipped": 1}
    message.refresh_from_db()
    assert message.state == MessageState.SKIPPED
    assert not Task.objects.exists()


def test_its_delivery_is_reported(site: Site, now: datetime) -> None:
    message = to_nobody(site, now=now)
    send(message, ACCEPTED, now=now)
    for status in ("sent", "delivered", "failed"):
        receipts.record(
            provider="twilio",
            reference=message.reference,
            event_key=f"SM1:{status}:",
            status=status,
            code="",
            now=now,
        )
    message.refresh_from_db()
    assert message.state == MessageState.DELIVERED


def test_a_failure_reported_before_it_went_again_is_not_planned(site: Site, now: datetime) -> None:
    message = to_nobody(site, now=now)
    send(message, ACCEPTED, now=now)
    assert receipts.record(
        provider="twilio",
        reference=message.reference,
        event_key="SM1:failed:",
        status="failed",
        code="30008",
        now=now,
    )
    message.refresh_from_db()
    assert message.state == MessageState.FAILED


def test_staff_may_send_it_again_but_not_skip_it(
    site: Site, front_desk: Staff, now: datetime
) -> None:
    message = to_nobody(site, now=now)
    with pytest.raises(SkipRefused):
        skipping.skip(message=message, by=front_desk, now=now)
    send(message, Submission(outcome=Outcome.REFUSED, code="30008"), now=now)
    again = retrying.retry(message=message, by=front_desk, now=now)
    assert again.state == MessageState.SCHEDULED
    send(message, ACCEPTED, now=now)
    assert message.state == MessageState.ACCEPTED


def test_a_fixed_address_wins_over_the_patients_own_and_is_asked_for_suppression(
    visit: Appointment, site: Site, now: datetime
) -> None:
    fixed = queued(visit, now=now)
    fixed.to_address = NUMBER
    Suppression.objects.create(channel="sms", address=NUMBER, reason="opted_out", since=now)
    nobodys = to_nobody(site, now=now)
    known = recipients.of([fixed, nobodys])
    assert [each.address for each in known.values()] == [NUMBER, NUMBER]
    assert {each.suppressed for each in known.values()} == {"opted_out"}
    assert known[fixed.pk].consents
    assert not known[nobodys.pk].consents
    assert known[nobodys.pk].zones == (site.zone,)


def test_it_is_seen_by_the_staff_of_its_site_and_by_nobody_else(
    site: Site, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    message = to_nobody(site, now=now)
    assert list(Message.objects.seen_by(front_desk)) == [message]
    assert not Message.objects.seen_by(outsider).exists()
    client = Client()
    client.force_login(front_desk)
    assert NUMBER in client.get("/messages/").text
    assert client.get(f"/messages/{message.pk}/").status_code == 200
