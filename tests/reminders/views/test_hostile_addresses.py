"""What nobody wrote by hand, in addresses and forms: read as nothing, and never a fault."""

from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from clinic.models import ProtocolVersion
from patients.models import Patient

pytestmark = pytest.mark.django_db

# Digits of no number, and numbers of no row.
NO_IDS = ["²", "٣", "9" * 30, "9" * 5000, "-1"]
NO_TIMES = ["99991231T2355", "00010101T0000"]
NO_DAYS = ["9999-12-31", "0001-01-01"]


@pytest.mark.parametrize("text", NO_IDS)
def test_an_id_that_is_none_names_nothing(
    desk: Client, patient: Patient, house: ProtocolVersion, visits: list[Appointment], text: str
) -> None:
    plan: dict[str, Any] = {
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 1,
    }
    place = f"20270309T1500~{text}~1~1"
    assert desk.get("/day/", {"provider": text}).status_code == 200
    assert desk.get("/series/new/dates/", {**plan, "look": f"{text}@"}).status_code == 200
    for act in ("change", "book", "hold"):
        sent = {**plan, "visit": place, "choose": f"{text}@{place}", "look": text}
        assert desk.post(f"/series/new/{act}/", sent).status_code < 500
    answer = desk.post(f"/series/{visits[0].series_id}/next/", {"place": place})
    assert answer.status_code == 409


@pytest.mark.parametrize("text", NO_IDS)
def test_a_version_that_is_none_is_a_stale_one(
    desk: Client, visits: list[Appointment], text: str
) -> None:
    sent = {"version": text, "day": "2027-02-19", "time": "11:00"}
    assert desk.post(f"/visits/{visits[0].pk}/move/", sent).status_code == 409
    assert not visits[0].history.filter(move="move").exists()


@pytest.mark.parametrize("text", NO_TIMES)
@pytest.mark.parametrize("name", ["start", "over"])
def test_a_time_of_no_clinic_is_no_start(
    desk: Client, visits: list[Appointment], name: str, text: str
) -> None:
    sent = {"version": visits[0].version, name: text}
    answer = desk.post(f"/visits/{visits[0].pk}/move/", sent)
    assert answer.status_code == 409 and "write a date and a time" in answer.content.decode()


@pytest.mark.parametrize("text", NO_DAYS)
def test_a_day_of_no_clinic_is_not_shown(desk: Client, house: ProtocolVersion, text: str) -> None:
    assert "15 Feb" in desk.get("/day/", {"date": text}).content.decode()
    slug = "harbour"
    assert desk.get(f"/hours/{slug}/{text}/site/").status_code == 404
    assert desk.get(f"/hours/{slug}/2027-03-01/{'9' * 5000}/").status_code == 404
