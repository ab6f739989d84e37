"""Calendar feeds over the API."""

from typing import Any

import pytest
from django.test import Client

from appointments.models import CalendarFeed
from clinic.models import Resource, Site, Staff
from tests.api import CLOCK, api, refused

pytestmark = [pytest.mark.django_db, CLOCK]
FEEDS = "/api/v1/calendar-feeds/"


@pytest.fixture
def made(site: Site, treatment_provider: Resource, provider: Staff) -> dict[str, Any]:
    answer = api(provider).post(
        FEEDS, {"site": site.pk, "provider": treatment_provider.pk, "detail": "initials"}
    )
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_made_feed_tells_its_address_this_once(made: dict[str, Any], provider: Staff) -> None:
    assert made["provider"]["name"] == made["made_by"]["name"] == "Sam Okafor"
    assert (made["detail"], made["read_at"], made["revoked_at"]) == ("initials", None, None)
    path = "/feeds/" + made["address"].rpartition("/")[2]
    assert Client().get(path).status_code == 200
    listed = api(provider).get(FEEDS).json()["results"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert "address" not in listed[0] and listed[0]["read_at"] == "2027-02-15T14:00:00Z"


def test_a_manager_makes_the_sites_feed_as_busy_unless_told(site: Site, manager: Staff) -> None:
    made = api(manager).post(FEEDS, {"site": site.pk}).json()
    assert (made["provider"], made["detail"]) == (None, "busy")


def test_a_revoked_feed_is_gone_and_stays_in_the_list(made: dict[str, Any], manager: Staff) -> None:
    revoked = api(manager).post(f"{FEEDS}{made['id']}/revoke/")
    assert revoked.json()["revoked_at"] == "2027-02-15T14:00:00Z"
    assert Client().get("/feeds/" + made["address"].rpartition("/")[2]).status_code == 404
    assert api(manager).get(FEEDS, {"open": "true"}).json()["results"] == []
    assert len(api(manager).get(FEEDS, {"open": "false"}).json()["results"]) == 1


def test_the_list_is_filtered_by_site_and_provider(
    made: dict[str, Any], manager: Staff, site: Site, treatment_provider: Resource
) -> None:
    api(manager).post(FEEDS, {"site": site.pk})
    shown = api(manager).get(FEEDS, {"site": site.pk, "provider": treatment_provider.pk})
    assert [each["id"] for each in shown.json()["results"]] == [made["id"]]
    assert len(api(manager).get(FEEDS, {"site": site.pk}).json()["results"]) == 2


def test_the_front_desk_makes_none_and_revokes_none(
    made: dict[str, Any], site: Site, front_desk: Staff, treatment_provider: Resource
) -> None:
    for body in ({"site": site.pk}, {"site": site.pk, "provider": treatment_provider.pk}):
        told = refused(api(front_desk).post(FEEDS, body), 403, "forbidden")
        assert "anager" in told["sentence"]
    refused(api(front_desk).post(f"{FEEDS}{made['id']}/revoke/"), 403, "forbidden")
    assert CalendarFeed.objects.get(pk=made["id"]).revoked_at is None


def test_an_outsider_sees_makes_and_revokes_nothing(
    made: dict[str, Any], site: Site, outsider: Staff, treatment_provider: Resource
) -> None:
    assert api(outsider).get(FEEDS).json()["results"] == []
    refused(api(outsider).post(f"{FEEDS}{made['id']}/revoke/"), 404, "not_found")
    refused(api(outsider).post(FEEDS, {"site": site.pk}), 404, "not_found", "site")
    own = outsider.site_roles.values_list("site", flat=True)[0]
    body = {"site": own, "provider": treatment_provider.pk}
    refused(api(outsider).post(FEEDS, body), 404, "not_found", "provider")


def test_a_detail_that_does_not_exist_is_refused(site: Site, manager: Staff) -> None:
    body = {"site": site.pk, "detail": "names"}
    refused(api(manager).post(FEEDS, body), 400, "invalid_choice", "detail")
