"""GET /health/ tells the truth about every part."""

from typing import Any

import pytest
from django.test import Client

from tests.processes import Spawn, eventually


def parts(client: Client) -> dict[str, Any]:
    return dict(client.get("/health/").json()["parts"])


@pytest.mark.django_db
def test_without_worker_and_beat_health_says_so_and_answers_503(client: Client) -> None:
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "down",
        "parts": {"database": "ok", "redis": "ok", "worker": "unknown", "beat": "down"},
    }


@pytest.mark.django_db(transaction=True)
def test_health_follows_worker_and_beat(
    client: Client, celery_worker: Spawn, celery_beat: Spawn
) -> None:
    worker, _beat = celery_worker(), celery_beat()
    eventually(lambda: client.get("/health/").status_code == 200, seconds=40)
    worker.kill()
    eventually(lambda: parts(client)["worker"] == "down", seconds=60)
    assert parts(client)["beat"] == "ok"
