"""GET /metrics/ gives Prometheus the engine's figures, and nobody else."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.reminders.ledger import a_visit, queued

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-tests"


@pytest.fixture
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def test_without_a_token_of_the_installation_there_is_no_such_page(client: Client) -> None:
    assert client.get("/metrics/").status_code == 404


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer another", TOKEN, f"bearer {TOKEN}x"])
def test_without_the_right_token_it_is_refused(client: Client, manager: Staff, given: str) -> None:
    client.force_login(manager)
    answer = client.get("/metrics/", headers={"Authorization": given})
    assert answer.status_code == 403
    assert not answer.content


@pytest.mark.usefixtures("token")
def test_the_figures_are_those_of_the_ledger(
    client: Client, patient: Patient, site: Site, protocol: ProtocolVersion
) -> None:
    now = timezone.now()
    queued(a_visit(patient, site, protocol, now=now), now=now - timedelta(minutes=5))
    answer = client.get("/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer["Content-Type"].startswith("text/plain")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }
    assert samples["afterglow_due", "0"] == 1
    assert samples["afterglow_due", "1"] == 0
    assert 300 <= samples["afterglow_oldest_due_seconds",] < 360
    assert samples["afterglow_unknown",] == 0
    assert patient.legal_family not in answer.content.decode()
