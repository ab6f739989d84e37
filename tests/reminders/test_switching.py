"""Staff let a planned message go by the other channel, and back."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from appointments.models import Appointment
from clinic.access import Forbidden
from clinic.models import AuditEntry, Staff
from patients import consent
from patients.models import Patient
from reminders.catalogue import Kind
from reminders.channels.base import Outcome, Submission
from reminders.journeys import replanning
from reminders.ledger import retrying, skipping
from reminders.ledger.retrying import RetryRefused
from reminders.models import Message, SkipChoice
from reminders.sending import dispatch, repeating, switching
from reminders.sending.switching import SwitchRefused
from tests.reminders.ledger import Recorder

pytestmark = pytest.mark.django_db


@pytest.fixture
def reminder(visit: Appointment, now: datetime) -> Message:
    """The last reminder of a visit, which is a text and no e-mail."""
    replanning.sync_stale(now=now)
    return Message.objects.get(kind=Kind.REMINDER_FINAL)


def waiting(now: datetime) -> list[str]:
    """By which channels the last reminder is to go, planned anew."""
    replanning.sync_stale(now=now)
    found = Message.objects.filter(kind=Kind.REMINDER_FINAL, state="scheduled")
    return list(found.values_list("channel", flat=True))


def test_a_text_goes_by_mail_instead_also_when_the_visit_moves_and_comes_back(
    reminder: Message, visit: Appointment, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    switching.switch(message=reminder, by=front_desk, now=now)
    assert waiting(now) == ["email"]
    Appointment.objects.filter(pk=visit.pk).update(schedule_version=2)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    assert waiting(now) == ["email"]
    assert not replanning.differences([patient.pk])
    by_mail = Message.objects.get(kind=Kind.REMINDER_FINAL, state="scheduled")
    assert switching.is_switched(by_mail)
    switching.switch_back(message=by_mail, by=front_desk, now=now)
    assert waiting(now) == ["sms"]
    assert not SkipChoice.objects.exists()
    actions = AuditEntry.objects.filter(by=front_desk, action__startswith="message.switch")
    assert [each.action for each in actions.order_by("pk")] == [
        "message.switch",
        "message.switch_back",
    ]


def test_an_undo_at_once_finds_the_message_that_was_switched(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    switching.switch(message=reminder, by=front_desk, now=now)
    switching.switch_back(message=reminder, by=front_desk, now=now)
    assert waiting(now) == ["sms"]
    with pytest.raises(SwitchRefused, match="its own channel"):
        switching.switch_back(message=reminder, by=front_desk, now=now)


def test_what_left_by_the_other_channel_does_not_come_back(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    switching.switch(message=reminder, by=front_desk, now=now)
    assert waiting(now) == ["email"]
    Message.objects.exclude(kind=Kind.REMINDER_FINAL).update(wake_at=None)
    dispatch.send_due(now=reminder.due_at, channel=Recorder())
    for message in Message.objects.filter(kind=Kind.REMINDER_FINAL):
        with pytest.raises(SwitchRefused, match="has left"):
            switching.switch_back(message=message, by=front_desk, now=reminder.due_at)


def test_the_other_channel_takes_consent_and_says_nothing_twice(
    reminder: Message, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    both = Message.objects.get(kind=Kind.REMINDER_CONFIRM, channel="sms")
    with pytest.raises(SwitchRefused, match="An e-mail says the same already"):
        switching.switch(message=both, by=front_desk, now=now)
    consent.withdraw(patient=patient, purpose="care", channel="email", by=front_desk, now=now)
    with pytest.raises(SwitchRefused, match="has not agreed"):
        switching.switch(message=reminder, by=front_desk, now=now)
    assert not SkipChoice.objects.exists()


def test_what_the_other_channel_was_to_say_and_does_not_is_not_lost_in_a_switch(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    text, mail = (
        Message.objects.get(kind=Kind.REMINDER_CONFIRM, channel=channel)
        for channel in ("sms", "email")
    )
    skipping.skip(message=mail, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    with pytest.raises(SwitchRefused, match="put it back, or leave this text"):
        switching.switch(message=text, by=front_desk, now=now)
    Message.objects.filter(pk=mail.pk).update(state="failed", reason="refused", claimed_at=now)
    with pytest.raises(SwitchRefused, match="did not arrive"):
        switching.switch(message=text, by=front_desk, now=now)
    assert not SkipChoice.objects.exclude(instead="").exists()


def test_what_was_skipped_there_before_it_came_back_goes_there_when_it_is_switched_again(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    switching.switch(message=reminder, by=front_desk, now=now)
    assert waiting(now) == ["email"]
    by_mail = Message.objects.get(kind=Kind.REMINDER_FINAL, state="scheduled")
    skipping.skip(message=by_mail, by=front_desk, now=now)
    assert waiting(now) == []
    switching.switch_back(message=by_mail, by=front_desk, now=now)
    assert waiting(now) == ["sms"]
    # Its e-mail said advice for the day besides, which goes by both and is skipped there by now.
    with pytest.raises(SwitchRefused, match="put it back"):
        switching.switch(message=reminder, by=front_desk, now=now)
    skipping.unskip(message=Message.objects.get(state="skipped"), by=front_desk, now=now)
    replanning.sync_stale(now=now)
    switching.switch(message=reminder, by=front_desk, now=now)
    assert waiting(now) == ["email"]


def test_a_skip_after_a_switch_counts_and_the_other_way_round(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    switching.switch(message=reminder, by=front_desk, now=now)
    skipping.skip(message=reminder, by=front_desk, now=now)
    assert waiting(now) == []
    skipping.unskip(message=reminder, by=front_desk, now=now)
    assert waiting(now) == ["sms"]
    skipping.skip(message=reminder, by=front_desk, now=now)
    skipping.unskip(message=reminder, by=front_desk, now=now)  # before it was planned
    assert waiting(now) == ["sms"]


@pytest.mark.parametrize("persona", ["provider", "outsider"])
def test_only_those_who_manage_messages_here_switch_one(
    reminder: Message, persona: str, now: datetime, request: pytest.FixtureRequest
) -> None:
    for act in (switching.switch, switching.switch_back):
        with pytest.raises(Forbidden):
            act(message=reminder, by=request.getfixturevalue(persona), now=now)


def test_the_database_knows_one_other_channel(visit: Appointment, now: datetime) -> None:
    with pytest.raises(IntegrityError, match="skip_instead_is_the_other"), transaction.atomic():
        SkipChoice.objects.create(
            series=visit.series, session=1, step="x", channel="sms", instead="sms", at=now
        )


def test_what_is_sent_at_its_time_is_an_e_mail(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    switching.switch(message=reminder, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    Message.objects.exclude(kind=Kind.REMINDER_FINAL).update(wake_at=None)
    channel = Recorder()
    dispatch.send_due(now=reminder.due_at + timedelta(seconds=1), channel=channel)
    assert [bool(each.subject) for each in channel.sent] == [True]


def test_what_did_not_arrive_goes_by_the_other_channel_once(
    visit: Appointment, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    mail = Message.objects.filter(kind=Kind.PRECARE_STEP, priority=2).earliest("due_at", "pk")
    Message.objects.exclude(pk=mail.pk).update(wake_at=None)
    at = mail.due_at
    dispatch.send_due(now=at, channel=Recorder(Submission(outcome=Outcome.REFUSED, code="550")))
    assert Message.objects.get(pk=mail.pk).state == "failed"
    switching.switch(message=mail, by=front_desk, now=at)
    replanning.sync_stale(now=at)
    text = Message.objects.get(channel="sms", state="scheduled", steps=mail.steps)
    switching.switch_back(message=mail, by=front_desk, now=at)  # an undo
    replanning.sync_stale(now=at)
    assert Message.objects.get(pk=text.pk).state == "withdrawn"
    switching.switch(message=mail, by=front_desk, now=at)
    replanning.sync_stale(now=at)
    assert not replanning.differences([patient.pk])
    with pytest.raises(SwitchRefused, match="says the same already"):
        switching.switch(message=mail, by=front_desk, now=at)
    with pytest.raises(RetryRefused, match="by text instead"):  # the plan wants it no more
        retrying.retry(message=mail, by=front_desk, now=at)
    [(held, why)] = repeating.outlook(site=visit.site, by=front_desk, now=at).held
    assert held == mail and "by text instead" in why
    replanning.sync_stale(now=at)
    channel = Recorder()
    dispatch.send_due(now=at, channel=channel)
    assert [outgoing.subject for outgoing in channel.sent] == [""]
    states = Message.objects.filter(pk__in=(mail.pk, text.pk)).order_by("pk")
    assert set(states.values_list("state", flat=True)) == {"failed", "accepted"}
    with pytest.raises(SwitchRefused, match="still of use"):
        switching.switch(message=text, by=front_desk, now=at)
