from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment
from patients.models import Patient
from reminders.models import Message
from reminders.sending import dispatch
from reminders.sending.floor import Floor
from tests.reminders.ledger import Recorder, planned, queued

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def drained(floor: Floor, now: datetime) -> int:
    return dispatch.drain(clock=lambda: now, seconds=30, channel=Recorder(), floor=floor)[
        "accepted"
    ]


def test_what_becomes_due_is_found_above_the_floor(visit: Appointment, now: datetime) -> None:
    floor = Floor()
    assert drained(floor, now) == 0
    queued(visit, now=now)
    assert drained(floor, now) == 1


def test_the_floor_never_rises_above_what_still_waits(visit: Appointment, now: datetime) -> None:
    message = queued(visit, now=now - 10 * MINUTE)
    Message.objects.filter(pk=message.pk).update(wake_at=now - 10 * MINUTE)
    Patient.objects.filter(pk=visit.series.patient_id).raise_revision()
    floor = Floor()
    assert drained(floor, now) == 0  # its patient is to be planned first
    planned(visit.series.patient, visit.site)
    assert drained(floor, now) == 1


def test_what_was_committed_late_is_found_by_the_next_whole_look(
    visit: Appointment, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = Floor()
    assert drained(floor, now) == 0
    message = queued(visit, now=now)
    Message.objects.filter(pk=message.pk).update(wake_at=now - 10 * MINUTE)
    assert drained(floor, now) == 0
    monkeypatch.setattr(floor, "_look_at", 0.0)
    assert drained(floor, now) == 1
