"""Holds on the screens: of the plan that is looked at, and on the day list."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.claiming import holding
from appointments.models import Allocation, Appointment, Hold
from clinic.models import ProtocolVersion, Role, Site, Staff
from patients.models import Patient
from reminders.views.book_series.draft import written
from tests.personas import a_patient, staff_at
from tests.reminders.views.conftest import FIRST, SECOND, SignIn, Wish

pytestmark = pytest.mark.django_db

HOLD, BOOK = "/series/new/hold/", "/series/new/book/"
DAY = f"/day/?date={FIRST}"


@pytest.fixture
def plan(patient: Patient, house: ProtocolVersion, wish: Wish) -> dict[str, Any]:
    """The fields of the form of a plan with two sessions at ten."""
    return {
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 2,
        "visit": [written(wish(FIRST)), written(wish(SECOND))],
    }


@pytest.fixture
def colleague(site: Site) -> Staff:
    return staff_at(site, Role.FRONT_DESK, "Bo Desk")


def body(answer: object) -> str:
    return unescape(answer.content.decode())  # type: ignore[attr-defined]


# --- The plan -------------------------------------------------------------------------------------


def test_the_page_of_a_plan_asks_to_hold_it_once_it_is_there(
    desk: Client, plan: dict[str, Any]
) -> None:
    page = body(desk.get("/series/new/dates/", plan))
    line = re.search(r'<div id="hold".*?>', page, re.DOTALL)
    assert line and f'hx-post="{HOLD}' in line[0] and 'hx-trigger="load, again"' in line[0]
    assert not Hold.objects.exists()


def test_the_line_says_until_when_it_is_held_and_how_to_let_go(
    desk: Client, plan: dict[str, Any]
) -> None:
    line = body(desk.post(HOLD, plan))
    made = Hold.objects.get()
    assert "Held for you until" in line and "09:05" in line
    assert f'data-release="/series/new/hold/{made.pk}/release/"' in line
    assert "load," not in line  # or it would ask without end
    assert made.allocations.count() == 8


def test_looking_again_proposes_what_one_holds_and_a_colleague_something_else(
    desk: Client, plan: dict[str, Any], sign_in: SignIn, colleague: Staff
) -> None:
    wishes = {key: value for key, value in plan.items() if key != "visit"} | {"from": str(FIRST)}

    def proposed(client: Client) -> list[str]:
        page = body(client.get("/series/new/dates/", wishes))
        return re.findall(r'name="visit" value="([^"]+)"', page)

    first = proposed(desk)
    desk.post(HOLD, {**plan, "visit": first})
    assert proposed(desk) == first
    assert not set(proposed(sign_in(colleague))) & set(first)


def test_leaving_the_page_lets_go(desk: Client, plan: dict[str, Any]) -> None:
    desk.post(HOLD, plan)
    made = Hold.objects.get()
    for _ in range(2):
        assert desk.post(f"{HOLD}{made.pk}/release/").status_code == 204
    assert not Allocation.objects.exists()


def test_who_comes_second_reads_who_holds_it(
    desk: Client, plan: dict[str, Any], sign_in: SignIn, colleague: Staff, site: Site, now: Any
) -> None:
    desk.post(HOLD, plan)
    ben = a_patient(site, colleague, now, given="Ben", phone="", email="ben@p.example")
    line = body(sign_in(colleague).post(HOLD, {**plan, "patient": ben.pk}))
    assert "Sam Okafor is held by Ana Front until 09:05. Nearest:" in line
    assert "data-release" not in line
    assert Hold.objects.count() == 1


def test_the_line_owns_up_when_the_time_has_run_out(
    desk: Client, plan: dict[str, Any], clock: time_machine.Traveller
) -> None:
    desk.post(HOLD, plan)
    made = Hold.objects.get()
    clock.move_to(made.expires_at)
    line = body(desk.get(f"{HOLD}{made.pk}/"))
    assert "No longer held since" in line
    assert "data-release" not in line


def test_booking_takes_what_was_held(desk: Client, plan: dict[str, Any]) -> None:
    desk.post(HOLD, plan)
    assert desk.post(BOOK, plan).status_code == 302
    assert Appointment.objects.count() == 2
    assert Hold.objects.get().released_at is not None


def test_without_script_nothing_is_held_and_booking_works(
    desk: Client, plan: dict[str, Any]
) -> None:
    assert desk.post(BOOK, plan).status_code == 302
    assert not Hold.objects.exists()


def test_a_form_that_is_no_plan_holds_nothing(desk: Client, plan: dict[str, Any]) -> None:
    for broken in ({}, {**plan, "visit": []}, {**plan, "patient": ""}):
        assert desk.post(HOLD, broken).status_code == 204
    assert desk.post(HOLD, {**plan, "visit": ["20270218T1500~9~9~9"]}).status_code == 200
    assert not Hold.objects.exists()


def test_a_stranger_finds_no_hold(desk: Client, stranger: Client, plan: dict[str, Any]) -> None:
    desk.post(HOLD, plan)
    made = Hold.objects.get()
    assert stranger.post(HOLD, plan).status_code == 404
    assert stranger.get(f"{HOLD}{made.pk}/").status_code == 404
    assert stranger.post(f"{HOLD}{made.pk}/release/").status_code == 404
    assert Hold.objects.unreleased().exists()


def test_a_colleague_does_not_let_go(
    desk: Client, plan: dict[str, Any], sign_in: SignIn, colleague: Staff
) -> None:
    desk.post(HOLD, plan)
    made = Hold.objects.get()
    assert sign_in(colleague).post(f"{HOLD}{made.pk}/release/").status_code == 403


# --- The day list ---------------------------------------------------------------------------------


def test_the_day_shows_by_whom_what_is_held_until_when(
    desk: Client, plan: dict[str, Any], sign_in: SignIn, colleague: Staff
) -> None:
    desk.post(HOLD, plan)
    page = body(sign_in(colleague).get(DAY))
    row = re.search(r'<tr class="held">.*?</tr>', page, re.DOTALL)
    assert row is not None
    words = " ".join(re.sub(r"<[^>]+>", " ", row[0]).split())
    assert words.startswith("10:00 95 min Elena Sato Held by Ana Front until 09:05")
    assert "Sam Okafor" in words and "Room 1 · Needle 1" in words and "Held" in words
    assert '<tr class="held">' not in body(desk.get("/day/?date=2027-02-19"))
    assert '<tr class="held">' in body(desk.get(f"/day/?date={SECOND}"))


def test_a_hold_vanishes_from_the_day_when_it_runs_out(
    desk: Client, plan: dict[str, Any], clock: time_machine.Traveller
) -> None:
    desk.post(HOLD, plan)
    clock.shift(timedelta(minutes=5))
    assert '<tr class="held">' not in body(desk.get(DAY))


def test_holds_stand_between_visits_in_order_and_by_provider(
    desk: Client,
    visits: list[Appointment],
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    wish: Wish,
    now: Any,
) -> None:
    ben = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    holding.hold_plan(
        patient=ben,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST, "13:00")],
        by=front_desk,
        now=now,
    )
    page = body(desk.get(DAY))
    assert page.index("Elena Sato") < page.index("Ben Sato")
    provider = wish(FIRST).provider_id
    assert '<tr class="held">' in body(desk.get(f"{DAY}&provider={provider}"))
    assert '<tr class="held">' not in body(desk.get(f"{DAY}&provider={provider + 99}"))


def test_a_patient_whom_the_reader_may_not_see_is_not_named(
    site: Site,
    other_site: Site,
    desk: Client,
    outsider: Staff,
    house: ProtocolVersion,
    wish: Wish,
    now: Any,
) -> None:
    elsewhere = a_patient(other_site, outsider, now, given="Kit", phone="", email="k@p.example")
    both = staff_at(site, Role.FRONT_DESK, "Both Sites")
    both.site_roles.create(site=other_site, role=Role.FRONT_DESK)
    holding.hold_plan(
        patient=elsewhere,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST)],
        by=both,
        now=now,
    )
    page = body(desk.get(DAY))
    assert "Held by Both Sites" in page and "Kit" not in page


def test_more_holds_cost_no_more_queries(
    desk: Client, site: Site, house: ProtocolVersion, front_desk: Staff, wish: Wish, now: Any
) -> None:
    counts = []
    for number, wall in enumerate(("10:00", "13:00")):
        one = a_patient(site, front_desk, now, given=f"P{number}", phone="", email="")
        holding.hold_plan(
            patient=one,
            site=site,
            version=house,
            areas=["face"],
            visits=[wish(FIRST, wall)],
            by=front_desk,
            now=now,
        )
        with CaptureQueriesContext(connection) as queries:
            assert body(desk.get(DAY)).count('<tr class="held">') == number + 1
        counts.append(len(queries))
    assert counts[0] == counts[1]
