"""Who works where: who may say so, what a link opens, and what ends when somebody is let go."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from knox.models import AuthToken

from clinic import access, on_call, staffing
from clinic.access import Forbidden
from clinic.models import AuditEntry, OnCallShift, Resource, Role, Site, SiteRole, Staff
from clinic.staffing import RolesChanged, StaffRefused
from tests.api import CLOCK, api, refused
from tests.personas import PASSWORD

pytestmark = pytest.mark.django_db

NEW = {"name": "Rosa Vidal", "email": "Rosa@Clinic.example "}
CHOSEN = "corn-lamp-velvet-9"


def signs_in(staff: Staff, password: str) -> bool:
    asked = {"username": staff.email, "password": password}
    return Client().post("/login/", asked).status_code == 302


@pytest.fixture
def rosa(site: Site, manager: Staff, now: Any) -> Staff:
    return staffing.employ(site=site, roles=[Role.FRONT_DESK], by=manager, now=now, **NEW)


def test_who_is_employed_has_the_roles_there_and_no_password(
    rosa: Staff, site: Site, other_site: Site, manager: Staff
) -> None:
    assert (rosa.email, rosa.has_usable_password()) == ("rosa@clinic.example", False)
    assert staffing.roles_at(site, rosa) == {Role.FRONT_DESK}
    assert staffing.roles_at(other_site, rosa) == frozenset()
    said = AuditEntry.objects.get(action="staff.employ")
    assert (said.by, said.site, said.after) == (manager, site, {"roles": ["front_desk"]})


def test_somebody_of_another_site_keeps_name_and_password(
    outsider: Staff, site: Site, manager: Staff, now: Any
) -> None:
    found = staffing.employ(
        site=site, name="Else", email=outsider.email, roles=[Role.PROVIDER], by=manager, now=now
    )
    assert (found, found.name) == (outsider, outsider.name)
    assert signs_in(outsider, PASSWORD)
    with pytest.raises(StaffRefused, match="works here already"):
        staffing.employ(
            site=site, name="E", email=outsider.email, roles=[Role.MANAGER], by=manager, now=now
        )


def test_only_who_manages_the_site_says_who_works_there(
    rosa: Staff, site: Site, front_desk: Staff, clinical_lead: Staff, outsider: Staff, now: Any
) -> None:
    for by in (front_desk, clinical_lead, outsider):
        with pytest.raises(Forbidden):
            staffing.employ(site=site, roles=[Role.PROVIDER], by=by, now=now, **NEW)
        with pytest.raises(Forbidden):
            staffing.change_roles(staff=rosa, site=site, roles=["manager"], by=by, now=now)
        with pytest.raises(Forbidden):
            staffing.people_of(site, by=by)
        with pytest.raises(Forbidden):
            staffing.invite(staff=rosa, by=by, now=now)
    assert staffing.roles_at(site, rosa) == {Role.FRONT_DESK}


def test_a_site_is_never_without_a_manager(
    site: Site, manager: Staff, rosa: Staff, now: Any
) -> None:
    with pytest.raises(StaffRefused, match="Nobody else manages"):
        staffing.change_roles(staff=manager, site=site, roles=["provider"], by=manager, now=now)
    staffing.change_roles(staff=rosa, site=site, roles=["manager"], by=manager, now=now)
    staffing.change_roles(staff=manager, site=site, roles=["provider"], by=manager, now=now)
    assert not access.can(manager, access.Capability.MANAGE_SITE, site)


def test_a_stale_change_of_roles_shows_what_stands(
    site: Site, manager: Staff, rosa: Staff, now: Any
) -> None:
    staffing.change_roles(staff=rosa, site=site, roles=["provider"], by=manager, now=now)
    with pytest.raises(RolesChanged) as told:
        staffing.change_roles(
            staff=rosa, site=site, roles=["manager"], seen=["front_desk"], by=manager, now=now
        )
    assert told.value.stands == {"provider"}


def test_who_is_let_go_is_signed_out_everywhere(
    client: Client, site: Site, manager: Staff, front_desk: Staff, now: Any
) -> None:
    client.force_login(front_desk)
    AuthToken.objects.create(user=front_desk)
    hour = timedelta(hours=1)
    on_call.add(site=site, staff=front_desk, starts_at=now, ends_at=now + hour, by=manager, now=now)
    staffing.change_roles(staff=front_desk, site=site, roles=[], by=manager, now=now)
    assert client.get("/preferences/").status_code == 302
    assert not signs_in(front_desk, PASSWORD)
    assert not AuthToken.objects.exists() and not OnCallShift.objects.standing().exists()


def test_who_works_elsewhere_too_stays_signed_in(
    client: Client, site: Site, other_site: Site, manager: Staff, front_desk: Staff, now: Any
) -> None:
    SiteRole.objects.create(staff=front_desk, site=other_site, role=Role.FRONT_DESK)
    client.force_login(front_desk)
    staffing.change_roles(staff=front_desk, site=site, roles=[], by=manager, now=now)
    assert client.get("/preferences/").status_code == 200
    assert client.get("/preferences/?site=harbour").status_code == 200
    assert list(access.sites_of(front_desk)) == [other_site]


def test_who_can_still_be_booked_is_not_let_go(
    site: Site, manager: Staff, treatment_provider: Resource, now: Any
) -> None:
    staff = treatment_provider.staff
    assert staff is not None
    with pytest.raises(StaffRefused, match="empty their hours"):
        staffing.change_roles(staff=staff, site=site, roles=[], by=manager, now=now)


# --- The link -------------------------------------------------------------------------------------


def test_the_link_opens_once(client: Client, rosa: Staff, manager: Staff, now: Any) -> None:
    path = staffing.invite(staff=rosa, by=manager, now=now)
    AuthToken.objects.create(user=rosa)
    page = client.get(path, follow=True)
    address = page.redirect_chain[-1][0]
    assert path.split(".")[1] not in address and rosa.email in page.content.decode()
    weak = client.post(address, {"new_password1": "password", "new_password2": "password"})
    assert weak.status_code == 200 and "There is a problem" in weak.content.decode()
    client.post(address, {"new_password1": CHOSEN, "new_password2": CHOSEN})
    assert signs_in(rosa, CHOSEN)
    assert not AuthToken.objects.exists()
    assert "no longer good" in Client().get(path).content.decode()
    acts = AuditEntry.objects.filter(subject_id=str(rosa.pk), action__startswith="staff.")
    assert {each.action for each in acts} >= {"staff.invite", "staff.password_by_link"}


def test_a_link_is_not_made_for_an_account_with_more_than_ones_own(
    outsider: Staff, site: Site, manager: Staff, rosa: Staff, now: Any
) -> None:
    SiteRole.objects.create(staff=outsider, site=site, role=Role.PROVIDER)
    with pytest.raises(Forbidden, match="where you do not manage"):
        staffing.invite(staff=outsider, by=manager, now=now)
    rosa.is_superuser = True
    assert not staffing.may_invite(staff=rosa, by=manager)


def test_ones_own_password_is_changed_with_the_former(client: Client, front_desk: Staff) -> None:
    elsewhere = Client()
    for each in (client, elsewhere):
        each.force_login(front_desk)
    asked = {"old_password": "wrong", "new_password1": CHOSEN, "new_password2": CHOSEN}
    assert "There is a problem" in client.post("/preferences/password/", asked).content.decode()
    answer = client.post("/preferences/password/", {**asked, "old_password": PASSWORD})
    assert answer.headers["Location"] == "/preferences/"
    assert client.get("/preferences/").status_code == 200
    assert elsewhere.get("/preferences/").status_code == 302


# --- Page and API ---------------------------------------------------------------------------------


@CLOCK
def test_the_page_employs_changes_and_lets_go(
    client: Client, site: Site, manager: Staff, front_desk: Staff
) -> None:
    client.force_login(manager)
    assert client.post("/staff/", {"name": "", "email": "x"}).status_code == 422
    asked = {"name": "Rosa Vidal", "email": "rosa@clinic.example", "roles": ["front_desk"]}
    where = client.post("/staff/", asked).headers["Location"]
    rosa = Staff.objects.get(email="rosa@clinic.example")
    assert where == f"/staff/{rosa.pk}/?site=harbour"
    assert "No password yet" in client.get("/staff/").content.decode()

    assert client.post(where, {"roles": ["provider"], "seen": "front_desk"}).status_code == 303
    stale = client.post(where, {"roles": ["manager"], "seen": "front_desk"})
    assert stale.status_code == 409 and "Stored now: <b>Provider</b>" in stale.content.decode()
    (seen,) = re.findall(r'name="seen" value="(.*?)"', stale.content.decode())
    assert client.post(where, {"roles": ["manager"], "seen": seen}).status_code == 303

    shown = client.post(f"/staff/{rosa.pk}/invite/")
    assert shown["Cache-Control"] == "no-store"
    assert re.search(r"http://testserver/welcome/[^/]+/", shown.content.decode())
    assert client.post(where, {"seen": "manager"}).headers["Location"] == "/staff/?site=harbour"
    assert client.get(where).status_code == 404


@CLOCK
def test_a_name_and_an_address_are_changed_and_a_stale_save_shows_both(
    client: Client, rosa: Staff, site: Site, manager: Staff, front_desk: Staff, now: Any
) -> None:
    client.force_login(manager)
    page, act = f"/staff/{rosa.pk}/", f"/staff/{rosa.pk}/account/"

    def asked(**more: str) -> dict[str, str]:
        names = {"name": "Rosa Vidal", "email": rosa.email}
        shown = {f"seen_{name}": value for name, value in names.items()}
        return {f"account-{name}": value for name, value in (names | shown | more).items()}

    assert 'value="Rosa Vidal"' in client.get(page).text
    assert (
        client.post(act, asked(name=" Rosa  Vega ")).headers["Location"] == f"{page}?site=harbour"
    )
    said = AuditEntry.objects.get(action="staff.account")
    assert (said.by, said.before, said.after) == (
        manager, {"name": "Rosa Vidal"}, {"name": "Rosa Vega"}
    )  # fmt: skip
    stale = client.post(act, asked(name="Rosa Mine"))
    assert stale.status_code == 409 and "Stored now: <b>Rosa Vega</b>" in stale.text
    again = asked(name="Rosa Mine", seen_name="Rosa Vega", email="Mine@clinic.example")
    link = staffing.invite(staff=rosa, by=manager, now=now)
    saved = client.post(act, again, follow=True)
    assert "made before is no longer good" in saved.text
    assert "no longer good" in Client().get(link).text
    rosa.refresh_from_db()
    assert (rosa.name, rosa.email) == ("Rosa Mine", "mine@clinic.example")
    Staff.objects.filter(pk=front_desk.pk).update(email="Ana.Front@Clinic.example")
    taken = asked(name="Rosa Mine", email=front_desk.email, seen_email=rosa.email)
    refused_ = client.post(act, taken)
    assert refused_.status_code == 422 and "Somebody else signs in" in refused_.text
    client.force_login(front_desk)
    assert client.post(act, asked()).status_code == 403


def test_an_account_with_more_than_ones_own_is_not_changed(
    outsider: Staff, site: Site, manager: Staff, client: Client, now: Any
) -> None:
    SiteRole.objects.create(staff=outsider, site=site, role=Role.PROVIDER)
    with pytest.raises(Forbidden, match="where you do not manage"):
        staffing.change_account(
            staff=outsider, name="X", email="x@clinic.example", by=manager, now=now
        )
    client.force_login(manager)
    assert "Save the account" not in client.get(f"/staff/{outsider.pk}/").text


def test_nobody_else_opens_the_pages(
    client: Client, site: Site, front_desk: Staff, provider: Staff, clinical_lead: Staff,
    outsider: Staff,
) -> None:  # fmt: skip
    paths = ("/staff/", f"/staff/{provider.pk}/")
    assert [client.get(path).status_code for path in paths] == [302, 302]
    for reader in (front_desk, provider, clinical_lead):
        client.force_login(reader)
        assert [client.get(path).status_code for path in paths] == [403, 403]
        assert client.post(f"/staff/{provider.pk}/invite/").status_code == 403
    client.force_login(outsider)
    assert client.get("/staff/?site=harbour").status_code == 403
    assert client.get(f"/staff/{provider.pk}/").status_code == 404
    assert client.post(f"/staff/{provider.pk}/invite/").status_code == 404


def test_the_api_does_the_same_and_keeps_strangers_out(
    site: Site, manager: Staff, front_desk: Staff, outsider: Staff
) -> None:
    asked = {"site": site.pk, "name": "Rosa", "email": "rosa@clinic.example", "roles": ["provider"]}
    made = api(manager).post("/api/v1/staff/", asked)
    assert made.status_code == 201, made.content
    path = f"/api/v1/staff/{made.json()['id']}/"
    assert made.json()["roles"] == [{"site": site.pk, "role": "provider"}]

    changed = {"site": site.pk, "roles": ["manager"], "seen": ["front_desk"]}
    refused(api(manager).post(path + "roles/", changed), 409, "roles_changed")
    odd = api(manager).post(path + "roles/", {**changed, "roles": ["boss"]})
    refused(odd, 400, "invalid_choice", "roles.0")
    done = api(manager).post(path + "roles/", {**changed, "seen": ["provider"]})
    assert done.json()["roles"] == [{"site": site.pk, "role": "manager"}]
    account = {"name": "Rosa V", "email": "rosa@clinic.example"}
    assert api(manager).post(path + "account/", account).json()["name"] == "Rosa V"
    late = account | {"name": "R", "seen": {"name": "Rosa", "email": "rosa@clinic.example"}}
    refused(api(manager).post(path + "account/", late), 409, "account_changed", "name")
    for by in (front_desk, outsider):
        refused(api(by).post(path + "account/", account), 404, "not_found")
    assert "/welcome/" in api(manager).post(path + "invite/").json()["link"]

    for by in (front_desk, outsider):
        refused(api(by).get(path), 404, "not_found")
        refused(api(by).post(path + "invite/"), 404, "not_found")
        refused(api(by).post("/api/v1/staff/", asked), 404, "not_found", "site")
        listed = api(by).get("/api/v1/staff/").json()["results"]
        assert asked["email"] not in {each["email"] for each in listed}
    refused(api().get(path), 401, "not_authenticated")
