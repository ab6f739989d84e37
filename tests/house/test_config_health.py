"""GET /health/ tells the truth about every part."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.test import Client
from django.utils import timezone
from redis import Redis

from clinic.models import ProtocolVersion, Site
from config import pulse
from patients.models import Patient
from reminders import tasks
from tests.faults.born import Worker
from tests.processes import eventually
from tests.reminders.ledger import a_visit, queued


def parts(client: Client) -> dict[str, Any]:
    return dict(client.get("/health/").json()["parts"])


@pytest.mark.django_db
def test_without_worker_and_beat_health_says_so_and_answers_503(client: Client) -> None:
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["parts"] == {
        "database": "ok",
        "redis": "ok",
        "worker": "unknown",
        "beat": "down",
        "engine": "ok",
    }


@pytest.mark.django_db(transaction=True)
def test_health_follows_worker_and_beat(
    client: Client, celery_worker: Worker, celery_beat: Worker
) -> None:
    worker, _beat = celery_worker(), celery_beat()
    eventually(lambda: client.get("/health/").status_code == 200, seconds=40)
    worker.kill()
    eventually(lambda: parts(client)["worker"] == "down", seconds=60)
    assert parts(client)["beat"] == "ok"


@pytest.mark.parametrize(
    ("queue", "seconds"), [("wake", tasks.DRAIN_SECONDS), ("plan", tasks.PLAN_SECONDS)]
)
def test_who_is_at_a_long_task_is_not_taken_for_dead(queue: str, seconds: float) -> None:
    rung = SimpleNamespace(request=SimpleNamespace(delivery_info={"routing_key": queue}))

    sign = f"afterglow:pulse:queue:{queue}"
    with Redis.from_url(settings.REDIS_URL) as client:
        task_prerun.send(sender=None, task=rung)
        assert queue not in pulse.silent_queues()
        assert client.ttl(sign) > seconds + 5
        task_postrun.send(sender=None, task=rung)
        assert 0 < client.ttl(sign) <= pulse.QUEUE_SILENCE[queue]
        client.delete(sign)


@pytest.mark.django_db
def test_a_message_that_waits_too_long_shows_with_its_age(
    client: Client, patient: Patient, site: Site, protocol: ProtocolVersion
) -> None:
    now = timezone.now()
    visit = a_visit(patient, site, protocol, now=now)
    queued(visit, now=now - timedelta(minutes=5))
    answer = client.get("/health/").json()
    assert answer["parts"]["engine"] == "late"
    assert answer["engine"]["due"] == 1
    assert 300 <= answer["engine"]["oldest_due_seconds"] < 360
    assert patient.legal_family not in str(answer)
