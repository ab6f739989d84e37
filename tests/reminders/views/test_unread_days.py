"""A day that cannot be read: each page says so, shows another one, and moves nothing."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from appointments.visits import cancelling
from clinic.models import ProtocolVersion, Staff
from patients.models import Patient
from reminders.views.book_series.draft import written
from tests.reminders.views.conftest import FIRST, THIRD, Wish

pytestmark = pytest.mark.django_db

SAID = "That is not a date."


def body(answer: Any) -> str:
    return unescape(answer.content.decode())


@pytest.mark.parametrize("typed", ["", "31.12.2026", "2027-02-30", "0001-01-01"])
def test_the_pages_of_a_visit_say_so_and_show_its_own_day(
    desk: Client, visits: list[Appointment], typed: str
) -> None:
    for act in ("move", "swap"):
        address = f"/visits/{visits[0].pk}/{act}/"
        page = body(desk.get(address, {"day": typed}))
        assert SAID in page and "You see Thu 18 Feb instead." in page
        assert SAID not in body(desk.get(address))
        assert SAID not in body(desk.get(address, {"day": str(FIRST)}))


def test_nothing_moves_to_a_day_that_cannot_be_read(
    desk: Client, visits: list[Appointment]
) -> None:
    typed = {"version": visits[0].version, "day": "19.02.2027", "time": "11:00"}
    answer = desk.post(f"/visits/{visits[0].pk}/move/", typed)
    assert answer.status_code == 409 and "write a date and a time" in body(answer)
    before = visits[0].starts_at
    visits[0].refresh_from_db()
    assert visits[0].starts_at == before


def test_the_next_session_shows_the_proposed_day_instead(
    desk: Client, visits: list[Appointment], front_desk: Staff, now: Any
) -> None:
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    page = body(desk.get(f"/series/{visits[0].series_id}/next/?day=soon"))
    assert SAID in page and f"write it such as {THIRD}" in page


def test_a_session_of_a_plan_shows_its_own_day_instead(
    desk: Client, patient: Patient, house: ProtocolVersion, wish: Wish
) -> None:
    plan: dict[str, Any] = {
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 1,
        "visit": written(wish(FIRST)),
    }
    asked = {**plan, "look_at": "1", "day_1": "soon"}
    assert SAID in body(desk.post("/series/new/change/", asked, follow=True))
    assert SAID not in body(desk.get("/series/new/dates/", {**plan, "look": "1"}))
