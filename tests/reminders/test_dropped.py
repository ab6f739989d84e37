"""A critical step that reaches the patient by no message is asked of staff."""

from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment, Task
from reminders.catalogue import Channel, Kind
from reminders.models import Message
from reminders.sending import dispatch
from tests.reminders.ledger import Recorder, queued

pytestmark = pytest.mark.django_db


def expired(visit: Appointment, now: datetime, channel: Channel, priority: int = 1) -> Message:
    """A message about one step that nobody sent in time."""
    message = queued(
        visit,
        now=now - timedelta(days=1),
        kind=Kind.PRECARE_STEP,
        channel=channel,
        steps=["pre.actives"],
        expires_at=now - timedelta(hours=1),
    )
    Message.objects.filter(pk=message.pk).update(priority=priority)
    return message


def test_both_channels_together_ask_for_one_call(visit: Appointment, now: datetime) -> None:
    for channel in Channel:
        expired(visit, now, channel)
    dispatch.send_due(now=now, channel=Recorder())
    task = Task.objects.get()
    assert task.appointment == visit
    assert "critical step" in task.detail


def test_what_the_other_channel_still_says_asks_for_none(visit: Appointment, now: datetime) -> None:
    expired(visit, now, Channel.SMS)
    queued(
        visit,
        now=now,
        kind=Kind.PRECARE_STEP,
        channel=Channel.EMAIL,
        steps=["pre.actives"],
        expires_at=now + timedelta(days=1),
    )
    dispatch.send_due(now=now, channel=Recorder())
    assert not Task.objects.exists()


def test_a_step_that_can_be_spared_asks_for_none(visit: Appointment, now: datetime) -> None:
    for channel in Channel:
        expired(visit, now, channel, priority=2)
    dispatch.send_due(now=now, channel=Recorder())
    assert not Task.objects.exists()
