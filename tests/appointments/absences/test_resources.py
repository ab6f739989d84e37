"""Rooms, devices and who treats: added, named, given hours and leave, and retired when nothing
needs them; by domain, page and API, and never by others."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from appointments.absences import affected, retiring
from appointments.models import Appointment
from appointments.refusals import NotBlockable, VisitsInTheWay
from clinic import equipping, treating, weekly_hours
from clinic.access import Forbidden
from clinic.equipping import ResourceRefused
from clinic.models import AuditEntry, Credential, Modality, Resource, Site, Staff
from clinic.stretches import HoursRefused
from clinic.wall_time import local
from clinic.weekly_hours import WeekChanged
from tests.api import CLOCK, api, refused

pytestmark = pytest.mark.django_db

MORNINGS = {day: [(540, 720)] for day in range(5)}


def test_a_room_and_a_device_are_added_once(
    site: Site, other_site: Site, manager: Staff, modality: Modality, now: Any
) -> None:
    asked = {"site": site, "name": " Room 9 ", "room_kind": "laser", "by": manager, "now": now}
    made = equipping.add_room(**asked)
    assert (made.name, made.room_kind, made.site) == ("Room 9", "laser", site)
    with pytest.raises(ResourceRefused, match="already"):
        equipping.add_room(**{**asked, "name": "room 9"})
    with pytest.raises(ResourceRefused, match="Enter a name"):
        equipping.add_device(site=site, name=" ", modality=modality, by=manager, now=now)
    with pytest.raises(Forbidden):
        equipping.add_room(**{**asked, "site": other_site})
    assert AuditEntry.objects.get(action="resource.add").after["name"] == "Room 9"


def test_who_treats_can_be_booked_once_and_nobody_else(
    site: Site, manager: Staff, provider: Staff, front_desk: Staff, now: Any
) -> None:
    assert treating.unbooked(site) == [provider]
    made = treating.add_provider(site=site, staff=provider, by=manager, now=now)
    assert made == treating.add_provider(site=site, staff=provider, by=manager, now=now)
    assert treating.unbooked(site) == []
    with pytest.raises(ResourceRefused, match="no role that treats"):
        treating.add_provider(site=site, staff=front_desk, by=manager, now=now)


def test_leave_to_treat_ends_after_it_begins_and_can_be_given_another_end(
    site: Site, manager: Staff, treatment_provider: Resource, modality: Modality, now: Any
) -> None:
    asked: dict[str, Any] = {
        "provider": treatment_provider, "site": site, "modality": modality,
        "valid_from": date(2028, 1, 1), "by": manager, "now": now,
    }  # fmt: skip
    treating.give_leave(**asked)
    treating.give_leave(**asked, valid_until=date(2028, 6, 30))
    given = Credential.objects.get(provider=treatment_provider, valid_from=date(2028, 1, 1))
    assert given.valid_until == date(2028, 6, 30)
    with pytest.raises(ResourceRefused, match="before it begins"):
        treating.give_leave(**asked, valid_until=date(2027, 12, 31))


def test_a_room_retires_when_no_visit_needs_it(
    visits: list[Appointment], room: Resource, manager: Staff, front_desk: Staff, now: Any
) -> None:
    with pytest.raises(Forbidden):
        retiring.retire(resource=room, by=front_desk, now=now)
    with pytest.raises(VisitsInTheWay, match="Block it first") as told:
        retiring.retire(resource=room, by=manager, now=now)
    assert set(told.value.appointments) == {each.pk for each in visits}
    after = max(each.ends_at for each in visits) + timedelta(days=1)
    retiring.retire(resource=room, by=manager, now=after)
    retiring.retire(resource=room, by=manager, now=after)
    room.refresh_from_db()
    assert not room.is_active
    retiring.bring_back(resource=room, by=manager, now=after)
    acts = AuditEntry.objects.filter(subject_id=str(room.pk)).values_list("action", flat=True)
    assert sorted(acts) == ["resource.bring_back", "resource.retire"]


def test_a_provider_does_not_retire(treatment_provider: Resource, manager: Staff, now: Any) -> None:
    with pytest.raises(NotBlockable):
        retiring.retire(resource=treatment_provider, by=manager, now=now)


# --- The week -------------------------------------------------------------------------------------


def test_a_week_is_written_whole_and_names_the_days_with_visits_outside(
    visits: list[Appointment], site: Site, manager: Staff, treatment_provider: Resource, now: Any
) -> None:
    assert affected.by_week(site, provider=treatment_provider, now=now) == {}
    evenings = {day: [(960, 1200)] for day in range(7)}
    weekly_hours.set_week(
        site=site, provider=treatment_provider, week=evenings, by=manager, now=now
    )
    assert weekly_hours.week_of(site, treatment_provider) == evenings
    outside = affected.by_week(site, provider=treatment_provider, now=now)
    days = {local(each.starts_at, site.zone).date() for each in visits}
    assert set(outside) == days and all(len(rows) == 1 for rows in outside.values())
    said = AuditEntry.objects.get(action="hours.set_week")
    assert said.before["0"] == "09:00-18:00" and said.after["6"] == "16:00-20:00"


def test_a_stale_week_is_refused_and_shows_what_stands(
    site: Site, manager: Staff, now: Any
) -> None:
    seen = weekly_hours.week_of(site)
    weekly_hours.set_week(site=site, week=MORNINGS, by=manager, now=now)
    with pytest.raises(WeekChanged) as told:
        weekly_hours.set_week(site=site, week={}, seen=seen, by=manager, now=now)
    assert told.value.stands[0] == [(540, 720)]
    assert weekly_hours.week_of(site)[0] == [(540, 720)]


def test_only_who_treats_at_the_site_has_hours_there(
    site: Site, other_site: Site, manager: Staff, outsider: Staff, room: Resource,
    treatment_provider: Resource, now: Any,
) -> None:  # fmt: skip
    with pytest.raises(HoursRefused, match="does not treat"):
        weekly_hours.set_week(site=site, provider=room, week=MORNINGS, by=manager, now=now)
    with pytest.raises(HoursRefused, match="does not treat"):
        weekly_hours.set_week(
            site=other_site, provider=treatment_provider, week=MORNINGS, by=outsider, now=now
        )
    with pytest.raises(Forbidden):
        weekly_hours.set_week(site=site, week=MORNINGS, by=outsider, now=now)
    with pytest.raises(HoursRefused, match="overlap"):
        weekly_hours.set_week(site=site, week={0: [(540, 720), (700, 800)]}, by=manager, now=now)


# --- Pages and API --------------------------------------------------------------------------------


@CLOCK
def test_the_pages_add_name_give_hours_and_retire(
    client: Client, site: Site, manager: Staff, provider: Staff, modality: Modality
) -> None:
    client.force_login(manager)
    path = "/resources/?site=harbour"
    assert client.post(path, {"add": "room", "room-name": ""}).status_code == 422
    made = client.post(
        path, {"add": "device", "device-name": "Genius", "device-modality": modality.pk}
    )
    genius = made.headers["Location"]
    assert client.post(genius, {"name": "Genius 2", "serial": "A7"}).status_code == 303
    assert Resource.objects.get(name="Genius 2").serial == "A7"
    assert client.post(genius.replace("?", "retire/?")).status_code == 303
    assert "Out of use" in client.get(path).content.decode()

    who = client.post(path, {"add": "provider", "provider-staff": provider.pk}).headers["Location"]
    assert "No hours here" in client.get(path).content.decode()
    (theirs,) = Resource.objects.filter(staff=provider)
    week = f"/hours/harbour/week/{theirs.pk}/"
    empty = "|" * 6
    bad = client.post(week, {"day_0": "nine", "seen": empty})
    assert bad.status_code == 422 and "Write hours such as" in bad.content.decode()
    assert client.post(week, {"day_0": "9-12, 13-17", "seen": empty}).status_code == 303
    stale = client.post(week, {"day_1": "10-18", "seen": empty})
    assert stale.status_code == 409 and "09:00-12:00, 13:00-17:00" in stale.content.decode()
    leave = {"modality": modality.pk, "valid_from": "2027-01-01"}
    assert client.post(who, {**leave, "valid_until": "2026-01-01"}).status_code == 422
    assert client.post(who, leave).status_code == 303
    shown = client.get(who).content.decode()
    assert "13:00-17:00" in shown and "no end" in shown


def test_nobody_else_opens_the_pages(
    client: Client, front_desk: Staff, provider: Staff, outsider: Staff, room: Resource,
    treatment_provider: Resource,
) -> None:  # fmt: skip
    paths = ["/resources/?site=harbour", f"/resources/{room.pk}/", "/hours/harbour/week/site/"]
    paths.append(f"/hours/harbour/week/{treatment_provider.pk}/")
    assert {client.get(path).status_code for path in paths} == {302}
    for reader in (front_desk, provider):
        client.force_login(reader)
        assert {client.get(path).status_code for path in paths} == {403}
        assert client.post(f"/resources/{room.pk}/retire/").status_code == 403
    client.force_login(outsider)
    assert [client.get(path).status_code for path in paths] == [403, 404, 404, 404]
    assert client.post(f"/resources/{room.pk}/retire/").status_code == 404


@CLOCK
def test_the_api_does_the_same_and_keeps_strangers_out(
    visits: list[Appointment], site: Site, manager: Staff, front_desk: Staff, outsider: Staff,
    room: Resource, treatment_provider: Resource, modality: Modality,
) -> None:  # fmt: skip
    path = "/api/v1/resources/"
    asked = {"site": site.pk, "kind": "room", "name": "Room 3", "room_kind": "treatment"}
    made = api(manager).post(path, asked)
    assert made.status_code == 201 and made.json()["is_active"] is True, made.content
    refused(api(manager).post(path, asked), 400, "resource_refused", "name")
    refused(api(manager).post(path, {**asked, "serial": "A"}), 400, "unknown_field", "serial")
    mine = f"{path}{made.json()['id']}/"
    assert api(manager).post(mine + "rename/", {"name": "Room 4"}).json()["name"] == "Room 4"
    assert api(manager).post(mine + "retire/").json()["is_active"] is False
    assert api(manager).post(mine + "bring-back/").json()["is_active"] is True
    refused(api(manager).post(f"{path}{room.pk}/retire/"), 409, "visits_in_the_way", "starts_at")

    theirs = f"{path}{treatment_provider.pk}/"
    leave = {"site": site.pk, "modality": modality.pk, "valid_from": "2029-01-01"}
    given = api(manager).post(theirs + "credentials/", leave)
    assert "2029-01-01" in {each["valid_from"] for each in given.json()["credentials"]}
    monday = [{"weekday": 0, "starts": 540, "ends": 720}]
    week = {"site": site.pk, "hours": monday}
    refused(api(manager).post(theirs + "week/", {**week, "seen": []}), 409, "week_changed", "week")
    assert api(manager).post(theirs + "week/", week).json() == {"hours": monday}
    own = f"/api/v1/sites/{site.pk}/week/"
    assert api(manager).post(own, {"hours": monday}).json() == {"hours": monday}

    refused(api(front_desk).post(own, {"hours": []}), 403, "forbidden")
    refused(api(front_desk).post(f"{path}{room.pk}/retire/"), 403, "forbidden")
    refused(api(front_desk).post(path, asked), 404, "not_found", "site")
    for address in (mine, theirs):
        refused(api(outsider).get(address), 404, "not_found")
    refused(api(outsider).post(own, {"hours": []}), 404, "not_found")
    refused(api().get(mine), 401, "not_authenticated")
