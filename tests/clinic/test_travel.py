"""The minutes between sites: who says them, and what the trail keeps."""

from datetime import datetime

import pytest

from clinic import travel
from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff, TravelTime
from clinic.travel import TravelRefused
from tests.api import api, refused

pytestmark = pytest.mark.django_db


def test_a_way_is_the_same_in_either_direction_and_stands_once(
    site: Site, other_site: Site, manager: Staff, now: datetime
) -> None:
    for minutes in (35, 20, 20):
        travel.set_minutes(site=site, minutes={other_site: minutes}, by=manager, now=now)
    row = TravelTime.objects.get()
    assert (row.site_id, row.other_id) == tuple(sorted((site.pk, other_site.pk)))
    assert travel.minutes_from(site) == {other_site.pk: 20}
    assert travel.minutes_from(other_site) == {site.pk: 20}
    trail = AuditEntry.objects.filter(action="travel.set", site=site, by=manager).order_by("id")
    assert [(entry.before, entry.after) for entry in trail] == [
        ({}, {"minutes": 35, "other": other_site.pk}),
        ({"minutes": 35}, {"minutes": 20, "other": other_site.pk}),
    ]


def test_a_way_that_cannot_be_is_refused(
    site: Site, other_site: Site, manager: Staff, front_desk: Staff, now: datetime
) -> None:
    for other, minutes in ((site, 5), (other_site, 1441), (other_site, -1)):
        with pytest.raises(TravelRefused):
            travel.set_minutes(site=site, minutes={other: minutes}, by=manager, now=now)
    with pytest.raises(Forbidden):
        travel.set_minutes(site=site, minutes={other_site: 5}, by=front_desk, now=now)
    assert not TravelTime.objects.exists()


def test_the_api_reads_and_writes_the_ways_of_a_site(
    site: Site, other_site: Site, manager: Staff, front_desk: Staff, outsider: Staff
) -> None:
    path = f"/api/v1/sites/{site.pk}/travel/"
    way = {"other": {"id": other_site.pk, "name": other_site.name}, "minutes": None}
    assert api(front_desk).get(path).json() == [way]
    wanted = {"other": other_site.pk, "minutes": 45}
    refused(api(front_desk).put(path, wanted), 403, "forbidden")
    assert api(outsider).put(path, wanted).status_code == 404
    assert api().put(path, wanted).status_code == 401
    assert api(manager).put(path, wanted).json() == [way | {"minutes": 45}]
    refused(api(manager).put(path, wanted | {"minutes": 1441}), 400, "max_value", "minutes")
    refused(
        api(manager).put(path, {"other": site.pk, "minutes": 5}), 400, "travel_refused", "other"
    )
