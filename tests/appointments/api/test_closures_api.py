"""Closures through the API: made, listed with the visits on their days, and taken back."""

from datetime import timedelta
from typing import Any

import pytest

from appointments.models import Appointment
from clinic.models import Closure, Site, Staff
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND

pytestmark = [pytest.mark.django_db, CLOCK]

CLOSURES = "/api/v1/closures/"


@pytest.fixture
def asked(site: Site) -> dict[str, Any]:
    """Three days from FIRST on."""
    last = FIRST + timedelta(days=2)
    return {
        "site": site.pk,
        "first_day": str(FIRST),
        "last_day": str(last),
        "reason": "Water damage",
    }


def test_a_site_closes_for_days_and_its_visits_are_listed_and_moved(
    manager: Staff,
    front_desk: Staff,
    visits: list[Appointment],
    asked: dict[str, Any],
) -> None:
    refused(api(front_desk).post(CLOSURES, asked, format="json"), 403, "forbidden")
    answer = api(manager).post(CLOSURES, asked, format="json")
    assert answer.status_code == 201
    made = answer.json()["closure"]
    assert answer.json() == {"closure": {"id": made["id"], **asked}, "affected": [visits[0].pk]}
    address = f"{CLOSURES}{made['id']}/"
    (found,) = api(front_desk).get(f"{address}affected/").json()
    assert found["appointment"] == visits[0].pk and found["lines"][0]["starts_elsewhere"]
    done = api(front_desk).post(f"{address}relocate/", {}, format="json")
    assert done.json() == {"moved": [visits[0].pk], "refused": [], "left": 0}
    assert api(front_desk).get(f"{address}affected/").json() == []


def test_a_closure_is_found_by_any_of_its_days_and_taken_back(
    manager: Staff, front_desk: Staff, provider: Staff, asked: dict[str, Any]
) -> None:
    made = api(manager).post(CLOSURES, asked, format="json").json()["closure"]
    for days, count in ((-1, 0), (0, 1), (2, 1), (3, 0)):
        day = FIRST + timedelta(days=days)
        listed = api(provider).get(f"{CLOSURES}?site={asked['site']}&day={day}").json()
        assert listed["count"] == count, day
    address = f"{CLOSURES}{made['id']}/"
    assert api(provider).get(address).json() == made
    refused(api(front_desk).delete(address), 403, "forbidden")
    assert api(manager).delete(address).status_code == 204
    refused(api(manager).delete(address), 404, "not_found")
    assert not Closure.objects.exists()


def test_without_a_last_day_it_is_one_day(manager: Staff, asked: dict[str, Any]) -> None:
    del asked["last_day"]
    made = api(manager).post(CLOSURES, asked, format="json").json()["closure"]
    assert made["first_day"] == made["last_day"] == str(FIRST)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"first_day": "2027-02-14"}, "hours_refused", "first_day"),
        ({"last_day": "2027-03-03"}, "hours_refused", "last_day"),
        ({"last_day": "2028-03-31"}, "hours_refused", "last_day"),
        ({"reason": " "}, "blank", "reason"),
        ({"first_day": "2027-02-30"}, "invalid", "first_day"),
    ],
)
def test_a_closure_that_cannot_be_is_refused_with_the_field_to_mend(
    manager: Staff, asked: dict[str, Any], changes: dict[str, str], code: str, field: str
) -> None:
    refused(api(manager).post(CLOSURES, asked | changes, format="json"), 400, code, field)
    assert not Closure.objects.exists()


def test_days_that_are_closed_already_are_refused(manager: Staff, asked: dict[str, Any]) -> None:
    api(manager).post(CLOSURES, asked, format="json")
    again = api(manager).post(CLOSURES, asked, format="json")
    told = refused(again, 400, "hours_refused", "first_day")
    assert "Water damage" in told["sentence"]


def test_closures_are_those_of_ones_sites(
    outsider: Staff, manager: Staff, visits: list[Appointment], asked: dict[str, Any]
) -> None:
    made = api(manager).post(CLOSURES, asked, format="json").json()["closure"]
    address, stranger = f"{CLOSURES}{made['id']}/", api(outsider)
    assert stranger.get(CLOSURES).json()["count"] == 0
    for answer in (
        stranger.get(address),
        stranger.get(f"{address}affected/"),
        stranger.post(f"{address}relocate/", {}, format="json"),
        stranger.delete(address),
    ):
        refused(answer, 404, "not_found")
    later = asked | {"first_day": str(SECOND), "last_day": str(SECOND)}
    refused(stranger.post(CLOSURES, later, format="json"), 404, "not_found", "site")
    refused(api().get(CLOSURES), 401, "not_authenticated")
    assert Closure.objects.count() == 1
