"""Who treats and who signs in: either without the other, never two of one, and only by who manages
every site that is touched; by domain, pages and API."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clinic import treating, weekly_hours
from clinic.access import Forbidden
from clinic.equipping import ResourceRefused
from clinic.models import (
    AuditEntry,
    Modality,
    ProviderHours,
    Resource,
    ResourceKind,
    Role,
    Site,
    SiteRole,
    Staff,
)
from tests.api import CLOCK, api, refused
from tests.personas import staff_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def eva(site: Site, manager: Staff, modality: Modality, now: Any) -> Resource:
    """A provider without a login."""
    return treating.add_provider(
        site=site, name=" Dr Eva Novak ", modalities=[modality], valid_until=date(2029, 1, 1),
        by=manager, now=now,
    )  # fmt: skip


@CLOCK
def test_who_treats_without_a_login_is_set_up_where_they_were_added(
    eva: Resource, site: Site, other_site: Site, manager: Staff, now: Any
) -> None:
    assert (eva.name, eva.staff, eva.site) == ("Dr Eva Novak", None, site)
    assert [each.valid_until for each in eva.credentials.all()] == [date(2029, 1, 1)]
    weekly_hours.set_week(site=site, provider=eva, week={0: [(540, 720)]}, by=manager, now=now)
    assert ProviderHours.objects.get().provider == eva
    for name, staff in (("", None), ("Eva", manager)):
        with pytest.raises(ResourceRefused, match="Choose somebody"):
            treating.add_provider(site=site, name=name, staff=staff, by=manager, now=now)
    with pytest.raises(Forbidden):
        treating.add_provider(site=other_site, name="Eva", by=manager, now=now)


def test_a_login_is_made_given_once_and_taken_off(
    eva: Resource, site: Site, manager: Staff, provider: Staff, front_desk: Staff, now: Any
) -> None:
    asked: dict[str, Any] = {"provider": eva, "site": site, "by": manager, "now": now}
    with pytest.raises(ResourceRefused, match="no role that treats") as told:
        treating.give_login(email=front_desk.email, **asked)
    assert told.value.field == "email"
    staff = treating.give_login(email="Eva@Clinic.example", **asked)
    assert (staff.name, staff.has_usable_password()) == ("Dr Eva Novak", False)
    assert [each.role for each in staff.site_roles.all()] == [Role.PROVIDER]
    with pytest.raises(ResourceRefused, match="Take that login off"):
        treating.give_login(staff=provider, **asked)
    other = treating.add_provider(site=site, name="Sam", by=manager, now=now)
    with pytest.raises(ResourceRefused, match="the login of Dr Eva Novak already"):
        treating.give_login(staff=staff, **{**asked, "provider": other})
    with pytest.raises(IntegrityError), transaction.atomic():
        Resource.objects.filter(pk=other.pk).update(staff=staff)

    treating.take_login(**asked)
    treating.take_login(**asked)
    said = list(AuditEntry.objects.filter(action="resource.login").order_by("pk"))
    assert [each.after for each in said] == [{"staff": staff.pk}, {"staff": None}]
    assert treating.give_login(staff=provider, **asked) == provider


@CLOCK
def test_only_who_manages_everywhere_they_work_says_who_signs_in_and_what_they_treat_with(
    client: Client, eva: Resource, site: Site, other_site: Site, manager: Staff,
    front_desk: Staff, outsider: Staff, room: Resource, modality: Modality, now: Any,
) -> None:  # fmt: skip
    asked: dict[str, Any] = {"provider": eva, "site": site, "now": now}
    ProviderHours.objects.create(provider=eva, site=other_site, weekday=0, starts=540, ends=600)
    for by in (manager, front_desk, outsider):
        with pytest.raises(Forbidden):
            treating.give_login(email="eva@clinic.example", by=by, **asked)
        with pytest.raises(Forbidden):
            treating.take_login(by=by, **asked)
        with pytest.raises(Forbidden):
            treating.give_leave(by=by, modality=modality, valid_from=date(2027, 3, 1), **asked)
    client.force_login(manager)
    page, leave = f"/resources/{eva.pk}/", {"modality": modality.pk, "valid_from": "2027-03-01"}
    assert f"treats at {other_site.name} as well" in client.get(page).content.decode()
    assert client.post(page, leave).status_code == 403
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    with pytest.raises(ResourceRefused, match="Only somebody who treats"):
        treating.take_login(by=manager, **{**asked, "provider": room})
    treating.give_login(email="eva@clinic.example", by=manager, **asked)
    assert client.post(page, leave).status_code == 303


@pytest.mark.parametrize("with_login", [True, False])
def test_a_site_at_which_they_do_not_treat_has_no_say(
    site: Site, other_site: Site, manager: Staff, treatment_provider: Resource,
    modality: Modality, now: Any, with_login: bool,
) -> None:  # fmt: skip
    """Not even by somebody who sees them as the front desk of their site."""
    treatment_provider.hours.all().delete()
    leave = {"modality": modality.pk, "valid_from": "2027-03-01"}
    stranger = staff_at(other_site, Role.MANAGER, "Mia Stranger")
    SiteRole.objects.create(staff=stranger, site=site, role=Role.FRONT_DESK)
    if not with_login:
        treating.take_login(provider=treatment_provider, site=site, by=manager, now=now)
    stands = Resource.objects.get(pk=treatment_provider.pk)
    path, there = f"/api/v1/resources/{stands.pk}/", {"site": other_site.pk}
    for act, asked in (
        ("take-login/", there),
        ("login/", {**there, "email": "mine@clinic.example"}),
        ("credentials/", {**there, **leave}),
    ):
        refused(api(stranger).post(path + act, asked), 400, "resource_refused", "site")
    now_is = Resource.objects.get(pk=stands.pk)
    assert (now_is.staff, now_is.site) == (stands.staff, stands.site)
    assert now_is.credentials.filter(valid_from=date(2027, 3, 1)).count() == 0


@pytest.mark.parametrize("held_by", ["site", "role"])
def test_each_site_at_which_they_treat_has_a_say_without_hours_too(
    site: Site, other_site: Site, manager: Staff, provider: Staff, now: Any, held_by: str
) -> None:
    eva = Resource.objects.create(
        kind=ResourceKind.PROVIDER, name="Eva", staff=provider,
        site=other_site if held_by == "site" else None,
    )  # fmt: skip
    if held_by == "role":
        SiteRole.objects.create(staff=provider, site=other_site, role=Role.PROVIDER)
    with pytest.raises(Forbidden):
        treating.take_login(provider=eva, site=site, by=manager, now=now)
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    treating.take_login(provider=eva, site=site, by=manager, now=now)
    eva.refresh_from_db()
    assert eva.staff is None


def test_who_treats_elsewhere_too_is_let_be_booked_and_leave_is_not_asked_for(
    client: Client, other_site: Site, manager: Staff, provider: Staff, modality: Modality
) -> None:
    SiteRole.objects.create(staff=provider, site=other_site, role=Role.PROVIDER)
    client.force_login(manager)
    path = f"/staff/{provider.pk}/"
    shown = client.get(path).text
    assert f"treats at {other_site.name} as well" in shown and "treats-modalities" not in shown
    refusal = client.post(path + "provider/", {"treats-modalities": [modality.pk]})
    assert refusal.status_code == 422 and "as well, and login and leave" in refusal.text
    assert not Resource.objects.filter(staff=provider).exists()
    added = {"add": "provider", "provider-staff": provider.pk, "provider-modalities": modality.pk}
    refusal = client.post("/resources/?site=harbour", added)
    assert refusal.status_code == 422 and "as well, and login and leave" in refusal.text
    assert client.post(path + "provider/").status_code == 303
    assert not Resource.objects.get(staff=provider).credentials.exists()


@CLOCK
def test_the_pages_do_it_in_one_place(
    client: Client, site: Site, manager: Staff, provider: Staff, front_desk: Staff,
    outsider: Staff, modality: Modality,
) -> None:  # fmt: skip
    client.force_login(manager)
    path = f"/staff/{provider.pk}/"
    assert "cannot be booked yet" in client.get(path + "?site=harbour").content.decode()
    leave = {"treats-modalities": [modality.pk], "treats-valid_from": "2027-03-01"}
    wrong = client.post(path + "provider/", {**leave, "treats-valid_until": "2027-01-01"})
    assert wrong.status_code == 422 and "ends before it begins" in wrong.content.decode()
    assert not Resource.objects.filter(staff=provider).exists()
    made = client.post(path + "provider/", leave)
    page = made.headers["Location"]
    assert "Signs in as" in client.get(page).content.decode()
    assert "Booked as" in client.get(path).content.decode()
    refusal = client.post(f"/staff/{front_desk.pk}/provider/", leave)
    assert refusal.status_code == 422 and "no role that treats" in refusal.content.decode()

    added = {"add": "provider", "provider-name": "Dr Eva Novak"}
    eva = client.post("/resources/?site=harbour", added).headers["Location"]
    login = eva.replace("?", "login/?")
    bad = client.post(login, {"login-email": front_desk.email})
    assert bad.status_code == 422 and "no role that treats" in bad.content.decode()
    assert client.post(login, {"login-email": "eva@clinic.example"}).status_code == 303
    assert "eva@clinic.example" in client.get(eva).content.decode()
    assert client.post(eva.replace("?", "login/take/?")).status_code == 303
    assert "Nobody signs in as them" in client.get(eva).content.decode()

    client.logout()
    for by, status in ((None, 302), (provider, 403), (outsider, 403)):
        if by:
            client.force_login(by)
        posts = [login, eva.replace("?", "login/take/?"), path + "provider/?site=harbour"]
        assert {client.post(each).status_code for each in posts} == {status}


@CLOCK
def test_the_api_does_the_same_and_keeps_strangers_out(
    site: Site, manager: Staff, front_desk: Staff, outsider: Staff, room: Resource,
    modality: Modality,
) -> None:  # fmt: skip
    path = "/api/v1/resources/"
    asked = {
        "site": site.pk, "kind": ResourceKind.PROVIDER, "name": "Dr Eva Novak",
        "modalities": [modality.pk], "valid_from": "2027-03-01", "valid_until": "2028-02-29",
    }  # fmt: skip
    made = api(manager).post(path, asked)
    assert made.status_code == 201 and made.json()["staff"] is None, made.content
    assert made.json()["credentials"] == [
        {"modality": modality.pk, "valid_from": "2027-03-01", "valid_until": "2028-02-29"}
    ]
    mine, login = f"{path}{made.json()['id']}/", {"site": site.pk, "email": "eva@clinic.example"}
    refused(api(manager).post(mine + "login/", {"site": site.pk}), 400, "resource_refused", "email")
    refused(api(front_desk).post(mine + "login/", login), 404, "not_found", "site")
    refused(api(outsider).post(mine + "login/", login), 404, "not_found")
    refused(api().post(mine + "login/", login), 401, "not_authenticated")
    given = api(manager).post(mine + "login/", login)
    assert given.json()["staff"] == Staff.objects.get(email="eva@clinic.example").pk
    refused(api(outsider).post(mine + "take-login/", {"site": site.pk}), 404, "not_found")
    assert api(manager).post(mine + "take-login/", {"site": site.pk}).json()["staff"] is None
    rooms = f"{path}{room.pk}/login/"
    refused(api(manager).post(rooms, login), 400, "resource_refused")
