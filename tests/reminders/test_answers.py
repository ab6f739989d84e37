"""What the provider answers, and what follows from it."""

import os
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from pytest_django import Settings

from appointments.models import Appointment, Task
from clinic.models import ProtocolVersion, Site, Staff
from patients import consent
from patients.models import Patient
from reminders.catalogue import REASONS, Channel, Kind, MessageState
from reminders.channels import opening
from reminders.channels.base import Outcome, Outgoing, Submission
from reminders.ledger import backoff, writing_deaths
from reminders.ledger.claiming import Due
from reminders.models import Message, MessageItem, Suppression, WritingDeath
from reminders.sending import dispatch, last_words, taking
from reminders.sending.taking import Ready
from tests.personas import a_patient
from tests.reminders.ledger import (
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


def test_a_busy_provider_is_tried_again_after_the_pause_that_it_asks_for(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    busy = Submission(outcome=Outcome.NOT_SENT, code="20429", retry_after_seconds=300)
    dispatch.send_due(now=now, channel=Recorder(busy))
    stored = again(message)
    assert stored.state == MessageState.SCHEDULED
    assert stored.wake_at is not None
    assert stored.wake_at >= now + timedelta(seconds=300)
    assert (stored.reason, stored.error_code) == ("provider_away", "20429")
    assert stored.attempts_made == 1
    dispatch.send_due(now=stored.wake_at, channel=Recorder())
    assert again(message).state == MessageState.ACCEPTED
    assert [each.outcome for each in message.attempts.all()] == ["not_sent", "accepted"]


def test_tries_end_and_the_email_is_planned(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    message = queued(visit, now=now)
    Message.objects.filter(pk=message.pk).update(attempts_made=11)
    away = Submission(outcome=Outcome.NOT_SENT, code="no-connection")
    dispatch.send_due(now=now, channel=Recorder(away))
    stored = again(message)
    assert (stored.state, stored.reason) == (MessageState.FAILED, "attempts_spent")
    assert Patient.objects.stale().filter(pk=patient.pk).exists()
    assert not Task.objects.exists()


def test_an_unknown_outcome_is_never_repeated_by_itself(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now)
    channel = Recorder(Submission(outcome=Outcome.UNKNOWN, code="timeout"))
    dispatch.send_due(now=now, channel=channel)
    dispatch.tidy(now=now + timedelta(hours=1))
    dispatch.send_due(now=now + timedelta(hours=1), channel=channel)
    assert len(channel.sent) == 1
    assert (again(message).state, again(message).wake_at) == (MessageState.UNKNOWN, None)


def test_a_channel_that_raises_leaves_an_unknown_outcome(
    visit: Appointment, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    message = queued(visit, now=now)

    def breaks(outgoing: Outgoing) -> Submission:
        raise RuntimeError(outgoing.to)

    dispatch.send_due(now=now, channel=Recorder(breaks))
    assert again(message).state == MessageState.UNKNOWN
    assert "RuntimeError" in caplog.text
    assert "+1212" not in caplog.text


@pytest.mark.parametrize(
    "place",
    [
        "reminders.sending.letters.render",
        "reminders.sending.dispatch.opening.channel",
        "reminders.channels.twilio.TwilioChannel.submit",
    ],
)
def test_a_worker_that_is_told_to_stop_takes_it_for_no_messages_fault(
    visit: Appointment, now: datetime, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    queued(visit, now=now)

    def stops(*args: object, **kwargs: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(place, stops)
    with pytest.raises(SoftTimeLimitExceeded):
        dispatch.send_due(now=now, channel=lambda name: opening.channel(name))


def test_a_channel_that_does_not_open_puts_its_messages_off_and_no_others(
    visit: Appointment, now: datetime
) -> None:
    text = queued(visit, now=now)
    mail = queued(visit, now=now, channel=Channel.EMAIL)
    working = Recorder()

    def only_mail(name: str) -> Recorder:
        if name == "sms":
            raise ValueError("no account")
        return working

    dispatch.send_due(now=now, channel=only_mail)
    assert again(mail).state == MessageState.ACCEPTED
    stored = again(text)
    assert (stored.state, stored.attempts_made) == (MessageState.SCHEDULED, 0)
    assert stored.wake_at == now + timedelta(minutes=5)


def test_a_stop_that_the_provider_knows_of_suppresses_the_number(
    visit: Appointment, now: datetime
) -> None:
    message = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder(refused("21610")))
    stored = again(message)
    assert (stored.state, stored.reason) == (MessageState.FAILED, "refused")
    assert stored.error_code == "21610"
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.reason) == ("+12125550123", "opted_out")


@pytest.mark.parametrize("code", ["21211", "21614", "30006"])
def test_a_number_that_takes_no_texts_is_used_no_more(
    visit: Appointment, now: datetime, code: str
) -> None:
    queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder(refused(code)))
    assert Suppression.objects.get().reason == "not_textable"


def test_a_mail_address_that_does_not_exist_is_used_no_more(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now, channel=Channel.EMAIL)
    dispatch.send_due(now=now, channel=Recorder(refused("5.1.1")))
    suppression = Suppression.objects.get()
    assert (suppression.channel, suppression.reason) == ("email", "hard_bounce")


def test_a_failure_of_our_own_account_suppresses_nobody(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder(refused("30007")))
    assert not Suppression.objects.exists()


def test_nobody_has_to_call_when_an_email_says_the_same(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now)
    queued(visit, now=now + MINUTE, channel=Channel.EMAIL)
    dispatch.send_due(now=now, channel=Recorder(refused("21614")))
    assert not Task.objects.exists()


def test_staff_are_asked_to_call_once_both_channels_failed(
    visit: Appointment, now: datetime
) -> None:
    queued(visit, now=now)
    queued(visit, now=now, channel=Channel.EMAIL)
    dispatch.send_due(now=now, channel=Recorder(refused("30008")))
    assert {task.appointment for task in Task.objects.all()} == {visit}


def test_both_channels_that_failed_make_one_call(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now)
    queued(visit, now=now, channel=Channel.EMAIL)
    dispatch.send_due(now=now, channel=Recorder(refused("30008")))
    assert Task.objects.count() == 1


@pytest.mark.parametrize("kind", [Kind.BOOKING_CONFIRMED, Kind.PRECARE_STEP])
def test_staff_are_asked_to_call_when_the_email_that_would_say_the_same_is_held_back(
    visit: Appointment, patient: Patient, now: datetime, kind: Kind
) -> None:
    queued(visit, now=now, kind=kind)
    queued(visit, now=now + MINUTE, kind=kind, channel=Channel.EMAIL)
    dispatch.send_due(now=now, channel=Recorder(refused("21614")))
    assert not Task.objects.exists()
    consent.withdraw(patient=patient, purpose="care", channel="email", by=None, now=now)
    planned(patient, visit.site)
    dispatch.send_due(now=now + MINUTE, channel=Recorder())
    urgent = kind == Kind.BOOKING_CONFIRMED
    assert [task.appointment for task in Task.objects.all()] == ([visit] if urgent else [])


def test_nobody_has_to_call_when_an_email_is_held_back_whose_text_arrived(
    visit: Appointment, patient: Patient, now: datetime
) -> None:
    queued(visit, now=now)
    queued(visit, now=now + MINUTE, channel=Channel.EMAIL)
    dispatch.send_due(now=now, channel=Recorder())
    consent.withdraw(patient=patient, purpose="care", channel="email", by=None, now=now)
    planned(patient, visit.site)
    dispatch.send_due(now=now + MINUTE, channel=Recorder())
    assert Message.objects.filter(state=MessageState.SKIPPED).exists()
    assert not Task.objects.exists()


def test_a_failure_of_low_priority_asks_nobody_to_call(visit: Appointment, now: datetime) -> None:
    queued(visit, now=now, kind=Kind.PRECARE_STEP)
    dispatch.send_due(now=now, channel=Recorder(refused("21614")))
    assert not Task.objects.exists()


def test_a_message_that_cannot_be_written_fails_alone(
    visit: Appointment,
    site: Site,
    front_desk: Staff,
    protocol: ProtocolVersion,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poison = queued(visit, now=now)
    MessageItem.objects.filter(message=poison).update(anchor="visit:0")
    other = a_patient(site, front_desk, now, phone="+12125550199", email="o@patients.example")
    healthy = queued(a_visit(other, site, protocol, now=now), now=now)
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    assert [sent.message_id for sent in channel.sent] == [healthy.pk]
    stored = again(poison)
    assert (stored.state, stored.reason) == (MessageState.FAILED, "cannot_be_written")
    assert Task.objects.get().patient_id == poison.patient_id
    assert str(poison.pk) in caplog.text
    assert "Elena" not in caplog.text


def test_a_message_that_breaks_its_whole_window_fails_alone(
    site: Site,
    front_desk: Staff,
    protocol: ProtocolVersion,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    messages = [
        queued(a_visit(patient, site, protocol, now=now), now=now)
        for patient in some_patients(5, site, front_desk, now)
    ]
    poison = messages[3]

    def too_long(due: Sequence[Due], *rest: Any) -> dict[int, Ready]:
        ready = taking.write(due, *rest)
        if poison.pk in ready:
            words = ready[poison.pk].words._replace(subject="x" * 201)  # more than the column takes
            ready[poison.pk] = replace(ready[poison.pk], words=words)
        return ready

    channel = Recorder()
    for _ in messages:
        dispatch.send_due(now=now, channel=channel, write=too_long)
    assert len(channel.sent) == 4
    stored = again(poison)
    assert (stored.state, stored.reason) == (MessageState.FAILED, "cannot_be_written")
    assert Task.objects.get().patient_id == poison.patient_id


@contextmanager
def no_more_open_files() -> Iterator[None]:
    """Until the block ends this process can open nothing; what is open stays so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_that_cannot_be_read_for_a_moment_puts_off_what_needs_it_alone(
    visit: Appointment, site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    away = a_patient(site, front_desk, now, phone="+12125550199", email="o@patients.example")
    Patient.objects.filter(pk=away.pk).update(zone="America/Halifax")
    held = queued(a_visit(away, site, protocol, now=now), now=now, kind=Kind.REMINDER_CONFIRM)
    others = [queued(visit, now=now), queued(visit, now=now, kind=Kind.REMINDER_CONFIRM)]
    channel = Recorder()
    ZoneInfo(site.zone)  # this one has been read
    ZoneInfo.clear_cache(only_keys=["America/Halifax"])
    with no_more_open_files():
        for _ in range(3):
            dispatch.send_due(now=now, channel=channel)
    assert {sent.message_id for sent in channel.sent} == {each.pk for each in others}
    stored = again(held)
    assert (stored.state, stored.reason) == (MessageState.SCHEDULED, "machine_trouble")
    assert stored.wake_at is not None and now < stored.wake_at <= now + MINUTE
    assert stored.attempts_made == 1 and not Task.objects.exists()
    dispatch.send_due(now=stored.wake_at, channel=channel)
    assert again(held).state == MessageState.ACCEPTED


def test_a_message_that_asks_for_more_than_the_machine_has_fails_when_its_tries_are_over(
    visit: Appointment, now: datetime
) -> None:
    def enormous(*_: Any) -> dict[int, Ready]:
        bytearray(1 << 62)
        raise AssertionError

    message = queued(visit, now=now)
    Message.objects.filter(pk=message.pk).update(attempts_made=backoff.MOST_TRIES - 2)
    dispatch.send_due(now=now, channel=Recorder(), write=enormous)
    tried = again(message)
    assert tried.reason == "machine_trouble" and tried.wake_at is not None
    dispatch.send_due(now=tried.wake_at, channel=Recorder(), write=enormous)
    assert again(message).reason == "machine_failed"
    task = Task.objects.get()
    assert (task.patient_id, task.why) == (message.patient_id, [REASONS["machine_failed"]])


def test_messages_leave_while_nothing_can_be_noted_of_who_writes_them(
    visit: Appointment,
    now: datetime,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_words, "_own", None)
    no_directory = tmp_path / "full"
    no_directory.touch()
    settings.LAST_WORDS_DIR = no_directory
    last_words.collect(now=now)
    message = queued(visit, now=now)
    dispatch.send_due(now=now, channel=Recorder())
    assert again(message).state == MessageState.ACCEPTED


def test_a_note_that_was_cut_off_blames_nobody_and_is_gone(
    visit: Appointment, now: datetime, tmp_path: Path, settings: Settings
) -> None:
    settings.LAST_WORDS_DIR = tmp_path
    last_words.collect(now=now)
    [directory] = tmp_path.iterdir()
    note = directory / "dead.json"
    note.write_text("[17, 1")
    last_words.collect(now=now)
    assert not note.exists()


def test_a_death_whose_note_stays_is_not_counted_again_and_again(
    visit: Appointment,
    now: datetime,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.LAST_WORDS_DIR = tmp_path
    message = queued(visit, now=now)
    last_words.collect(now=now)
    [directory] = tmp_path.iterdir()
    stays, goes = directory / "stays.json", directory / "goes.json"
    removed = Path.unlink

    def unlink(path: Path) -> None:
        if path == stays:
            raise PermissionError(13, "Permission denied")
        removed(path)

    monkeypatch.setattr(Path, "unlink", unlink)
    for note in (stays, goes):
        note.write_text(f"[{message.pk}]\n")
    (directory / "unreadable.json").mkdir()
    for _ in range(writing_deaths.MOST_DEATHS):
        last_words.collect(now=now)
    assert stays.exists() and not goes.exists()
    assert WritingDeath.objects.get().deaths == 1
    assert again(message).state == MessageState.SCHEDULED


def test_an_answer_that_cannot_be_stored_costs_the_others_nothing(
    site: Site, front_desk: Staff, protocol: ProtocolVersion, now: datetime
) -> None:
    messages = [
        queued(a_visit(patient, site, protocol, now=now), now=now)
        for patient in some_patients(3, site, front_desk, now)
    ]
    garbled = messages[1]

    def answer(outgoing: Outgoing) -> Submission:
        nobodys = "\x00" if outgoing.message_id == garbled.pk else "SM1"
        return Submission(outcome=Outcome.ACCEPTED, provider_id=nobodys)

    tally = dispatch.send_due(now=now, channel=Recorder(answer))
    assert tally["accepted"] == 2
    dispatch.tidy(now=now + 2 * MINUTE)
    states = [again(message).state for message in messages]
    assert states == [MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.ACCEPTED]


@pytest.mark.parametrize(
    ("refuses", "agrees"),
    [
        (
            "ALTER TABLE reminders_message ADD CONSTRAINT other CHECK (state <> 'submitting')",
            "ALTER TABLE reminders_message DROP CONSTRAINT other",
        ),
        (
            "ALTER TABLE reminders_sentcontent RENAME body_digest TO other",
            "ALTER TABLE reminders_sentcontent RENAME other TO body_digest",
        ),
    ],
)
def test_what_a_database_of_another_release_does_not_take_leaves_once_they_agree(
    site: Site,
    front_desk: Staff,
    protocol: ProtocolVersion,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
    as_owner: Callable[[str], None],
    refuses: str,
    agrees: str,
) -> None:
    for patient in some_patients(3, site, front_desk, now):
        queued(a_visit(patient, site, protocol, now=now), now=now)
    channel = Recorder()
    as_owner(f"SET CONSTRAINTS ALL IMMEDIATE; {refuses}")
    for _ in range(3):
        dispatch.send_due(now=now, channel=channel)
    as_owner(f"SET CONSTRAINTS ALL IMMEDIATE; {agrees}")
    assert set(Message.objects.values_list("state", "reason")) == {
        (MessageState.SCHEDULED, "cannot_be_stored")
    }
    assert not Task.objects.exists()
    assert "Error" in caplog.text
    dispatch.send_due(now=now + MINUTE, channel=channel)
    assert len(channel.sent) == 3
