"""A worker that hears no doorbell ends itself; who hears, works or waits for Redis does not."""

import signal
from datetime import timedelta
from itertools import chain, repeat

import pytest
from celery.worker import state
from django.conf import settings
from django.utils import timezone
from redis import Redis

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site
from config import pulse
from config.watchdog import DEAF_SECONDS, Watchdog
from patients.models import Patient
from tests.faults.born import Worker
from tests.processes import eventually
from tests.reminders.ledger import a_visit, queued


@pytest.fixture
def due(patient: Patient, site: Site, protocol: ProtocolVersion) -> Appointment:
    """Something that has been due for a minute."""
    now = timezone.now()
    visit = a_visit(patient, site, protocol, now=now)
    queued(visit, now=now - timedelta(minutes=1))
    return visit


def silent_for(seconds: float) -> Watchdog:
    return Watchdog(own=chain([0.0], repeat(seconds)).__next__)


@pytest.mark.django_db(transaction=True)
def test_it_is_deaf_when_beat_rings_and_something_is_due_and_it_hears_nothing(
    due: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    assert not silent_for(DEAF_SECONDS + 1).is_deaf  # nobody rings
    pulse.beat_rang()
    assert not silent_for(DEAF_SECONDS - 1).is_deaf
    assert silent_for(DEAF_SECONDS + 1).is_deaf
    heard = silent_for(DEAF_SECONDS + 1)
    heard.heard()
    assert not heard.is_deaf
    with monkeypatch.context() as busy:
        busy.setattr(state, "reserved_requests", {object()})
        assert not silent_for(DEAF_SECONDS + 1).is_deaf
    due.series.patient.messages.update(wake_at=None)
    assert not silent_for(DEAF_SECONDS + 1).is_deaf


@pytest.mark.usefixtures("due")
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_nobody_rings_for_ends_with_its_children_and_others_live(
    celery_worker: Worker,
) -> None:
    env = {"WATCHDOG_DEAF_SECONDS": "1"}
    worker, other = celery_worker(queues="wake", env=env), celery_worker(queues="house", env=env)
    pulse.beat_rang()  # its sign, and no doorbell: as if the worker did not hear it
    eventually(lambda: worker.ended() is not None, seconds=30)
    assert worker.ended() == -signal.SIGKILL
    assert other.ended() is None
