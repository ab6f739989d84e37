"""Booking and moving over another visit on the screens, and where it shows."""

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.views.book_series.draft import written
from tests.personas import a_patient
from tests.reminders.views.conftest import FIRST, SignIn, Wish

pytestmark = pytest.mark.django_db

BOOK, WHY = "/series/new/book/", "Sam agreed"


@pytest.fixture
def ben(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")


@pytest.fixture
def plan(ben: Patient, house: ProtocolVersion, wish: Wish) -> dict[str, Any]:
    """A visit for Ben half an hour after one that stands."""
    return {
        "patient": ben.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 1,
        "visit": [written(wish(FIRST, "10:30"))],
    }


def body(answer: object) -> str:
    return unescape(answer.content.decode())  # type: ignore[attr-defined]


def test_a_manager_books_over_a_visit_with_a_reason(
    visits: list[Appointment], plan: dict[str, Any], sign_in: SignIn, manager: Staff, ben: Patient
) -> None:
    client = sign_in(manager)
    refused = client.post(BOOK, plan)
    assert refused.status_code == 409
    assert "Book over it" in body(refused) and "Why it may lie over" in body(refused)
    without = client.post(BOOK, {**plan, "overlap": "1"})
    assert without.status_code == 409 and "Write a reason" in body(without)
    assert client.post(BOOK, {**plan, "overlap": "1", "reason": WHY}).status_code == 302
    visit = Appointment.objects.get(series__patient=ben)
    assert visit.overrides == ["overlap"]
    for address in (f"/visits/{visit.pk}/", f"/day/?date={FIRST}"):
        assert f"over another visit: {WHY}".lower() in body(client.get(address)).lower()
    below = body(client.get(f"/visits/{visits[0].pk}/"))
    assert "Over another visit" not in below


def test_the_front_desk_is_offered_no_such_thing(
    visits: list[Appointment], plan: dict[str, Any], desk: Client, ben: Patient
) -> None:
    refused = desk.post(BOOK, plan)
    assert refused.status_code == 409 and "Book over it" not in body(refused)
    assert desk.post(BOOK, {**plan, "overlap": "1", "reason": WHY}).status_code == 403
    assert not Appointment.objects.filter(series__patient=ben).exists()


def test_a_manager_moves_over_a_visit_with_a_reason(
    visits: list[Appointment],
    plan: dict[str, Any],
    wish: Wish,
    sign_in: SignIn,
    manager: Staff,
    ben: Patient,
) -> None:
    client = sign_in(manager)
    client.post(BOOK, {**plan, "visit": [written(wish(FIRST, "14:00"))]})
    visit = Appointment.objects.get(series__patient=ben)
    address = f"/visits/{visit.pk}/move/"
    typed = {"version": visit.version, "day": str(FIRST), "time": "10:30"}
    page = body(client.post(address, typed))
    offered = re.search(r'name="over" value="([^"]+)"', page)
    assert offered is not None and "Move over it" in page
    over = {"version": visit.version, "day": str(FIRST), "over": offered[1]}
    again = client.post(address, over)
    assert again.status_code == 409 and "Write a reason" in body(again)
    assert client.post(address, {**over, "override_reason": WHY}).status_code == 303
    visit.refresh_from_db()
    assert (visit.overrides, visit.starts_at) == (["overlap"], wish(FIRST, "10:30").starts_at)


def test_the_front_desk_does_not_move_over_a_visit(
    visits: list[Appointment], plan: dict[str, Any], wish: Wish, desk: Client, ben: Patient
) -> None:
    desk.post(BOOK, {**plan, "visit": [written(wish(FIRST, "14:00"))]})
    visit = Appointment.objects.get(series__patient=ben)
    address = f"/visits/{visit.pk}/move/"
    typed = {"version": visit.version, "day": str(FIRST), "time": "10:30"}
    assert "Move over it" not in body(desk.post(address, typed))
    start = wish(FIRST, "10:30").starts_at.strftime("%Y%m%dT%H%M")
    over = {"version": visit.version, "over": start, "override_reason": WHY}
    assert desk.post(address, over).status_code == 403


def test_a_stranger_finds_nothing_to_book_over(
    visits: list[Appointment], plan: dict[str, Any], stranger: Client
) -> None:
    asked = {**plan, "overlap": "1", "reason": WHY}
    assert stranger.post(BOOK, asked).status_code == 404
    assert stranger.post(f"/visits/{visits[0].pk}/move/", {"over": "x"}).status_code == 404
