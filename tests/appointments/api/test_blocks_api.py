"""Blocks and exceptional hours through the API, with the visits they affect."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from appointments.models import Appointment, Block
from clinic.models import HoursException, ProtocolVersion, Resource, Site, Staff
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST

pytestmark = [pytest.mark.django_db, CLOCK]

BLOCKS, HOURS = "/api/v1/blocks/", "/api/v1/hours-exceptions/"


@pytest.fixture
def asked(site: Site, needling_device: Resource) -> dict[str, Any]:
    """A week without the device, from FIRST on."""
    return {
        "site": site.pk,
        "kind": "maintenance",
        "resources": [needling_device.pk],
        "starts_at": {"wall": f"{FIRST}T08:00"},
        "ends_at": {"wall": f"{FIRST + timedelta(days=7)}T08:00"},
        "reason": "Handpiece",
    }


@pytest.fixture
def second_device(site: Site, house: ProtocolVersion) -> Resource:
    return Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )


def made(client: APIClient, asked: dict[str, Any]) -> int:
    answer = client.post(BLOCKS, asked | {"over_visits": True}, format="json")
    assert answer.status_code == 201, answer.json()
    return int(answer.json()["id"])


def test_a_device_breaks_and_its_visits_go_to_another_one(
    front_desk: Staff,
    visits: list[Appointment],
    asked: dict[str, Any],
    second_device: Resource,
) -> None:
    client = api(front_desk)
    told = refused(client.post(BLOCKS, asked, format="json"), 409, "visits_in_the_way", "starts_at")
    assert told["appointments"] == [visits[0].pk]
    block = made(client, asked)
    (found,) = client.get(f"{BLOCKS}{block}/affected/").json()
    (line,) = found["lines"]
    assert found["problem"] is None and line["appointment"] == visits[0].pk
    assert line["after"]["device"]["name"] == "Needle 2"
    assert (line["starts_elsewhere"], line["ripples"]) == (False, False)
    place = {kind: line["after"][kind]["id"] for kind in ("provider", "room", "device")}
    move = {"appointment": visits[0].pk, "version": 1, "starts_at": line["after"]["starts_at"]}
    done = client.post(f"{BLOCKS}{block}/relocate/", {"moves": [{**move, **place}]}, format="json")
    assert done.json() == {"moved": [visits[0].pk], "refused": [], "left": 0}
    assert client.get(f"{BLOCKS}{block}/affected/").json() == []
    # Nothing is affected any more, so the same again moves nobody.
    again = client.post(f"{BLOCKS}{block}/relocate/", {"moves": [{**move, **place}]}, format="json")
    assert again.json() == {"moved": [], "refused": [], "left": 0}


def test_without_naming_places_all_go_where_they_are_proposed_to(
    front_desk: Staff, visits: list[Appointment], asked: dict[str, Any]
) -> None:
    Appointment.objects.filter(pk=visits[1].pk).update(is_locked=True)
    asked["ends_at"] = {"wall": f"{FIRST + timedelta(days=30)}T08:00"}
    client = api(front_desk)
    block = made(client, asked)
    stuck = client.get(f"{BLOCKS}{block}/affected/").json()[1]
    assert (stuck["problem"]["binding"], stuck["lines"]) == ("locked", [])
    done = client.post(f"{BLOCKS}{block}/relocate/", {}, format="json").json()
    assert done["left"] == 0
    visits[1].refresh_from_db()
    assert visits[1].version == 1


@pytest.mark.parametrize("name", ["starts_at", "ends_at"])
def test_an_end_that_the_clock_does_not_show_is_told_of_the_end(
    front_desk: Staff, house: object, asked: dict[str, Any], name: str
) -> None:
    asked |= {"ends_at": {"wall": "2027-03-20T08:00"}, name: {"wall": "2027-03-14T02:30"}}
    refused(api(front_desk).post(BLOCKS, asked, format="json"), 400, "wall_time_missing", name)


def test_a_block_is_listed_shortened_and_released(
    front_desk: Staff, house: object, asked: dict[str, Any], needling_device: Resource
) -> None:
    client = api(front_desk)
    block = made(client, asked)
    listed = client.get(f"{BLOCKS}?standing=true&resource={needling_device.pk}").json()["results"]
    assert [each["id"] for each in listed] == [block]
    assert listed[0]["resources"] == [
        {"id": needling_device.pk, "kind": "device", "name": "Needle 1"}
    ]
    assert listed[0]["ends_at"] == "2027-03-11T13:00:00Z"
    sooner = {"ends_at": {"wall": f"{FIRST}T12:00"}}
    answer = client.post(f"{BLOCKS}{block}/change-end/", sooner, format="json")
    assert answer.json()["ends_at"] == "2027-03-04T17:00:00Z"
    assert client.post(f"{BLOCKS}{block}/release/").json()["released_at"]
    refused(client.post(f"{BLOCKS}{block}/release/"), 409, "block_released", "block")
    assert client.get(f"{BLOCKS}?standing=true").json()["count"] == 0


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"ends_at": {"wall": "2027-03-04T08:00"}}, "block_out_of_order", "ends_at"),
        ({"starts_at": {"wall": "2027-03-14T02:30"}}, "wall_time_missing", "starts_at"),
        ({"resources": []}, "min_length", "resources"),
        ({"kind": "holiday"}, "invalid_choice", "kind"),
    ],
)
def test_a_block_that_cannot_be_is_refused_with_the_field_to_mend(
    front_desk: Staff,
    house: object,
    asked: dict[str, Any],
    changes: dict[str, Any],
    code: str,
    field: str,
) -> None:
    refused(api(front_desk).post(BLOCKS, asked | changes, format="json"), 400, code, field)
    assert not Block.objects.exists()


def test_a_patients_resource_cannot_even_be_named(
    front_desk: Staff, visits: list[Appointment], asked: dict[str, Any]
) -> None:
    asked["resources"] = [visits[0].series.patient.resource_id]
    refused(api(front_desk).post(BLOCKS, asked, format="json"), 404, "not_found", "resources")


def test_a_provider_sees_blocks_and_makes_none(
    provider: Staff, front_desk: Staff, house: object, asked: dict[str, Any]
) -> None:
    block = made(api(front_desk), asked)
    assert api(provider).get(f"{BLOCKS}{block}/").status_code == 200
    refused(api(provider).post(BLOCKS, asked, format="json"), 403, "forbidden")
    refused(api(provider).post(f"{BLOCKS}{block}/release/"), 403, "forbidden")


def test_a_site_closes_at_noon_and_who_comes_later_is_listed_and_moved(
    manager: Staff, front_desk: Staff, visits: list[Appointment], site: Site
) -> None:
    asked = {
        "site": site.pk,
        "day": str(FIRST),
        "stretches": [{"starts": 720, "ends": 1080}],
        "reason": "Inspection",
    }
    refused(api(front_desk).post(HOURS, asked, format="json"), 403, "forbidden")
    answer = api(manager).post(HOURS, asked, format="json")
    assert answer.status_code == 201
    assert answer.json()["affected"] == [visits[0].pk]
    (row,) = answer.json()["exceptions"]
    assert (row["starts"], row["ends"], row["provider"]) == (720, 1080, None)
    address = f"{HOURS}{row['id']}/"
    (found,) = api(front_desk).get(f"{address}affected/").json()
    assert found["lines"][0]["starts_elsewhere"]
    done = api(front_desk).post(f"{address}relocate/", {}, format="json")
    assert done.json()["moved"] == [visits[0].pk]
    assert api(front_desk).get(f"{HOURS}?site={site.pk}&day={FIRST}").json()["count"] == 1
    refused(api(front_desk).delete(address), 403, "forbidden")
    assert api(manager).delete(address).status_code == 204
    assert not HoursException.objects.exists()


def test_hours_that_cannot_be_are_refused(manager: Staff, site: Site) -> None:
    overlap = [{"starts": 540, "ends": 720}, {"starts": 700, "ends": 800}]
    asked = {"site": site.pk, "day": str(FIRST), "stretches": overlap}
    answer = api(manager).post(HOURS, asked, format="json")
    refused(answer, 400, "hours_refused", "stretches")


def test_what_keeps_time_free_is_that_of_ones_sites(
    outsider: Staff,
    manager: Staff,
    visits: list[Appointment],
    asked: dict[str, Any],
    site: Site,
) -> None:
    block = made(api(manager), asked)
    hours = {"site": site.pk, "day": str(FIRST), "stretches": []}
    exception = api(manager).post(HOURS, hours, format="json").json()["exceptions"][0]["id"]
    stranger = api(outsider)
    assert stranger.get(BLOCKS).json()["count"] == stranger.get(HOURS).json()["count"] == 0
    for address in (f"{BLOCKS}{block}/", f"{HOURS}{exception}/"):
        refused(stranger.get(address), 404, "not_found")
        refused(stranger.get(f"{address}affected/"), 404, "not_found")
        refused(stranger.post(f"{address}relocate/", {}, format="json"), 404, "not_found")
    refused(stranger.delete(f"{HOURS}{exception}/"), 404, "not_found")
    refused(stranger.post(f"{BLOCKS}{block}/release/"), 404, "not_found")
    refused(
        stranger.post(f"{BLOCKS}{block}/change-end/", {"ends_at": "2027-03-05T00:00:00Z"}),
        404,
        "not_found",
    )
    refused(stranger.post(BLOCKS, asked, format="json"), 404, "not_found", "site")
    refused(stranger.post(HOURS, hours, format="json"), 404, "not_found", "site")
