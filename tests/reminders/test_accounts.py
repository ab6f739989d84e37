from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from reminders.catalogue import MessageState
from reminders.channels.base import Outcome, Submission
from reminders.ledger import accounts
from reminders.ledger.accounts import Caller
from reminders.models import CallsUnderWay, Message, ProviderAccount
from reminders.sending import dispatch
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, a_visit, queued

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def account(now: datetime, **limits: float) -> ProviderAccount:
    return ProviderAccount.objects.create(
        channel="sms", provider="recorder", filled_at=now, **limits
    )


def queue(number: int, site: Site, by: Staff, protocol: ProtocolVersion, now: datetime) -> None:
    for each in range(number):
        patient = a_patient(site, by, now, phone=f"+1212555030{each}")
        queued(a_visit(patient, site, protocol, now=now), now=now)


@pytest.mark.parametrize("limits", [{"rate": 0}, {"most_at_once": 0}, {"burst": 0}])
def test_a_limit_lets_something_through(now: datetime, limits: dict[str, int]) -> None:
    with pytest.raises(IntegrityError, match="provider_account_limits_let_something_through"):
        account(now, **limits)


def test_a_provider_has_one_account(now: datetime) -> None:
    account(now)
    with pytest.raises(IntegrityError, match="provider_account_once"):
        account(now)


def test_what_the_rate_does_not_allow_stays_due_and_goes_when_it_does(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    queue(5, site, front_desk, protocol, now)
    account(now, rate=1, burst=2, tokens=2)
    channel = Recorder()
    sent = []
    for after in range(4):
        dispatch.send_due(now=now + after * SECOND, channel=channel)
        sent.append(len(channel.sent))
    assert sent == [2, 3, 4, 5]
    assert len({each.reference for each in channel.sent}) == 5


def test_all_processes_share_what_an_account_takes_at_once(now: datetime) -> None:
    account(now, most_at_once=5)
    first, second = uuid4(), uuid4()

    def debit(process: object, at: datetime) -> int:
        assert process in (first, second)
        caller = Caller(first if process == first else second, {})
        return accounts.debit("sms", "recorder", 4, caller=caller, now=at, until=at + 60 * SECOND)

    assert [debit(first, now), debit(second, now)] == [4, 1]
    assert debit(second, now + 61 * SECOND) == 4  # the first has died with its calls
    accounts.end(second)
    assert debit(first, now + 62 * SECOND) == 4


def test_a_busy_provider_is_not_asked_for_the_other_messages_either(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    queue(3, site, front_desk, protocol, now)
    busy = Submission(outcome=Outcome.NOT_SENT, code="20429", retry_after_seconds=300)
    channel = Recorder(busy)
    dispatch.send_due(now=now, window=1, channel=channel)
    assert not dispatch.send_due(now=now + 290 * SECOND, channel=channel)
    assert len(channel.sent) == 1
    states = set(Message.objects.values_list("state", "attempts_made"))
    assert states == {(MessageState.SCHEDULED, 0), (MessageState.SCHEDULED, 1)}
    channel.answer = Submission(outcome=Outcome.ACCEPTED)
    dispatch.send_due(now=now + 310 * SECOND, channel=channel)
    assert Message.objects.filter(state=MessageState.ACCEPTED).count() >= 2


def test_a_provider_that_cannot_be_reached_costs_one_try_and_not_everybodys(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    queue(9, site, front_desk, protocol, now)
    channel = Recorder(Submission(outcome=Outcome.NOT_SENT, code="no-connection"))
    for _ in range(9):
        dispatch.send_due(now=now, window=1, channel=channel)
    assert len(channel.sent) == 5
    dispatch.send_due(now=now + 31 * SECOND, channel=channel)
    assert len(channel.sent) == 6  # one goes ahead


def test_a_drain_leaves_nothing_under_way(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now)
    account(now, most_at_once=1)
    dispatch.drain(clock=lambda: now, seconds=30, channel=Recorder())
    assert not CallsUnderWay.objects.exists()
    assert Message.objects.get().state == MessageState.ACCEPTED
