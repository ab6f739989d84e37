"""Another site: opened by who manages all of them, told what it needs, planned for and sent from
like any other."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from appointments.proposing.places import VisitWish
from appointments.visits import booking
from clinic import (
    equipping,
    on_call,
    opening_sites,
    site_settings,
    staffing,
    treating,
    weekly_hours,
)
from clinic.access import Forbidden
from clinic.models import AuditEntry, Modality, ProtocolVersion, Role, Site, SiteRole, Staff
from clinic.readiness import SiteFacts, Step, Treatment, lacking, standing
from clinic.site_settings import SiteRefused
from reminders.catalogue import Kind
from reminders.journeys import replanning
from reminders.models import Message
from tests.api import CLOCK, api, refused
from tests.personas import a_patient
from tests.reminders.views.conftest import at

SAID = {
    "name": "Harbour West",
    "address": "9 Mesa Street, Denver",
    "phone": "+1 303 555 0100",
    "sms_name": "Harbour West",
    "sms_number": "+13035550101",
    "email_address": "west@clinic.example",
    "reply_to": "desk@clinic.example",
}
NEW = {"slug": "harbour-west", "zone": "America/Denver"}
WEEK = {day: [(540, 1080)] for day in range(6)}
NEEDLING = Treatment("RF microneedling", "rf_microneedling", "treatment", True)
EMPTY = SiteFacts(False, frozenset(), frozenset(), (), (NEEDLING,), ("Harbour",), False, False)
WHOLE = SiteFacts(
    True, frozenset({"treatment"}), frozenset({"rf_microneedling"}),
    (frozenset({"rf_microneedling"}),), (NEEDLING,), (), True, True,
)  # fmt: skip


def test_what_lacks_is_told_until_nothing_does() -> None:
    assert not any(each.is_done for each in standing(EMPTY))
    assert all(each.is_done for each in standing(WHOLE))
    assert [each.step for each in standing(WHOLE)] == list(Step)
    assert lacking(WHOLE, NEEDLING) == []
    assert len(lacking(EMPTY, NEEDLING)) == 3
    [said] = [each.sentence for each in standing(EMPTY) if each.step is Step.TREATMENTS]
    assert "0 of 1 treatments" in said and "a room of kind treatment, a device" in said


@CLOCK
@pytest.mark.django_db
def test_a_visit_is_booked_at_a_new_site_and_its_messages_are_planned(
    site: Site, manager: Staff, protocol: ProtocolVersion, modality: Modality, now: Any
) -> None:
    west = opening_sites.open_site(**NEW, said=SAID, week=WEEK, by=manager, now=now)
    asked: dict[str, Any] = {"site": west, "by": manager, "now": now}
    sam = treating.add_provider(name="Sam Okafor", modalities=[modality], **asked)
    room = equipping.add_room(name="Room 1", room_kind="treatment", **asked)
    device = equipping.add_device(name="Needle 1", modality=modality, **asked)
    weekly_hours.set_week(provider=sam, week=WEEK, **asked)
    west = site_settings.change(changes={"live_from": now}, **asked)
    lacks = {each.step for each in opening_sites.readiness(west, by=manager, now=now)
             if not each.is_done}  # fmt: skip
    assert lacks == {Step.ON_CALL}

    start = at(date(2027, 2, 18), "10:00", "America/Denver")
    booking.book_series(
        patient=a_patient(west, manager, now), site=west, version=protocol, areas=["face"],
        visits=[VisitWish(start, sam.pk, room.pk, device.pk)], by=manager, now=now,
    )  # fmt: skip
    replanning.sync_stale(now=now)
    planned = Message.objects.filter(site=west)
    kinds = set(planned.values_list("kind", flat=True))
    assert {Kind.BOOKING_CONFIRMED, Kind.REMINDER_CONFIRM} <= kinds


@pytest.mark.django_db
def test_a_shift_of_next_week_is_nobody_on_call_at_a_site_that_sends_today(
    site: Site, manager: Staff, now: datetime
) -> None:
    def is_done() -> bool:
        steps = opening_sites.readiness(site, by=manager, now=now)
        return next(each.is_done for each in steps if each.step is Step.ON_CALL)

    week, day = timedelta(days=7), timedelta(days=1)
    on_call.add(
        site=site,
        staff=manager,
        starts_at=now + week,
        ends_at=now + week + day,
        by=manager,
        now=now,
    )
    for live_from, done in ((None, True), (now - day, False), (now + week, True)):
        site.live_from = live_from
        assert is_done() is done
    Staff.objects.filter(pk=manager.pk).update(is_active=False)
    assert not is_done()


@pytest.mark.django_db
def test_only_who_manages_every_site_opens_one_and_nothing_wrong_is_stored(
    site: Site, manager: Staff, front_desk: Staff, clinical_lead: Staff, outsider: Staff, now: Any
) -> None:
    asked: dict[str, Any] = {**NEW, "said": SAID, "week": {}, "now": now}
    for by in (manager, front_desk, clinical_lead, outsider):  # there is another site
        with pytest.raises(Forbidden, match="manages every site"):
            opening_sites.open_site(by=by, **asked)
    SiteRole.objects.create(staff=outsider, site=site, role=Role.MANAGER)
    for field, value in (("slug", "Not One"), ("slug", site.slug), ("zone", "Mars/Olympus")):
        with pytest.raises(SiteRefused) as told:
            opening_sites.open_site(by=outsider, **{**asked, field: value})
        assert told.value.field == field
    with pytest.raises(SiteRefused) as told:
        opening_sites.open_site(by=outsider, **{**asked, "said": {**SAID, "phone": "12"}})
    assert told.value.field == "phone"
    made = opening_sites.open_site(by=outsider, **asked)
    assert (made.phone, made.live_from) == ("+13035550100", None)
    assert staffing.roles_at(made, outsider) == {Role.MANAGER}
    assert AuditEntry.objects.get(action="site.open").after["zone"] == "America/Denver"
    for by in (front_desk, manager):
        with pytest.raises(Forbidden):
            opening_sites.readiness(made, by=by, now=now)


@CLOCK
@pytest.mark.django_db
def test_the_pages_open_a_site_and_say_what_it_needs(
    client: Client, site: Site, manager: Staff, front_desk: Staff, protocol: ProtocolVersion
) -> None:
    assert client.get("/sites/new/").status_code == client.get("/sites/").status_code == 302
    client.force_login(front_desk)
    assert client.get("/sites/new/").status_code == client.get("/sites/").status_code == 403
    client.force_login(manager)
    form = client.get("/sites/new/").content.decode()
    assert 'value="America/New_York"' in form and "09:00-18:00" in form
    given = {**SAID, **NEW, "day_0": "9-17"}
    wrong = client.post("/sites/new/", {**given, "zone": "New York"})
    assert wrong.status_code == 422 and "Write a time zone" in wrong.content.decode()
    made = client.post("/sites/new/", given)
    assert made.status_code == 303, made.content
    page = client.get(made.headers["Location"]).content.decode()
    assert "Harbour West" in page and "Add a room" in page and "6 things are missing" in page
    assert "/hours/harbour-west/week/site/" in page


@CLOCK
@pytest.mark.django_db
def test_the_api_opens_a_site(site: Site, manager: Staff, front_desk: Staff) -> None:
    asked = {**SAID, **NEW, "hours": [{"weekday": 0, "starts": 540, "ends": 1020}]}
    refused(api(front_desk).post("/api/v1/sites/", asked), 403, "forbidden")
    refused(api().post("/api/v1/sites/", asked), 401, "not_authenticated")
    refused(
        api(manager).post("/api/v1/sites/", {**asked, "zone": "x"}), 400, "site_refused", "zone"
    )
    made = api(manager).post("/api/v1/sites/", asked)
    assert made.status_code == 201 and made.json()["live_from"] is None, made.content
    path = f"/api/v1/sites/{made.json()['id']}/readiness/"
    assert api(manager).get(path).json()[0] == {
        "step": "hours", "is_done": True, "sentence": "The site has opening hours.",
    }  # fmt: skip
    refused(api(front_desk).get(path), 404, "not_found")
