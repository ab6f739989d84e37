"""A visit of another length: its edge dropped, the minutes written, refused with a way out."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from tests.reminders.views.board.test_placing import BOARD, HTMX, time_of
from tests.reminders.views.board.test_placing import neighbour as neighbour  # a fixture
from tests.reminders.views.conftest import FIRST, at

pytestmark = pytest.mark.django_db


def stretch(client: Client, visit: Appointment, minutes: Any, **more: Any) -> Any:
    data = {"version": visit.version, "minutes": minutes, "next": BOARD, **more}
    return client.post(f"/visits/{visit.pk}/length/", data, headers=HTMX)


def minutes_of(visit: Appointment) -> int:
    visit.refresh_from_db()
    return (visit.ends_at - visit.starts_at) // timedelta(minutes=1)


def test_a_dropped_edge_makes_a_visit_longer_and_the_toast_takes_it_back(
    desk: Client, visits: list[Appointment]
) -> None:
    usual = minutes_of(visits[0])
    board = desk.get(f"{BOARD}&visit={visits[0].pk}").content.decode()
    assert "data-resizable" in board
    assert f'name="minutes" value="{usual}"' in board
    page = stretch(desk, visits[0], usual + 30).content.decode()
    assert minutes_of(visits[0]) == usual + 30
    assert f"session 1 lasts {usual + 30} min now, until 12:05" in page
    assert f"from {usual} to {usual + 30} min" in desk.get(f"/visits/{visits[0].pk}/").text
    undo = re.search(r'action="(/visits/\d+/undo/[^"]*)"', page)
    assert undo
    desk.post(undo[1].replace("&amp;", "&"))
    assert minutes_of(visits[0]) == usual


def test_without_script_the_visit_itself_has_the_field(
    desk: Client, visits: list[Appointment]
) -> None:
    page = f"/visits/{visits[0].pk}/"
    assert 'name="minutes"' in desk.get(page).text
    data = {"version": visits[0].version, "minutes": 60, "next": page}
    answer = desk.post(f"{page}length/", data)
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert minutes_of(visits[0]) == 60


def test_a_refusal_offers_what_is_free_and_room_for_all_of_it(
    desk: Client, visits: list[Appointment], neighbour: Appointment
) -> None:
    usual = minutes_of(visits[0])
    answer = stretch(desk, visits[0], 300)
    page = answer.text
    assert (answer.status_code, minutes_of(visits[0])) == (409, usual)
    assert "Not 300 minutes" in page and page.count("Ben Ode") == 3
    free = re.search(r'name="minutes" value="(\d+)">Until', page)
    assert free and usual < int(free[1]) < 300
    places = re.findall(r'class="slot" name="place" value="([^"]+)"', page)
    assert places
    assert stretch(desk, visits[0], free[1]).status_code == 200
    assert minutes_of(visits[0]) == int(free[1])
    stretch(desk, visits[0], 300, place=places[0])
    assert minutes_of(visits[0]) == 300
    assert time_of(visits[0]) != at(FIRST, "10:00")


@pytest.mark.parametrize("sent", ["", "long", "61", "0", "99999"])
def test_what_is_no_length_is_refused(desk: Client, visits: list[Appointment], sent: str) -> None:
    usual = minutes_of(visits[0])
    assert stretch(desk, visits[0], sent).status_code == 409
    assert minutes_of(visits[0]) == usual


def test_a_stale_board_is_told_both_lengths(desk: Client, visits: list[Appointment]) -> None:
    stale = visits[0].version
    stretch(desk, visits[0], 60)
    visits[0].refresh_from_db()
    visits[0].version = stale
    page = stretch(desk, visits[0], 75).text
    assert re.search(r"you saw “[^”]* for 95 min”; it is “[^”]* for 60 min” now", page), page


def test_nobody_stretches_what_is_not_theirs(stranger: Client, visits: list[Appointment]) -> None:
    assert stretch(stranger, visits[0], 60).status_code == 404
    assert stretch(Client(), visits[0], 60).status_code == 302
