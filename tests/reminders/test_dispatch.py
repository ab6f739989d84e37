"""Due messages are taken up, held against the gate and called, each once."""

import threading
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients import consent
from patients.models import ConsentChannel, Patient, Purpose
from reminders.catalogue import Channel, Kind, MessageState
from reminders.channels.base import Found, Outcome, Outgoing, Submission
from reminders.journeys import replanning
from reminders.ledger import claiming, receipts, reconciling
from reminders.models import Attempt, Message, SentContent, Suppression
from reminders.sending import dispatch, lease
from reminders.sending.dispatch import Room
from tests.personas import a_patient
from tests.reminders.ledger import (
    ACCEPTED,
    MINUTE,
    Recorder,
    a_visit,
    again,
    planned,
    queued,
    refused,
    some_patients,
)

pytestmark = pytest.mark.django_db


# --- What is due ----------------------------------------------------------------------------------


def test_a_due_message_is_sent_once_and_its_answer_stored(
    visit: Appointment, now: datetime
) -> None:
    message, channel = queued(visit, now=now), Recorder()
    first = dispatch.send_due(now=now, channel=channel)
    second = dispatch.send_due(now=now + MINUTE, channel=channel)
    assert first == {"claimed": 1, "accepted": 1}
    assert not second
    [sent] = channel.sent
    assert sent.reference == str(message.reference)
    assert sent.to == "+12125550123"
    assert sent.sender == "+12125550100"
    stored = again(message)
    assert stored.state == MessageState.ACCEPTED
    assert (stored.provider, stored.provider_id) == ("recorder", "SM1")
    assert stored.wake_at is None
    assert stored.accepted_at is not None
    attempt = Attempt.objects.get(message=message)
    assert (attempt.number, attempt.outcome) == (1, "accepted")
    assert attempt.ended_at is not None
    assert SentContent.objects.get(message=message).address == sent.to


def test_a_message_is_not_due_before_its_time(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now + MINUTE)
    assert not dispatch.send_due(now=now, channel=Recorder())


