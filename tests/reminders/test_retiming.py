"""Staff let a planned message leave later, now, or at its own time after all."""

from datetime import datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from appointments.models import Appointment
from clinic.access import Forbidden
from clinic.models import AuditEntry, Staff
from clinic.retelling import retold
from patients.models import Patient
from reminders.catalogue import Kind, MessageState
from reminders.channels.base import Outcome, Submission
from reminders.journeys import replanning
from reminders.ledger import retrying
from reminders.models import Attempt, Message
from reminders.proving import proof
from reminders.sending import dispatch, retiming
from reminders.sending.retiming import OutOfHours, ReasonMissing, TimeRefused
from tests.reminders.ledger import Recorder

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def reminder(visit: Appointment, now: datetime) -> Message:
    """The last reminder of a visit, planned for a day before at 10:00 in New York."""
    replanning.sync_stale(now=now)
    return Message.objects.get(kind=Kind.REMINDER_FINAL)


def planned_anew(reminder: Message, now: datetime) -> Message:
    replanning.sync_stale(now=now)
    return Message.objects.get(pk=reminder.pk)


def leaving(now: datetime) -> list[str]:
    """The kinds of what leaves now, in order."""
    left = Message.objects.filter(accepted_at__isnull=False)
    before = set(left.values_list("pk", flat=True))
    dispatch.send_due(now=now, channel=Recorder())
    return list(left.exclude(pk__in=before).order_by("kind").values_list("kind", flat=True))


