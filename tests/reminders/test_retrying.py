from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Site, Staff
from patients import consent
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels.base import Outcome, Submission
from reminders.journeys import replanning
from reminders.ledger import receipts, retrying
from reminders.ledger.other_channel import NOWHERE
from reminders.ledger.retrying import MayRepeat, RetryRefused
from reminders.models import Message
from reminders.sending import dispatch, repeating, retiming
from tests.reminders.ledger import Recorder, a_visit, planned, queued, some_patients

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def ended(visit: Appointment, now: datetime, answer: Submission) -> Message:
    """A message that was sent once and got this answer."""
    message = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder(answer))
    return Message.objects.get(pk=message.pk)


REFUSED = Submission(outcome=Outcome.REFUSED, code="30008")
UNKNOWN = Submission(outcome=Outcome.UNKNOWN, code="timeout")


def test_a_failed_message_goes_out_again_once_it_is_planned(
    visit: Appointment, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    message = ended(visit, now, REFUSED)
    retrying.retry(message=message, by=front_desk, now=now)
    channel = Recorder()
    assert not dispatch.send_due(now=now, channel=channel)
    planned(patient, visit.site)
    dispatch.send_due(now=now, channel=channel)
    assert len(channel.sent) == 1
    assert [each.outcome for each in message.attempts.all()] == ["refused", "accepted"]
    assert AuditEntry.objects.filter(action="message.retry", by=front_desk).exists()


def test_a_message_that_goes_out_again_has_the_providers_new_id(
    visit: Appointment, front_desk: Staff, patient: Patient, now: datetime
) -> None:
    message = ended(visit, now, Submission(outcome=Outcome.ACCEPTED, provider_id="SM1"))
    receipts.record(
        provider="twilio",
        reference=message.reference,
        event_key="SM1:undelivered:",
        status="undelivered",
        code="30005",
        now=now,
    )
    retried = retrying.retry(message=message, by=front_desk, now=now)
    assert (retried.error_code, retried.accepted_at) == ("", None)
    planned(patient, visit.site)
    again = Submission(outcome=Outcome.ACCEPTED, provider_id="SM2")
    dispatch.send_due(now=now, channel=Recorder(again))
    assert Message.objects.get().provider_id == "SM2"


def test_an_unknown_outcome_is_repeated_only_by_somebody_who_was_warned(
    visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    message = ended(visit, now, UNKNOWN)
    with pytest.raises(MayRepeat, match="may already have"):
        retrying.retry(message=message, by=front_desk, now=now)
    retried = retrying.retry(message=message, by=front_desk, now=now, may_repeat=True)
    assert retried.state == MessageState.SCHEDULED


@pytest.mark.parametrize(("persona", "passes"), [("front_desk", False), ("manager", True)])
def test_the_hours_are_passed_again_only_by_who_may_pass_them(
    visit: Appointment,
    manager: Staff,
    now: datetime,
    persona: str,
    passes: bool,
    request: pytest.FixtureRequest,
) -> None:
    replanning.sync_stale(now=now)
    reminder = Message.objects.get(kind=Kind.REMINDER_FINAL)
    Message.objects.exclude(pk=reminder.pk).update(wake_at=None)
    night = now + 14 * HOUR
    retiming.send_now(message=reminder, by=manager, now=night, at_any_hour=True, reason="Storm")
    replanning.sync_stale(now=night)
    assert dispatch.send_due(now=night, channel=Recorder(UNKNOWN))
    later = night + 3 * HOUR
    retrying.retry(
        message=reminder, by=request.getfixturevalue(persona), now=later, may_repeat=True
    )
    replanning.sync_stale(now=later)
    channel = Recorder()
    dispatch.send_due(now=later, channel=channel)
    assert [sent.message_id for sent in channel.sent] == [reminder.pk] * passes
    if not passes:
        assert Message.objects.get(pk=reminder.pk).reason == "quiet_hours"


def test_a_message_that_was_accepted_is_not_sent_again(
    visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    message = ended(visit, now, Submission(outcome=Outcome.ACCEPTED))
    with pytest.raises(RetryRefused, match="accepted"):
        retrying.retry(message=message, by=front_desk, now=now, may_repeat=True)
    assert not retrying.can_retry(message, NOWHERE, now=now)


def test_a_message_that_expired_is_not_sent_again(
    visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    message = ended(visit, now, REFUSED)
    with pytest.raises(RetryRefused, match="too late"):
        retrying.retry(message=message, by=front_desk, now=now + timedelta(days=2))


def test_a_message_held_back_by_the_gate_can_be_tried_again(
    visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    message = queued(visit, now=now)
    message.state, message.reason, message.closed_at = MessageState.SKIPPED, "no_consent", now
    message.save()
    assert retrying.can_retry(message, NOWHERE, now=now)
    message.reason = "skipped_by_staff"
    message.save()
    assert not retrying.can_retry(message, NOWHERE, now=now)


@pytest.mark.parametrize("persona", ["provider", "outsider"])
def test_only_those_who_manage_messages_here_may_send_one_again(
    visit: Appointment, persona: str, now: datetime, request: pytest.FixtureRequest
) -> None:
    message = ended(visit, now, REFUSED)
    with pytest.raises(Forbidden):
        retrying.retry(message=message, by=request.getfixturevalue(persona), now=now)
    assert Message.objects.get().state == MessageState.FAILED


def test_a_text_that_failed_goes_out_again_though_the_mail_has_told_the_time(
    visit: Appointment, front_desk: Staff, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    due = now + timedelta(minutes=3)
    dispatch.send_due(
        now=due,
        channel=Recorder(
            lambda outgoing: Submission(outcome=Outcome.ACCEPTED) if outgoing.subject else REFUSED
        ),
    )
    text = Message.objects.get(kind="booking_confirmed", channel="sms")
    assert text.state == MessageState.FAILED
    retrying.retry(message=text, by=front_desk, now=due)
    replanning.sync_stale(now=due)
    channel = Recorder()
    dispatch.send_due(now=due, channel=channel)
    assert [outgoing.subject for outgoing in channel.sent] == [""]


def test_all_that_failed_at_a_site_goes_out_again_but_for_what_is_too_late(
    visit: Appointment, front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    late = queued(visit, now=now, kind=Kind.NO_SHOW_FOLLOWUP)
    failed = ended(visit, now, REFUSED)
    Message.objects.filter(pk=late.pk).update(
        state=MessageState.FAILED,
        reason="refused",
        wake_at=None,
        claimed_at=now,
        closed_at=now,
        due_at=now - timedelta(days=3),
        expires_at=now,
    )
    with pytest.raises(Forbidden):
        repeating.retry_all(site=visit.site, by=outsider, now=now)
    # Nor by a power that they hold at another site than the message's.
    home = outsider.site_roles.all()[0].site
    assert retrying.retry_what_may(messages=[failed], site=home, by=outsider, now=now) == 0
    foreseen = repeating.outlook(site=visit.site, by=front_desk, now=now)
    assert (foreseen.goes, foreseen.held, foreseen.too_late) == ([failed], [], 1)
    assert repeating.retry_all(site=visit.site, by=front_desk, now=now) == 1
    states = dict(Message.objects.values_list("pk", "state"))
    assert states[failed.pk] == MessageState.SCHEDULED
    assert states[late.pk] == MessageState.FAILED
    assert repeating.retry_all(site=visit.site, by=front_desk, now=now) == 0


def test_four_that_failed_take_as_few_queries_as_two(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    visits = [
        a_visit(patient, site, protocol, now=now)
        for patient in some_patients(6, site, front_desk, now)
    ]
    taken = []
    for some in (visits[:2], visits[2:]):
        failed = [queued(visit, now=now).pk for visit in some]
        dispatch.send_due(now=now, channel=Recorder(REFUSED))
        with CaptureQueriesContext(connection) as queries:
            assert repeating.retry_all(site=site, by=front_desk, now=now) == len(some)
        taken.append(len(queries))
        assert set(Message.objects.filter(pk__in=failed).values_list("state", "attempts_made")) == {
            (MessageState.SCHEDULED, 0)
        }
        told = AuditEntry.objects.filter(action="message.retry", subject_id__in=map(str, failed))
        assert {each.before["state"] for each in told} == {"failed"} and len(told) == len(some)
    assert taken[0] == taken[1]


def test_what_the_gate_would_hold_back_is_told_before_left_and_in_nobodys_way(
    visit: Appointment,
    front_desk: Staff,
    patient: Patient,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = ended(visit, now, REFUSED)
    consent.withdraw(patient=patient, purpose="care", channel="sms", by=front_desk, now=now)
    foreseen = repeating.outlook(site=visit.site, by=front_desk, now=now)
    [(held, why)] = foreseen.held
    assert held == failed and "not agreed" in why and not foreseen.goes
    assert repeating.retry_all(site=visit.site, by=front_desk, now=now) == 0
    failed.refresh_from_db()
    assert failed.state == MessageState.FAILED
    monkeypatch.setattr(repeating, "MOST_AT_ONCE", 1)
    for days in (2, 3):
        mail = queued(
            visit,
            now=now,
            channel=Channel.EMAIL,
            steps=[f"step{days}"],
            expires_at=now + timedelta(days=days),
        )
        Message.objects.filter(pk=mail.pk).update(
            state=MessageState.FAILED, reason="refused", wake_at=None, claimed_at=now
        )
    foreseen = repeating.outlook(site=visit.site, by=front_desk, now=now)
    assert (len(foreseen.goes), len(foreseen.held), foreseen.later) == (1, 1, 1)
    assert repeating.retry_all(site=visit.site, by=front_desk, now=now) == 1
    assert repeating.retry_all(site=visit.site, by=front_desk, now=now) == 1
