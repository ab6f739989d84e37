"""Caps as the ledger holds them: for a family, beside each other, and with everything explained."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, Kind, MessageState
from reminders.journeys import recipients
from reminders.journeys.traffic import Traffic
from reminders.models import Message, SentContent
from reminders.sending import dispatch
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, a_visit, queued

pytestmark = pytest.mark.django_db

NUMBER = "+12125550123"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def child(
    site: Site, patient: Patient, protocol: ProtocolVersion, front_desk: Staff, now: datetime
) -> Appointment:
    """A visit of somebody whom the patient's own number reaches too, and no e-mail."""
    kim = a_patient(site, front_desk, now, given="Kim", email="")
    return a_visit(kim, site, protocol, now=now)


def had(message: Message, at: datetime, address: str = NUMBER) -> None:
    """As if it had gone to the number at `at`."""
    Message.objects.filter(pk=message.pk).update(
        state=MessageState.DELIVERED, accepted_at=at, claimed_at=at, wake_at=None
    )
    SentContent.objects.create(message=message, address=address, text="Hi", segments=1, at=at)


def send(now: datetime) -> list[str]:
    channel = Recorder()
    dispatch.send_due(now=now, channel=channel)
    return [each.reference for each in channel.sent]


def pointer(visit: Appointment, now: datetime, **more: object) -> Message:
    asked = {"kind": Kind.POSTCARE_STEP, "expires_at": now + timedelta(days=3)}
    return queued(visit, now=now, **(asked | more))  # type: ignore[arg-type]


def test_a_pointer_waits_for_the_next_day_when_the_family_had_its_text(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    had(queued(visit, now=now - HOUR, kind=Kind.REMINDER_FINAL), now - HOUR)
    waits = pointer(child, now)
    assert send(now) == []
    waits.refresh_from_db()
    assert (waits.state, waits.reason) == (MessageState.SCHEDULED, "cap")
    assert waits.wake_at == datetime(2027, 2, 16, 13, tzinfo=now.tzinfo)  # 08:00 in New York
    assert "everybody who shares it" in waits.gate_why[0]
    assert send(waits.wake_at) == [str(waits.reference)]


def test_what_the_e_mail_says_too_needs_no_text_over_the_cap(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    had(queued(child, now=now - HOUR, kind=Kind.REMINDER_FINAL), now - HOUR)
    text = pointer(visit, now, steps=["sun"])
    pointer(visit, now + DAY, steps=["sun"], channel=Channel.EMAIL)
    assert send(now) == []
    text.refresh_from_db()
    assert (text.state, text.reason) == (MessageState.SKIPPED, "said_by_email")


def test_what_would_come_too_late_is_dropped_with_its_reason(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    had(queued(visit, now=now - HOUR, kind=Kind.REMINDER_FINAL), now - HOUR)
    dropped = pointer(child, now, expires_at=now + timedelta(hours=12))
    assert send(now) == []
    dropped.refresh_from_db()
    assert (dropped.state, dropped.reason) == (MessageState.SKIPPED, "cap")


def test_reminders_and_notices_go_whatever_there_was_and_take_the_room_of_what_can_wait(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    had(queued(visit, now=now - HOUR), now - HOUR)
    reminder = queued(visit, now=now, kind=Kind.REMINDER_FINAL)
    assert send(now) == [str(reminder.reference)]


def test_within_one_window_the_more_urgent_has_the_room(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    waits = pointer(child, now)
    reminder = queued(visit, now=now, kind=Kind.REMINDER_FINAL)
    assert send(now) == [str(reminder.reference)]
    waits.refresh_from_db()
    assert waits.reason == "cap"


def test_what_failed_does_not_count(visit: Appointment, child: Appointment, now: datetime) -> None:
    failed = queued(visit, now=now - HOUR, kind=Kind.REMINDER_FINAL)
    had(failed, now - HOUR)
    Message.objects.filter(pk=failed.pk).update(
        state=MessageState.FAILED, reason="refused", accepted_at=None
    )
    goes = pointer(child, now)
    assert send(now) == [str(goes.reference)]


def test_judging_many_costs_as_many_queries_as_judging_one(
    site: Site, protocol: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    def window(size: int) -> Sequence[Message]:
        return [
            pointer(
                a_visit(
                    a_patient(site, front_desk, now, phone=f"+1212555{1000 + size * 100 + n}"),
                    site,
                    protocol,
                    now=now,
                ),
                now,
            )
            for n in range(size)
        ]

    counted = []
    for size in (1, 8):
        messages = window(size)
        known = recipients.of(messages)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            Traffic(messages, known, now=now)
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 4


# --- Beside each other ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_judge_one_number_at_once(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    mine, theirs = pointer(visit, now), pointer(child, now)
    judging, done = Event(), Event()

    def other_worker() -> None:
        try:
            with transaction.atomic():
                traffic = Traffic([theirs], recipients.of([theirs]), now=now)
                assert not traffic.is_busy(theirs)
                had(theirs, now)
                judging.set()
                done.wait(20)
        finally:
            connections.close_all()

    worker = Thread(target=other_worker)
    worker.start()
    assert judging.wait(20)
    try:
        assert send(now) == []  # the number is being judged: it is left for the next round
        mine.refresh_from_db()
        assert (mine.state, mine.reason) == (MessageState.SCHEDULED, "")
    finally:
        done.set()
        worker.join()
    assert send(now) == []
    mine.refresh_from_db()
    assert mine.reason == "cap"


@pytest.mark.django_db(transaction=True)
def test_two_drains_beside_each_other_send_a_family_one_pointer(
    visit: Appointment, child: Appointment, now: datetime
) -> None:
    pointer(visit, now)
    pointer(child, now)
    sent: list[str] = []

    def drain() -> None:
        try:
            for _ in range(5):
                sent.extend(send(now))
        finally:
            connections.close_all()

    workers = [Thread(target=drain) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(sent) == 1
    assert sorted(Message.objects.values_list("reason", flat=True)) == ["", "cap"]
