"""After silence a patient gets one message, not a burst: seen by who sends, done by planning."""

from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import Channel, MessageState
from reminders.journeys import replanning
from reminders.models import Message
from reminders.sending import dispatch
from tests.personas import a_patient
from tests.reminders.ledger import Recorder, a_visit

pytestmark = pytest.mark.django_db

ROUND = timedelta(seconds=5)


@pytest.fixture
def silence(visit: Appointment, now: datetime) -> datetime:
    """A visit is planned and nothing is sent for weeks, until the morning of the visit."""
    replanning.sync_stale(now=now)
    return visit.starts_at.replace(hour=13)  # 09:00 in New York, an hour before


def rounds(now: datetime, number: int, window: int = 64) -> list[list[str]]:
    """What leaves in each of some rounds of sending and planning: its channel."""
    sent = []
    for each in range(number):
        channel = Recorder()
        dispatch.send_due(now=now + each * ROUND, window=window, channel=channel)
        sent.append([(outgoing.subject and "email") or "sms" for outgoing in channel.sent])
        replanning.sync_stale(now=now + each * ROUND)
    return sent


def last_words() -> list[Message]:
    return list(
        Message.objects.filter(accepted_at__isnull=False, priority__gt=0).order_by("channel")
    )


def test_after_weeks_of_silence_one_message_a_channel_says_what_is_still_of_use(
    visit: Appointment, silence: datetime
) -> None:
    sent = [channel for each in rounds(silence, 4) for channel in each]
    late = last_words()
    assert [each.channel for each in late] == ["email", "sms"]
    assert {"pre.actives", "day.bare_skin"} <= set(late[0].steps)
    # The notices, which never wait, and one catch-up each.
    assert sorted(sent) == ["email", "email", "sms", "sms"]
    expired = Message.objects.filter(state=MessageState.SKIPPED, reason="expired")
    assert {each.kind for each in expired} == {"reminder_confirm"}


def test_it_comes_to_rest(visit: Appointment, silence: datetime) -> None:
    rounds(silence, 4)
    assert rounds(silence + timedelta(minutes=1), 3) == [[], [], []]


def test_a_window_that_ends_amidst_the_late_ones_makes_no_burst_either(
    visit: Appointment, silence: datetime
) -> None:
    rounds(silence, 30, window=1)
    assert len(last_words()) == 2


def test_who_has_one_late_message_gets_it_as_it_is(
    visit: Appointment, silence: datetime, now: datetime
) -> None:
    texts = Message.objects.filter(channel=Channel.SMS, state=MessageState.SCHEDULED, waits_for="")
    lone = texts.order_by("due_at").exclude(priority=0).first()
    assert lone is not None
    rounds(lone.due_at + timedelta(hours=2), 3)
    lone.refresh_from_db()
    assert lone.state == MessageState.ACCEPTED


def test_the_silence_of_one_is_no_matter_of_another(
    visit: Appointment,
    site: Site,
    protocol: ProtocolVersion,
    front_desk: Staff,
    silence: datetime,
    now: datetime,
) -> None:
    other = a_patient(site, front_desk, now, given="Kim", phone="+12125550177", email="")
    a_visit(other, site, protocol, now=silence - timedelta(hours=1))
    replanning.sync_stale(now=silence)
    rounds(silence, 4)
    assert Patient.objects.get(pk=other.pk).catch_up_at is None