def test_what_is_put_off_waits_through_every_plan_and_leaves_then(
    reminder: Message, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    usual, later = reminder.due_at, reminder.due_at + 5 * HOUR
    retiming.put_off(message=reminder, until=later, by=front_desk, now=now)
    stored = planned_anew(reminder, now)
    assert (stored.key, stored.due_at, stored.wake_at) == (reminder.key, later, later)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    assert planned_anew(reminder, now + HOUR).due_at == later
    assert not replanning.differences([patient.pk])  # a plan from scratch says the same
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    assert not leaving(usual + HOUR)
    assert leaving(later) == [Kind.REMINDER_FINAL]
    entry = AuditEntry.objects.get(action="message.put_off")
    assert (entry.by, entry.patient_id) == (front_desk, patient.pk)


def test_its_own_time_comes_back(reminder: Message, front_desk: Staff, now: datetime) -> None:
    retiming.put_off(message=reminder, until=reminder.due_at + HOUR, by=front_desk, now=now)
    put_off = planned_anew(reminder, now)
    retiming.at_planned_time(message=put_off, by=front_desk, now=now)
    stored = planned_anew(reminder, now)
    assert (stored.due_at, stored.why, stored.chosen_by) == (reminder.due_at, reminder.why, None)
    with pytest.raises(TimeRefused, match="its own time"):
        retiming.at_planned_time(message=stored, by=front_desk, now=now)


def test_a_time_ends_with_the_time_of_the_visit_and_both_messages_say_so(
    reminder: Message, visit: Appointment, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    later = reminder.due_at + HOUR
    retiming.put_off(message=reminder, until=later, by=front_desk, now=now)
    planned_anew(reminder, now)
    Appointment.objects.filter(pk=visit.pk).update(
        starts_at=visit.starts_at + HOUR, ends_at=visit.ends_at + HOUR, schedule_version=2
    )
    Patient.objects.filter(pk=patient.pk).raise_revision()
    old = planned_anew(reminder, now)
    assert (old.state, old.chosen_at) == ("withdrawn", later)
    new = Message.objects.get(kind=Kind.REMINDER_FINAL, state="scheduled")
    assert new.due_at == reminder.due_at + HOUR
    assert any("Ana Front had given it another time" in retold(each) for each in new.why)
    # A new choice takes the place of the old one.
    retiming.put_off(message=new, until=new.due_at + HOUR, by=front_desk, now=now)
    assert [each.pk for each in Message.objects.exclude(chosen_at=None)] == [new.pk]


def test_a_message_leaves_now_by_day_and_is_not_sent_again_at_its_own_time(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    retiming.send_now(message=reminder, by=front_desk, now=now)
    assert not leaving(now)  # it waits for its plan
    planned_anew(reminder, now)
    assert leaving(now) == [Kind.REMINDER_FINAL]
    assert not leaving(reminder.due_at + HOUR)
    assert not Message.objects.filter(kind=Kind.REMINDER_FINAL).exclude(pk=reminder.pk).exists()


def test_at_night_the_desk_hears_from_when_on_and_a_manager_gives_a_reason(
    reminder: Message, front_desk: Staff, manager: Staff, now: datetime
) -> None:
    night = now + 14 * HOUR  # 23:00 in New York
    with pytest.raises(OutOfHours, match=r"between 08:00 and 20:00.*Tue 16 Feb 08:00"):
        retiming.send_now(message=reminder, by=front_desk, now=night)
    with pytest.raises(Forbidden, match="manager"):
        retiming.send_now(
            message=reminder, by=front_desk, now=night, at_any_hour=True, reason="Storm"
        )
    with pytest.raises(ReasonMissing):
        retiming.send_now(message=reminder, by=manager, now=night, at_any_hour=True, reason=" ")
    retiming.send_now(
        message=reminder, by=manager, now=night, at_any_hour=True, reason="The house is flooded"
    )
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    planned_anew(reminder, night)
    assert leaving(night) == [Kind.REMINDER_FINAL]
    assert AuditEntry.objects.get(action="message.send_now").reason == "The house is flooded"
    faults = {check.name for check, finding in proof.prove(now=night + HOUR) if finding.faults}
    assert not faults & {"quiet_hours", "as_planned"}


def test_at_any_hour_the_patients_own_quiet_hours_hold_as_it_leaves(
    reminder: Message, patient: Patient, manager: Staff, now: datetime
) -> None:
    night = now + 14 * HOUR
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    retiming.send_now(message=reminder, by=manager, now=night, at_any_hour=True, reason="Storm")
    Patient.objects.filter(pk=patient.pk).update(quiet_from=time(22), quiet_until=time(7))
    planned_anew(reminder, night)
    assert not leaving(night)
    stored = Message.objects.get(pk=reminder.pk)
    assert (stored.reason, stored.wake_at) == ("quiet_hours", night + 8 * HOUR)
    # The proof would see it, had it left in them, and sees nothing wrong with the hour after.
    Message.objects.filter(pk=reminder.pk).update(wake_at=None, accepted_at=night, state="accepted")
    attempt = Attempt.objects.create(
        message=stored, number=1, started_at=night, ended_at=night, outcome="accepted"
    )
    assert "quiet_hours" in faults(night)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=night + 8 * HOUR)
    assert "quiet_hours" not in faults(night)


def faults(now: datetime) -> set[str]:
    return {check.name for check, finding in proof.prove(now=now + 9 * HOUR) if finding.faults}


def test_a_text_at_any_hour_may_arrive_until_the_patients_own_quiet_hours(
    reminder: Message, patient: Patient, manager: Staff, now: datetime
) -> None:
    night = now + 12 * HOUR  # 21:00 in New York
    Patient.objects.filter(pk=patient.pk).update(quiet_from=time(22), quiet_until=time(7))
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    retiming.send_now(message=reminder, by=manager, now=night, at_any_hour=True, reason="Storm")
    planned_anew(reminder, night)
    channel = Recorder()
    dispatch.send_due(now=night, channel=channel)
    assert [each.validity_seconds for each in channel.sent] == [60 * 60]


def test_what_is_said_at_once_and_was_put_off_waits_for_the_day_when_it_is_held_up(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    confirmed = Message.objects.get(kind=Kind.BOOKING_CONFIRMED, channel="sms")
    night = now + 14 * HOUR
    retiming.put_off(message=confirmed, until=now + HOUR, by=front_desk, now=now)
    Message.objects.exclude(pk=confirmed.pk).update(wake_at=None)
    planned_anew(confirmed, now)
    assert not leaving(night)
    with pytest.raises(OutOfHours):
        retiming.send_now(message=confirmed, by=front_desk, now=night)


def test_leave_to_pass_the_hours_is_kept_only_where_they_are_in_the_way_of_care(
    reminder: Message, manager: Staff, now: datetime
) -> None:
    retiming.send_now(message=reminder, by=manager, now=now, at_any_hour=True, reason="Storm")
    stored = Message.objects.get(pk=reminder.pk)
    assert (stored.chosen_at, stored.at_any_hour) == (now, False)
    Message.objects.filter(pk=reminder.pk).update(purpose="marketing")
    with pytest.raises(TimeRefused, match="Only what is about care"):
        retiming.send_now(message=reminder, by=manager, now=now, at_any_hour=True, reason="Storm")


def test_leave_to_pass_the_hours_is_for_one_sending(
    reminder: Message, manager: Staff, now: datetime
) -> None:
    night = now + 14 * HOUR
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    retiming.send_now(message=reminder, by=manager, now=night, at_any_hour=True, reason="Storm")
    planned_anew(reminder, night)
    refused = Submission(outcome=Outcome.REFUSED, code="30008")
    dispatch.send_due(now=night, channel=Recorder(refused))
    retrying.retry(message=Message.objects.get(pk=reminder.pk), by=manager, now=night)
    assert planned_anew(reminder, night).priority == 1
    assert not leaving(night)


def test_leave_to_pass_the_hours_stays_with_what_nobody_knows_to_have_been_sent(
    reminder: Message, manager: Staff, now: datetime
) -> None:
    night = now + 14 * HOUR
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    retiming.send_now(message=reminder, by=manager, now=night, at_any_hour=True, reason="Storm")
    planned_anew(reminder, night)
    lost = Submission(outcome=Outcome.UNKNOWN, code="timeout")
    dispatch.send_due(now=night, channel=Recorder(lost))
    unknown = Message.objects.get(pk=reminder.pk)
    retrying.retry(message=unknown, by=manager, now=night, may_repeat=True)
    planned_anew(reminder, night)
    assert leaving(night) == [Kind.REMINDER_FINAL]


def test_what_waits_for_the_visit_or_has_left_has_no_other_time(
    visit: Appointment, reminder: Message, front_desk: Staff, now: datetime
) -> None:
    waiting = Message.objects.filter(waits_for="visit_done").first()
    assert waiting is not None and not retiming.can_retime(waiting)
    with pytest.raises(TimeRefused, match="until the visit is done"):
        retiming.send_now(message=waiting, by=front_desk, now=now)
    Message.objects.filter(pk=reminder.pk).update(state=MessageState.SENT, accepted_at=now)
    with pytest.raises(TimeRefused, match="has not left yet"):
        retiming.put_off(message=reminder, until=now + HOUR, by=front_desk, now=now)


def test_an_hour_of_the_night_is_refused_with_the_next_one_that_may_be(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(TimeRefused, match="08:00 on: put it off until then"):
        retiming.put_off(message=reminder, until=now + 14 * HOUR, by=front_desk, now=now)
    with pytest.raises(TimeRefused, match="of no use"):
        retiming.put_off(message=reminder, until=reminder.expires_at, by=front_desk, now=now)
    assert Message.objects.get(pk=reminder.pk).chosen_at is None


@pytest.mark.parametrize("persona", ["provider", "outsider"])
def test_only_those_who_manage_messages_here_choose_its_time(
    reminder: Message, persona: str, now: datetime, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(persona)
    with pytest.raises(Forbidden):
        retiming.put_off(message=reminder, until=reminder.due_at + HOUR, by=by, now=now)
    with pytest.raises(Forbidden):
        retiming.send_now(message=reminder, by=by, now=now)
    with pytest.raises(Forbidden):
        retiming.at_planned_time(message=reminder, by=by, now=now)


def test_the_database_refuses_a_time_of_nobody_and_a_prompt_at_any_hour(
    reminder: Message, front_desk: Staff, now: datetime
) -> None:
    for name, fields in (
        ("message_time_chosen_by_somebody", {"chosen_at": now}),
        ("message_time_chosen_by_somebody", {"at_any_hour": True}),
        (
            "message_at_any_hour_is_care",
            {
                "purpose": "marketing",
                "at_any_hour": True,
                "chosen_at": now,
                "chosen_by": front_desk,
            },
        ),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Message.objects.filter(pk=reminder.pk).update(**fields)
