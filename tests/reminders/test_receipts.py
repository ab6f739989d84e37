from datetime import datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from appointments.models import Appointment, Task
from patients.models import Patient
from reminders.catalogue import Channel, MessageState
from reminders.channels.base import Outcome, Outgoing, Submission
from reminders.journeys import replanning
from reminders.ledger import receipts
from reminders.models import Message, ProviderAccount, Receipt, Suppression
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, planned, queued

pytestmark = pytest.mark.django_db

UNKNOWN = Submission(outcome=Outcome.UNKNOWN, code="dropped")
SECOND = Submission(outcome=Outcome.ACCEPTED, provider_id="SM2")


@pytest.fixture
def sent(visit: Appointment, now: datetime) -> Message:
    message = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder())
    return message


def report(
    message: Message, status: str, now: datetime, *, code: str = "", sid: str = "SM1"
) -> bool:
    return receipts.record(
        provider="twilio",
        reference=message.reference,
        event_key=f"{sid}:{status}:{code}",
        status=status,
        code=code,
        provider_id=sid,
        now=now,
    )


def again(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def test_a_delivery_is_stored_with_its_time(sent: Message, now: datetime) -> None:
    at = now + timedelta(seconds=9)
    assert report(sent, "delivered", at)
    assert again(sent).state == MessageState.DELIVERED
    assert again(sent).delivered_at == at


def test_the_same_report_twice_is_one_event(sent: Message, now: datetime) -> None:
    assert report(sent, "sent", now)
    assert not report(sent, "sent", now)
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
def test_reports_in_any_order_end_as_delivered(
    sent: Message, now: datetime, order: tuple[str, ...]
) -> None:
    for status in order:
        report(sent, status, now)
    assert again(sent).state == MessageState.DELIVERED


def test_a_report_about_no_message_of_ours_is_kept_and_moves_nothing(
    sent: Message, now: datetime
) -> None:
    moved = receipts.record(
        provider="twilio",
        reference=uuid4(),
        event_key="SM9:sent:",
        status="sent",
        code="",
        now=now,
    )
    assert not moved
    assert Receipt.objects.get().message is None


def test_a_word_that_is_not_known_is_kept_and_moves_nothing(sent: Message, now: datetime) -> None:
    assert not report(sent, "partially_delivered", now)
    assert not Receipt.objects.get().applied
    assert again(sent).state == MessageState.ACCEPTED


def test_an_unknown_outcome_is_settled_by_a_report(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder(UNKNOWN))
    report(message, "sent", now)
    stored = again(message)
    assert stored.state == MessageState.SENT
    assert stored.accepted_at == now


def test_a_report_ends_the_attempt_of_a_worker_that_died_after_its_call(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)

    def dies(outgoing: Outgoing) -> Submission:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dispatch.send_due(now=now, channel=Recorder(dies))
    receipts.record(
        provider="twilio",
        reference=message.reference,
        event_key="e",
        status="sent",
        code="",
        now=now + timedelta(seconds=9),
    )
    attempt = message.attempts.get()
    assert (attempt.outcome, attempt.ended_at) == ("accepted", now + timedelta(seconds=9))


def test_a_report_stops_a_message_that_was_about_to_be_sent_again(
    visit: Appointment, now: datetime
) -> None:
    message, channel = queued(visit, now=now), Recorder()
    report(message, "delivered", now)
    dispatch.send_due(now=now, channel=channel)
    assert not channel.sent
    assert again(message).claimed_at is not None


def withdrawn(message: Message, now: datetime) -> None:
    """As planning leaves a message that staff sent again and that was then not wanted any more."""
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.WITHDRAWN,
        reason="plan_changed",
        claimed_at=None,
        wake_at=None,
        closed_at=now,
    )
    message.items.update(live=False)