def test_a_message_waits_while_its_patient_is_to_be_planned(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    queued(visit, now=now)
    Patient.objects.filter(pk=patient.pk).raise_revision()
    assert not dispatch.send_due(now=now, channel=Recorder())


def test_a_message_waits_when_a_fact_moves_between_the_looks_at_it_and_at_its_patient(
    visit: Appointment, patient: Patient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(visit, now=now)
    hold = claiming._held

    def moved(ids: Collection[int]) -> object:
        Patient.objects.filter(pk=patient.pk).raise_revision()
        return hold(ids)

    monkeypatch.setattr(claiming, "_held", moved)
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    assert channel.sent == []


def test_a_message_waits_while_its_site_is_to_be_planned(
    visit: Appointment, site: Site, now: datetime
) -> None:
    queued(visit, now=now)
    Site.objects.filter(pk=site.pk).update(revision=7)
    assert not dispatch.send_due(now=now, channel=Recorder())


def test_the_most_urgent_messages_go_first(visit: Appointment, now: datetime) -> None:
    late = queued(visit, now=now - MINUTE, kind=Kind.PRECARE_STEP, steps=["fever"])
    urgent = queued(visit, now=now)
    channel = Recorder()
    dispatch.send_due(now=now, window=1, channel=channel)
    assert [sent.message_id for sent in channel.sent] == [urgent.pk]
    assert again(late).state == MessageState.SCHEDULED


def test_a_drain_goes_on_until_nothing_is_due(visit: Appointment, now: datetime) -> None:
    for channel in (Channel.SMS, Channel.EMAIL):
        queued(visit, now=now, channel=channel)
        queued(visit, now=now, kind=Kind.POSTCARE_0, channel=channel)
    narrow = {"sms": Room(1, 1), "email": Room(1, 1)}
    recorder = Recorder()
    tally = dispatch.drain(clock=lambda: now, seconds=60, channel=recorder, rooms=narrow)
    assert tally == {"claimed": 4, "accepted": 4}
    assert len({sent.reference for sent in recorder.sent}) == 4


def test_a_slow_answer_holds_up_nobody(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    messages = [
        queued(a_visit(patient, site, protocol, now=now), now=now)
        for patient in some_patients(6, site, front_desk, now)
    ]
    others_went = threading.Event()

    def answer(outgoing: Outgoing) -> Submission:
        if outgoing.message_id == messages[0].pk:
            assert others_went.wait(30)
        elif len(channel.sent) == len(messages):
            others_went.set()
        return ACCEPTED

    channel = Recorder(answer)
    tally = dispatch.drain(
        clock=lambda: now, seconds=60, channel=channel, rooms={"sms": Room(2, 2)}
    )
    assert tally["accepted"] == len(messages)


def test_a_drain_that_is_told_to_stop_calls_nobody_more_and_stores_what_it_heard(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    for patient in some_patients(4, site, front_desk, now):
        queued(a_visit(patient, site, protocol, now=now), now=now)
    told, stopped = threading.Event(), threading.Event()

    def answer(outgoing: Outgoing) -> Submission:
        told.set()
        assert stopped.wait(30)
        return ACCEPTED

    def stopping() -> bool:
        if told.is_set():
            # The one under way is answered once the drain is leaving.
            threading.Timer(0.1, stopped.set).start()
        return told.is_set()

    channel = Recorder(answer)
    tally = dispatch.drain(
        clock=lambda: now,
        seconds=60,
        stopping=stopping,
        channel=channel,
        rooms={"sms": Room(1, 4)},
    )
    assert tally == {"claimed": 4, "accepted": 1, "scheduled": 3}
    waiting = Message.objects.filter(state=MessageState.SCHEDULED)
    assert set(waiting.values_list("attempts_made", "claim_token")) == {(0, None)}


def test_what_was_answered_is_stored_when_the_drain_is_cut_off(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    looks = iter([False, False])

    def cut_off() -> bool:
        try:
            return next(looks)
        except StopIteration:
            raise SoftTimeLimitExceeded from None

    with pytest.raises(SoftTimeLimitExceeded):
        dispatch.drain(clock=lambda: now, seconds=60, stopping=cut_off, channel=Recorder())
    assert again(message).state == MessageState.ACCEPTED


def test_a_drain_that_shall_stop_begins_no_window(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now)
    assert not dispatch.drain(
        clock=lambda: now, seconds=60, stopping=lambda: True, channel=Recorder()
    )


def test_a_window_takes_the_same_number_of_queries_for_two_messages_as_for_twelve(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    def window(number: int) -> int:
        for each in range(number):
            phone = f"+1212556{number:02}{each:02}"
            patient = a_patient(site, front_desk, now, phone=phone, email=f"{phone}@p.example")
            queued(a_visit(patient, site, protocol, now=now), now=now)
        with CaptureQueriesContext(connection) as queries:
            assert dispatch.send_due(now=now, channel=Recorder())["accepted"] == number
        return len(queries)

    window(1)  # the account of the provider appears with the first call
    assert window(2) == window(12)


# --- The gate -------------------------------------------------------------------------------------


def test_quiet_hours_put_a_message_off_until_the_morning(visit: Appointment, now: datetime) -> None:
    evening = now + timedelta(hours=12)  # 21:00 in New York
    message = queued(visit, now=evening, kind=Kind.REMINDER_CONFIRM)
    channel = Recorder()
    dispatch.send_due(now=evening, channel=channel)
    stored = again(message)
    assert not channel.sent
    assert stored.state == MessageState.SCHEDULED
    assert stored.reason == "quiet_hours"
    assert stored.gate_why
    assert stored.claimed_at is None
    assert stored.wake_at == evening + timedelta(hours=11)
    dispatch.send_due(now=stored.wake_at, channel=channel)
    assert len(channel.sent) == 1
    assert again(message).reason == ""


def test_a_withdrawn_consent_skips_what_was_already_planned(
    visit: Appointment, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    message, channel = queued(visit, now=now), Recorder()
    consent.withdraw(
        patient=patient, purpose=Purpose.CARE, channel=ConsentChannel.SMS, by=front_desk, now=now
    )
    planned(patient, visit.site)
    dispatch.send_due(now=now, channel=channel)
    stored = again(message)
    assert not channel.sent
    assert (stored.state, stored.reason) == (MessageState.SKIPPED, "no_consent")
    assert stored.closed_at == now
    assert stored.claimed_at == now  # planning lets it be


def test_a_suppressed_number_is_not_written_to(visit: Appointment, now: datetime) -> None:
    message, channel = queued(visit, now=now), Recorder()
    Suppression.objects.create(channel="sms", address="+12125550123", reason="opted_out", since=now)
    dispatch.send_due(now=now, channel=channel)
    assert not channel.sent
    assert again(message).reason == "suppressed"


# --- Around the call ------------------------------------------------------------------------------


def test_a_message_put_off_while_its_visit_moved_is_planned_once_more(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    message = queued(visit, now=now)
    answer = Submission(outcome=Outcome.NOT_SENT, code="20429")

    def moved_during_the_call(outgoing: Outgoing) -> Submission:
        Patient.objects.filter(pk=patient.pk).raise_revision()
        planned(patient, visit.site)
        return answer

    dispatch.send_due(now=now, channel=Recorder(moved_during_the_call))
    assert again(message).claimed_at is None
    assert Patient.objects.stale().filter(pk=patient.pk).exists()


def test_a_visit_moved_during_a_call_that_fails_is_confirmed_and_not_announced_as_moved(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    queued(visit, now=now)

    def moved_and_planned_during_the_call(outgoing: Outgoing) -> Submission:
        visit.starts_at += timedelta(days=1)
        visit.ends_at += timedelta(days=1)
        visit.schedule_version += 1
        visit.save()
        Patient.objects.filter(pk=patient.pk).raise_revision()
        replanning.sync_stale(now=now)
        return refused("30008")

    dispatch.send_due(now=now, channel=Recorder(moved_and_planned_during_the_call))
    replanning.sync_stale(now=now)
    notices = Message.objects.filter(state=MessageState.SCHEDULED, priority=0, waits_for="")
    assert {message.kind for message in notices} == {Kind.BOOKING_CONFIRMED}


def test_a_lease_too_short_for_a_call_gives_everything_back(
    visit: Appointment, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, channel = queued(visit, now=now), Recorder()
    monkeypatch.setattr(lease, "CALL_SECONDS", 61.0)
    dispatch.send_due(now=now, channel=channel)
    stored = again(message)
    assert not channel.sent
    assert (stored.state, stored.attempts_made) == (MessageState.SCHEDULED, 0)


def test_marked_messages_that_were_never_called_do_not_count_as_tries(
    visit: Appointment, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(visit, now=now)
    queued(visit, now=now, kind=Kind.POSTCARE_0)

    def takes_all_the_time(outgoing: Outgoing) -> Submission:
        monkeypatch.setattr(lease, "CALL_SECONDS", 61.0)
        return ACCEPTED

    tally = dispatch.send_due(now=now, channel=Recorder(takes_all_the_time))
    assert tally == {"claimed": 2, "accepted": 1, "scheduled": 1}
    uncalled = Message.objects.get(state=MessageState.SCHEDULED)
    assert uncalled.attempts_made == 0
    assert not uncalled.attempts.exists()


# --- What is written ------------------------------------------------------------------------------


def written() -> tuple[int, int]:
    """How often messages were written in this transaction: into the indexes, and in place."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_stat_get_xact_tuples_updated(message),
                      pg_stat_get_xact_tuples_hot_updated(message)
                 FROM (SELECT 'reminders_message'::regclass AS message) AS of"""
        )
        every, in_place = cursor.fetchone()
    return every - in_place, in_place


def test_the_mark_and_the_reports_of_a_provider_touch_no_index(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    before = written()
    dispatch.send_due(now=now, channel=Recorder())
    for status in ("sent", "delivered"):
        receipts.record(
            provider="twilio",
            reference=message.reference,
            event_key=status,
            status=status,
            code="",
            now=now,
        )
    assert again(message).state == MessageState.DELIVERED
    assert [one - other for one, other in zip(written(), before, strict=True)] == [1, 3]


# --- Marks of the dead ----------------------------------------------------------------------------


def die(message: Message, *, now: datetime, lease_ends: datetime) -> None:
    """As a worker leaves a message that was killed between the mark and the record."""
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.SUBMITTING, claim_token=uuid4(), claimed_at=now, leased_until=lease_ends
    )


def test_a_mark_without_an_answer_becomes_unknown(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now)
    die(message, now=now, lease_ends=now + MINUTE)
    dispatch.tidy(now=now + 2 * MINUTE)
    stored = again(message)
    assert (stored.state, stored.wake_at) == (MessageState.UNKNOWN, None)
    attempt = message.attempts.get()
    assert (attempt.outcome, attempt.started_at) == ("unknown", now)


def test_a_living_lease_is_left_alone(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now)
    die(message, now=now, lease_ends=now + MINUTE)
    dispatch.tidy(now=now)
    assert again(message).state == MessageState.SUBMITTING


class Killed(BaseException):
    """Ends a process between mark and record, as nothing below it can prevent."""


@pytest.mark.parametrize("due_in", [timedelta(0), timedelta(hours=20)])
def test_a_mark_from_before_the_clock_was_set_back_is_looked_into_and_not_repeated_before(
    visit: Appointment, now: datetime, due_in: timedelta
) -> None:
    def die(_: Outgoing) -> Submission:
        raise Killed

    message, channel = queued(visit, now=now + due_in), Recorder(die)
    with pytest.raises(Killed):
        dispatch.send_due(now=now + timedelta(days=1) - MINUTE, channel=channel)
    right = now + MINUTE
    dispatch.tidy(now=right)
    stored = again(message)
    assert (stored.state, stored.wake_at) == (MessageState.UNKNOWN, None)
    assert message.attempts.get().started_at == right, "or nobody asks for a day"
    channel.answer, channel.known = ACCEPTED, Found(("SM7",), is_by_reference=True)
    assert not dispatch.send_due(now=right + MINUTE, channel=channel)
    reconciling.reconcile(now=right + 2 * MINUTE, channel=channel)
    assert (again(message).state, again(message).provider_id) == (MessageState.ACCEPTED, "SM7")
    assert len(channel.sent) == 1


def test_a_mark_is_not_of_a_time_to_come_by_a_clock_that_is_a_little_slow(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    die(message, now=now, lease_ends=now + MINUTE)
    SentContent.objects.create(message=message, address="+12125550123", text="Hi", at=now)
    dispatch.tidy(now=now - claiming.SET_BACK)
    assert again(message).state == MessageState.SUBMITTING


def test_a_mark_of_the_release_without_its_own_lease_holds_until_it_wakes(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.SUBMITTING, claim_token=uuid4(), claimed_at=now, wake_at=now + MINUTE
    )
    dispatch.tidy(now=now + MINUTE / 2)
    assert again(message).state == MessageState.SUBMITTING
    dispatch.tidy(now=now + 2 * MINUTE)
    assert again(message).state == MessageState.UNKNOWN


def test_an_answer_that_comes_after_the_lease_still_counts(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)

    def late(outgoing: Outgoing) -> Submission:
        dispatch.tidy(now=now + 2 * MINUTE)
        return ACCEPTED

    dispatch.send_due(now=now, channel=Recorder(late))
    assert again(message).state == MessageState.ACCEPTED
    assert message.attempts.get().outcome == "accepted"


def test_a_report_that_overtakes_the_answer_is_not_set_back(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)

    def reported_first(outgoing: Outgoing) -> Submission:
        receipts.record(
            provider="twilio",
            reference=outgoing.reference,
            event_key="SM1:delivered:",
            status="delivered",
            code="",
            now=now,
        )
        return ACCEPTED

    dispatch.send_due(now=now, channel=Recorder(reported_first))
    stored = again(message)
    assert (stored.state, stored.provider_id) == (MessageState.DELIVERED, "SM1")
    assert stored.delivered_at == now
