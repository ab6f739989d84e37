"""The patient's page says when results show, and asks for satisfaction once they do."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client

from appointments.models import Appointment, OutcomeScore
from appointments.visits import attendance
from clinic.models import Staff
from patients.models import Patient
from tests.links import issued

pytestmark = pytest.mark.django_db

BORN = {"year": "1988", "month": "5", "day": "4"}


def test_the_patient_is_asked_once_at_each_milestone_and_only_who_proved_to_be_them(
    client: Client,
    visits: list[Appointment],
    patient: Patient,
    front_desk: Staff,
    now: datetime,
) -> None:
    first = visits[0]
    attendance.check_in(appointment=first, by=front_desk, now=first.starts_at)
    attendance.start(appointment=first, by=front_desk, now=first.starts_at)
    attendance.complete(appointment=first, by=front_desk, now=first.starts_at + timedelta(hours=1))
    late = first.starts_at + timedelta(weeks=5)
    Appointment.objects.exclude(pk=first.pk).update(state="cancelled", closed_at=now)
    url = f"/p/{issued(patient_id=patient.pk, appointment=None, now=late)}/"
    with time_machine.travel(late, tick=False):
        assert client.post(f"{url}result/", {"value": "5"}).status_code == 303
        assert not OutcomeScore.objects.exists()
        client.post(url, BORN)
        page = client.get(url).content.decode()
        assert "First results show from Thu 18 Mar" in page
        assert "How satisfied are you" in page and "How far to trust it" in page
        for wrong in ("0", "6", "much"):
            client.post(f"{url}result/", {"value": wrong})
        assert not OutcomeScore.objects.exists()
        thanked = client.post(f"{url}result/", {"value": "4"})
        assert thanked.headers["Location"] == f"{url}?thanks=1"
        assert "Thank you" in client.get(thanked.headers["Location"]).content.decode()
        client.post(f"{url}result/", {"value": "1"})
        score = OutcomeScore.objects.get()
        assert (score.value, score.by, score.milestone) == (4, None, "first")
        assert "How satisfied" not in client.get(url).content.decode()
    led = client.get(f"{url}result/")
    assert (led.status_code, led.headers["Location"]) == (302, url)
    assert OutcomeScore.objects.get().value == 4