def test_a_report_about_a_withdrawn_message_makes_it_said(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    message = queued(visit, now=now)
    withdrawn(message, now)
    report(message, "delivered", now)
    assert again(message).state == MessageState.DELIVERED
    assert message.items.get().live
    assert Patient.objects.stale().filter(pk=patient.pk).exists()


def test_a_report_about_a_withdrawn_message_keeps_it_from_being_said_again(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    withdrawn(message, now)
    other = queued(visit, now=now)
    report(message, "delivered", now)
    assert message.items.get().live
    replanning.sync_stale(now=now)
    assert again(other).state == MessageState.WITHDRAWN


def test_what_another_message_has_said_meanwhile_stays_with_that(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    withdrawn(message, now)
    other = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder())
    report(message, "delivered", now)
    assert again(message).state == MessageState.DELIVERED
    assert not message.items.get().live
    assert other.items.get().live


def test_a_report_about_a_scheduled_message_has_its_patient_planned_again(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    report(queued(visit, now=now), "sent", now)
    assert Patient.objects.stale().filter(pk=patient.pk).exists()


@pytest.mark.parametrize("word", ["failed", "undelivered"])
def test_a_former_failure_does_not_stop_a_message_that_is_to_be_sent_again(
    visit: Appointment, now: datetime, word: str
) -> None:
    message = queued(visit, now=now)
    assert not report(message, word, now, code="30008")
    assert again(message).state == MessageState.SCHEDULED


def test_a_visit_whose_text_failed_after_its_move_is_planned_again(
    sent: Message, patient: Patient, now: datetime
) -> None:
    report(sent, "failed", now, code="30008")
    assert Patient.objects.stale().filter(pk=patient.pk).exists()


@pytest.fixture
def said_by_both(visit: Appointment, now: datetime) -> Message:
    """A text that was sent, whose e-mail could not be."""
    message = queued(visit, now=now)
    email = queued(visit, now=now, channel=Channel.EMAIL)
    Message.objects.filter(pk=email.pk).update(
        state=MessageState.FAILED, reason="refused", wake_at=None, closed_at=now, claimed_at=now
    )
    dispatch.send_due(now=now, channel=Recorder())
    return message


def test_an_undelivered_text_asks_staff_to_call_when_its_email_failed_too(
    said_by_both: Message, visit: Appointment, now: datetime
) -> None:
    report(said_by_both, "undelivered", now, code="30005")
    stored = again(said_by_both)
    assert (stored.state, stored.reason) == (MessageState.UNDELIVERED, "not_delivered")
    assert stored.error_code == "30005"
    task = Task.objects.get()
    assert (task.appointment, task.patient) == (visit, said_by_both.patient)
    assert task.why


def test_an_undelivered_text_asks_nobody_while_an_email_says_the_same(
    sent: Message, visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now, channel=Channel.EMAIL)
    report(sent, "undelivered", now, code="30005")
    assert not Task.objects.exists()


def test_a_phone_that_was_off_gets_one_more_try_an_hour_later(
    said_by_both: Message, patient: Patient, now: datetime
) -> None:
    report(said_by_both, "undelivered", now, code="30003")
    stored = again(said_by_both)
    assert (stored.state, stored.reason) == (MessageState.SCHEDULED, "second_try")
    assert stored.wake_at == now + timedelta(hours=1)
    assert not Task.objects.exists()
    planned(patient, stored.site)
    later = now + timedelta(hours=1)
    dispatch.send_due(now=later, channel=Recorder(SECOND))

    report(said_by_both, "undelivered", later, code="30003", sid="SM2")

    assert again(said_by_both).state == MessageState.UNDELIVERED
    assert Task.objects.count() == 1


def test_a_phone_that_was_off_gets_no_second_try_after_the_expiry(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now, expires_at=now + timedelta(minutes=50))
    dispatch.send_due(now=now, channel=Recorder())
    report(message, "undelivered", now, code="30003")
    assert again(message).state == MessageState.UNDELIVERED


def test_a_carrier_that_wants_us_slower_gets_more_tries_further_apart(
    sent: Message, now: datetime
) -> None:
    report(sent, "undelivered", now, code="30022")
    assert again(sent).wake_at == now + timedelta(minutes=5)


def test_a_failure_of_the_first_sending_says_nothing_of_the_second(
    sent: Message, patient: Patient, now: datetime
) -> None:
    report(sent, "undelivered", now, code="30003")
    planned(patient, sent.site)
    later = now + timedelta(hours=1)
    dispatch.send_due(now=later, channel=Recorder(SECOND))

    assert not report(sent, "failed", later, code="30008", sid="SM1")

    assert again(sent).state == MessageState.ACCEPTED


def test_a_phone_that_was_off_can_still_receive(sent: Message, now: datetime) -> None:
    report(sent, "undelivered", now, code="30008")
    report(sent, "delivered", now)
    stored = again(sent)
    assert (stored.state, stored.reason, stored.closed_at) == (MessageState.DELIVERED, "", None)


def test_a_text_that_the_phone_got_before_its_second_try_is_not_sent_again(
    sent: Message, patient: Patient, now: datetime
) -> None:
    report(sent, "undelivered", now, code="30003")
    report(sent, "delivered", now)
    channel = Recorder()
    planned(patient, sent.site)
    dispatch.send_due(now=now + timedelta(hours=1), channel=channel)
    assert again(sent).state == MessageState.DELIVERED
    assert not channel.sent


@pytest.mark.parametrize("code", ["30001", "30036", "telnyx-40014"])
def test_what_ran_out_of_time_at_the_provider_has_expired(
    sent: Message, now: datetime, code: str
) -> None:
    report(sent, "failed", now, code=code)
    assert (again(sent).state, again(sent).reason) == (MessageState.FAILED, "expired")


def test_a_failure_after_the_delivery_changes_nothing_and_is_flagged(
    sent: Message, now: datetime
) -> None:
    report(sent, "delivered", now)
    assert not report(sent, "failed", now, code="30008")
    assert again(sent).state == MessageState.DELIVERED
    assert [receipt.is_flagged for receipt in Receipt.objects.all()] == [False, True]
    assert not Task.objects.exists()


def test_a_report_about_another_recipient_is_refused(sent: Message, now: datetime) -> None:
    with pytest.raises(receipts.Misdirected):
        receipts.record(
            provider="twilio",
            reference=sent.reference,
            event_key="SM1:delivered:",
            status="delivered",
            code="",
            to="+12125559999",
            now=now,
        )
    assert again(sent).state == MessageState.ACCEPTED


def test_a_stop_in_a_report_suppresses_the_number(sent: Message, now: datetime) -> None:
    report(sent, "failed", now, code="21610")
    assert Suppression.objects.get().reason == "opted_out"


@pytest.mark.parametrize("code", ["30022", "telnyx-40011"])
def test_a_carrier_that_wants_fewer_stops_the_account_for_a_minute(
    sent: Message, now: datetime, code: str
) -> None:
    Message.objects.update(provider="twilio", accepted_at=now)
    report(sent, "undelivered", now, code=code)
    account = ProviderAccount.objects.get(channel="sms", provider="twilio")
    assert account.blocked_until == now + timedelta(minutes=1)


@pytest.mark.parametrize(("code", "late"), [("30003", 0), ("30022", 11)])
def test_other_failures_and_old_news_stop_nobody(
    sent: Message, now: datetime, code: str, late: int
) -> None:
    Message.objects.update(provider="twilio", accepted_at=now - timedelta(minutes=late))
    report(sent, "undelivered", now, code=code)
    assert not ProviderAccount.objects.exclude(blocked_until=None).exists()
