"""The rota: who may write it, what it refuses, and who it says is on call."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clinic import on_call
from clinic.access import Forbidden
from clinic.models import AuditEntry, OnCallShift, Site, Staff
from clinic.on_call import ShiftRefused
from tests.api import CLOCK, api, refused

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def add(site: Site, manager: Staff, provider: Staff, now: datetime) -> Any:
    def make(**changed: Any) -> OnCallShift:
        asked = {
            "site": site,
            "staff": provider,
            "starts_at": now,
            "ends_at": now + HOUR,
            "by": manager,
            "now": now,
            **changed,
        }
        return on_call.add(**asked)

    return make


def test_who_is_on_call_begins_and_ends_on_the_moment(
    add: Any, site: Site, other_site: Site, now: datetime
) -> None:
    shift = add(phone="+1 (212) 555-0123")
    assert shift.phone == "+12125550123"
    assert on_call.at(site, now) == [shift]
    assert on_call.at(site, now - timedelta(seconds=1)) == on_call.at(site, now + HOUR) == []
    assert on_call.at(other_site, now) == []


def test_without_a_contact_point_it_is_the_address_of_the_person(add: Any, provider: Staff) -> None:
    assert add().email == provider.email


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone": "555"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"ends_at": -HOUR}, "ends_at"),
        ({"starts_at": -3 * HOUR, "ends_at": -2 * HOUR}, "ends_at"),
        ({"ends_at": timedelta(days=40)}, "ends_at"),
    ],
)
def test_a_shift_that_cannot_be_is_refused(
    add: Any, now: datetime, change: dict[str, Any], field: str
) -> None:
    asked = {name: now + it if isinstance(it, timedelta) else it for name, it in change.items()}
    with pytest.raises(ShiftRefused) as told:
        add(**asked)
    assert told.value.field == field


def test_only_people_of_the_site_are_on_call_and_only_managers_say_so(
    add: Any, outsider: Staff, front_desk: Staff
) -> None:
    with pytest.raises(ShiftRefused, match="does not work"):
        add(staff=outsider)
    for by in (front_desk, outsider):
        with pytest.raises(Forbidden):
            add(by=by)
    shift = add()
    with pytest.raises(ShiftRefused, match="already"):
        add()
    with pytest.raises(Forbidden):
        on_call.remove(shift=shift, by=front_desk, now=shift.starts_at)


def test_what_was_taken_out_is_nowhere_and_comes_back_as_it_was(
    add: Any, site: Site, manager: Staff, now: datetime
) -> None:
    shift = add()
    for _ in range(2):
        on_call.remove(shift=shift, by=manager, now=now)
    assert on_call.at(site, shift.starts_at) == []
    assert add().pk != shift.pk  # the same time is free for another
    with pytest.raises(ShiftRefused, match="already"):
        on_call.put_back(shift=shift, by=manager, now=now)
    on_call.remove(shift=OnCallShift.objects.exclude(pk=shift.pk).get(), by=manager, now=now)
    on_call.put_back(shift=shift, by=manager, now=now)
    assert on_call.at(site, shift.starts_at) == [shift]
    done = AuditEntry.objects.filter(subject_id=str(shift.pk), action__startswith="on_call.")
    assert list(done.order_by("id").values_list("action", flat=True)) == [
        "on_call.add",
        "on_call.remove",
        "on_call.put_back",
    ]
    on_call.remove(shift=shift, by=manager, now=now)
    with pytest.raises(ShiftRefused, match="over"):
        on_call.put_back(shift=shift, by=manager, now=shift.ends_at)


def test_the_database_refuses_what_cannot_be(site: Site, provider: Staff, now: datetime) -> None:
    def stored(**changed: Any) -> None:
        asked = {"starts_at": now, "ends_at": now + HOUR, "email": "a@b.example", **changed}
        with transaction.atomic():
            OnCallShift.objects.create(site=site, staff=provider, **asked)

    stored()
    for changed, name in (
        ({}, "on_call_shift_once"),
        ({"starts_at": now + HOUR}, "on_call_shift_in_order"),
        ({"starts_at": now - HOUR, "email": ""}, "on_call_shift_reachable"),
        ({"starts_at": now - HOUR, "phone": "212"}, "on_call_shift_phone"),
    ):
        with pytest.raises(IntegrityError, match=name):
            stored(**changed)


# --- Page and API ---------------------------------------------------------------------------------


@CLOCK
def test_the_page_shows_adds_and_removes_shifts(
    client: Client, site: Site, manager: Staff, provider: Staff
) -> None:
    client.force_login(manager)
    page = client.get("/on-call/").content.decode()
    assert "Nobody is on call" in page and 'id="id_staff"' in page
    assert 'href="#id_staff">Add a shift<' in page
    asked = {
        "staff": provider.pk,
        "starts_at": "2027-02-15T08:00",
        "ends_at": "2027-02-16T08:00",
        "phone": "+12125550190",
    }
    assert client.post("/on-call/", {**asked, "phone": "1"}).status_code == 422
    assert client.post("/on-call/", asked).status_code == 302
    shift = OnCallShift.objects.get()
    assert shift.starts_at.isoformat() == "2027-02-15T13:00:00+00:00"
    assert "Sam Okafor" in client.get("/on-call/").content.decode()
    page = client.post(f"/on-call/{shift.pk}/remove/", follow=True).content.decode()
    assert "Nobody is on call" in page and "+12125550190" not in page
    [undo] = re.findall(r'action="(/on-call/[^"]+)"', page)
    page = client.post(undo, follow=True).content.decode()
    assert "Sam Okafor is on call then." in page and "+12125550190" in page


@CLOCK
def test_the_page_tells_when_nobody_is_paged(
    client: Client, manager: Staff, add: Any, now: datetime
) -> None:
    client.force_login(manager)
    covering = add(ends_at=now + HOUR)
    assert 'class="notice' not in client.get("/on-call/").content.decode()
    add(starts_at=now + 3 * HOUR, ends_at=now + 4 * HOUR)
    page = client.get("/on-call/").content.decode()
    assert "Nobody is on call from" in page and "Nobody is on call now" not in page
    on_call.remove(shift=covering, by=manager, now=now)
    page = client.get("/on-call/").content.decode()
    assert "Nobody is on call now." in page and "Nobody is on call from" not in page


@CLOCK
def test_of_a_rota_of_nights_the_page_tells_the_present_gap_the_next_and_how_many_more(
    client: Client, manager: Staff, add: Any, now: datetime
) -> None:
    client.force_login(manager)
    for day in range(1, 10):
        add(starts_at=now + day * 24 * HOUR, ends_at=now + (day * 24 + 10) * HOUR)
    page = client.get("/on-call/").content.decode()
    assert page.count("Nobody is on call now.") == page.count("Nobody is on call from") == 1
    assert page.count('class="notice') == 2
    assert "Later in this rota nobody is on call 7 more times." in page
    covering = add(ends_at=now + 24 * HOUR)
    page = client.get("/on-call/").content.decode()
    assert page.count('class="notice') == page.count("Nobody is on call from") == 1
    assert "nobody is on call 7 more times." in page
    assert "Now</span>" in page
    Staff.objects.filter(pk=covering.staff_id).update(is_active=False)
    page = client.get("/on-call/").content.decode()
    assert "Nobody is on call now." in page and "Now</span>" not in page
    assert "Later in this rota" not in page


@CLOCK
def test_the_page_is_read_by_staff_of_the_site_and_changed_by_managers(
    client: Client, add: Any, front_desk: Staff, outsider: Staff
) -> None:
    shift = add()
    client.force_login(front_desk)
    page = client.get("/on-call/").content.decode()
    assert "Sam Okafor" in page and "Add shift" not in page
    for act in ("remove", "put-back"):
        assert client.post(f"/on-call/{shift.pk}/{act}/").status_code == 403
    client.force_login(outsider)
    assert "Sam Okafor" not in client.get("/on-call/").content.decode()
    assert client.get("/on-call/?site=harbour").status_code == 403
    for act in ("remove", "put-back"):
        assert client.post(f"/on-call/{shift.pk}/{act}/").status_code == 404


@CLOCK
def test_the_api_lists_adds_and_removes(
    site: Site, manager: Staff, provider: Staff, front_desk: Staff, outsider: Staff
) -> None:
    asked = {
        "site": site.pk,
        "staff": provider.pk,
        "starts_at": "2027-02-15T13:00:00Z",
        "ends_at": "2027-02-16T13:00:00Z",
    }
    made = api(manager).post("/api/v1/on-call/", asked)
    assert made.status_code == 201 and made.json()["email"] == provider.email
    assert api(front_desk).get("/api/v1/on-call/").json()["count"] == 1
    assert api(outsider).get("/api/v1/on-call/").json()["count"] == 0
    address = f"/api/v1/on-call/{made.json()['id']}/"
    refused(api(front_desk).post("/api/v1/on-call/", asked), 403, "forbidden")
    refused(api(outsider).post("/api/v1/on-call/", asked), 404, "not_found", "site")
    refused(api(outsider).delete(address), 404, "not_found")
    refused(api(manager).post("/api/v1/on-call/", asked), 400, "shift_refused", "starts_at")
    assert api(manager).delete(address).status_code == 204
