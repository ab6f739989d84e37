"""Holds over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import TimeMachineFixture

from appointments.models import Allocation, Hold
from clinic.models import ProtocolVersion, Role, Site, SiteRole, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, Wish
from tests.personas import NOW, a_patient, staff_at

pytestmark = [pytest.mark.django_db, CLOCK]

HOLDS, SERIES = "/api/v1/holds/", "/api/v1/series/"


@pytest.fixture
def asked(patient: Patient, site: Site, house: ProtocolVersion, wish: Wish) -> dict[str, Any]:
    """Two sessions of RF microneedling at ten."""
    places = [wish(FIRST), wish(SECOND)]
    return {
        "patient": patient.pk,
        "site": site.pk,
        "protocol": house.pk,
        "areas": ["face"],
        "visits": [
            {
                "starts_at": place.starts_at.isoformat(),
                "provider": place.provider_id,
                "room": place.room_id,
                "device": place.device_id,
            }
            for place in places
        ],
    }


def z(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_hold_is_placed_listed_and_let_go(
    front_desk: Staff, asked: dict[str, Any], patient: Patient
) -> None:
    placed = api(front_desk).post(HOLDS, asked)
    assert placed.status_code == 201, placed.content
    body = placed.json()
    assert body["expires_at"] == z(NOW + timedelta(minutes=5))
    assert (body["patient"], body["held_by"]["name"]) == (patient.pk, "Ana Front")
    kinds = [each["kind"] for each in body["allocations"]]
    assert sorted(kinds) == ["device", "device", "provider", "provider", "room", "room"]
    assert api(front_desk).get(HOLDS).json()["results"] == [body]
    assert api(front_desk).get(f"{HOLDS}{body['id']}/").json() == body
    let_go = api(front_desk).post(f"{HOLDS}{body['id']}/release/", {})
    assert let_go.json()["released_at"] == z(NOW)
    assert api(front_desk).get(HOLDS).json()["count"] == 0
    again = api(front_desk).post(f"{HOLDS}{body['id']}/release/", {})
    assert again.status_code == 200
    refused(api(front_desk).get(f"{HOLDS}{body['id']}/"), 404, "not_found")


def test_what_ran_out_is_not_listed_although_nobody_cleared_it(
    front_desk: Staff, asked: dict[str, Any], time_machine: TimeMachineFixture
) -> None:
    api(front_desk).post(HOLDS, asked)
    time_machine.move_to(NOW + timedelta(minutes=5), tick=False)
    assert api(front_desk).get(HOLDS).json()["count"] == 0
    assert Allocation.objects.filter(hold__isnull=False).exists()


def test_who_comes_second_is_answered_with_who_holds_it_and_places_near(
    front_desk: Staff, site: Site, asked: dict[str, Any]
) -> None:
    api(front_desk).post(HOLDS, asked)
    ben = a_patient(site, front_desk, NOW, given="Ben", phone="", email="ben@p.example")
    colleague = staff_at(site, Role.FRONT_DESK, "Bo Desk")
    for address in (HOLDS, SERIES):
        answer = api(colleague).post(address, asked | {"patient": ben.pk})
        body = refused(answer, 409, "slot_held", "visits.0.starts_at")
        assert body["held_until"] == z(NOW + timedelta(minutes=5))
        assert len(body["nearest"]) == 3
        assert "held by Ana Front until 09:05" in body["sentence"]


def test_booking_lets_the_own_hold_go(front_desk: Staff, asked: dict[str, Any]) -> None:
    held = api(front_desk).post(HOLDS, asked).json()
    assert api(front_desk).post(SERIES, asked).status_code == 201
    assert Hold.objects.get(pk=held["id"]).released_at == NOW


def test_an_outsider_sees_and_touches_no_hold(
    front_desk: Staff, outsider: Staff, asked: dict[str, Any]
) -> None:
    held = api(front_desk).post(HOLDS, asked).json()
    refused(api(outsider).post(HOLDS, asked), 404, "not_found", "patient")
    assert api(outsider).get(HOLDS).json()["count"] == 0
    refused(api(outsider).get(f"{HOLDS}{held['id']}/"), 404, "not_found")
    refused(api(outsider).post(f"{HOLDS}{held['id']}/release/", {}), 404, "not_found")
    assert Hold.objects.unreleased().count() == 1


def test_a_colleague_sees_a_hold_but_does_not_let_it_go(
    front_desk: Staff, provider: Staff, asked: dict[str, Any]
) -> None:
    held = api(front_desk).post(HOLDS, asked).json()
    assert api(provider).get(HOLDS).json()["count"] == 1
    answer = api(provider).post(f"{HOLDS}{held['id']}/release/", {})
    refused(answer, 403, "forbidden")


def test_a_patient_of_other_sites_is_not_named(
    front_desk: Staff, site: Site, other_site: Site, outsider: Staff, asked: dict[str, Any]
) -> None:
    elsewhere = a_patient(other_site, outsider, NOW, given="Kit", phone="", email="kit@p.example")
    member = staff_at(site, Role.FRONT_DESK, "Both Sites")
    SiteRole.objects.create(staff=member, site=other_site, role=Role.FRONT_DESK)
    held = api(member).post(HOLDS, asked | {"patient": elsewhere.pk}).json()
    assert held["patient"] == elsewhere.pk
    [listed] = api(front_desk).get(HOLDS).json()["results"]
    assert (listed["id"], listed["patient"]) == (held["id"], None)


def test_a_list_of_holds_costs_the_same_queries_however_long(
    front_desk: Staff, site: Site, asked: dict[str, Any]
) -> None:
    counts = []
    for number, visit in enumerate(asked["visits"]):
        one = a_patient(site, front_desk, NOW, given=f"P{number}", phone="", email="")
        api(front_desk).post(HOLDS, asked | {"patient": one.pk, "visits": [visit]})
        with CaptureQueriesContext(connection) as queries:
            assert api(front_desk).get(HOLDS).json()["count"] == number + 1
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
