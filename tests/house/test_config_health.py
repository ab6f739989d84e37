"""GET /health/ tells the truth about every part."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clinic.models import ProtocolVersion, Site
from patients.models import Patient
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
