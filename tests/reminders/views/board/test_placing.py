"""Putting a visit down: dropped, pressed, refused with every cause, and taken back."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment
from appointments.visits import booking
from clinic.models import Credential, ProtocolVersion, ProviderHours, Resource, Site, Staff
from reminders.views.book_series import draft as drafts
from tests.personas import a_patient
from tests.reminders.views.conftest import FIRST, SECOND, SignIn, Wish, at

pytestmark = pytest.mark.django_db

BOARD = f"/board/?date={FIRST}"
HTMX = {"HX-Request": "true", "HX-Target": "board"}


def drop(
    client: Client, visit: Appointment, wall: str, day: Any = FIRST, htmx: bool = True, **more: Any
) -> Any:
    """Lets go of a visit over the row of a wall time, as the script does."""
    start = at(day, wall).strftime("%Y%m%dT%H%M")
    data = {"version": visit.version, "start": start, "next": BOARD, **more}
    return client.post(f"/visits/{visit.pk}/place/", data, headers=HTMX if htmx else {})


def time_of(visit: Appointment) -> datetime:
    visit.refresh_from_db()
    return visit.starts_at


@pytest.fixture
def neighbour(
    site: Site, front_desk: Staff, house: ProtocolVersion, wish: Wish, now: datetime
) -> Appointment:
    """Ben's visit at two in the afternoon."""
    ben = a_patient(site, front_desk, now, given="Ben", family="Ode", phone="+12125550177")
    series = booking.book_series(
        patient=ben,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST, "14:00")],
        by=front_desk,
        now=now,
    )
    return series.appointments.get()


def test_a_dropped_visit_is_there_and_the_toast_takes_it_back(
    desk: Client, visits: list[Appointment]
) -> None:
    page = drop(desk, visits[0], "13:00").content.decode()
    assert time_of(visits[0]) == at(FIRST, "13:00")
    assert "moved to Thu 18 Feb 13:00" in page
    assert 'class="h4 m0 eh5 em7"' in page
    undo = re.search(r'action="(/visits/\d+/undo/[^"]*)"', page)
    assert undo
    answer = desk.post(undo[1].replace("&amp;", "&"))
    assert (answer.status_code, answer["Location"]) == (303, BOARD)
    assert time_of(visits[0]) == at(FIRST, "10:00")


def test_dropped_on_another_column_it_changes_hands(
    desk: Client, visits: list[Appointment], site: Site
) -> None:
    other = Resource.objects.create(kind="room", name="Room 9", site=site, room_kind="treatment")
    page = drop(desk, visits[0], "10:00", onto=other.pk).content.decode()
    assert "moved to Thu 18 Feb 10:00, with Room 9." in page
    visits[0].refresh_from_db()
    assert visits[0].resources_held()["room"] == other.pk


def test_without_script_a_free_start_is_pressed(desk: Client, visits: list[Appointment]) -> None:
    page = desk.get(f"{BOARD}&pick={visits[0].pk}").content.decode()
    starts = re.findall(r'name="place" value="([^"]+)"><time[^>]*>13:00', page)
    assert len(starts) == 1
    answer = desk.post(
        f"/visits/{visits[0].pk}/place/",
        {
            "version": visits[0].version,
            "place": starts[0],
            "next": f"{BOARD}&pick={visits[0].pk}",
        },
    )
    assert (answer.status_code, answer["Location"]) == (303, BOARD)
    assert time_of(visits[0]) == at(FIRST, "13:00")


def test_the_visit_in_hand_goes_along_to_another_day(
    desk: Client, visits: list[Appointment]
) -> None:
    page = desk.get(f"{BOARD}&pick={visits[0].pk}").content.decode()
    assert "Elena Sato, session 1" in page
    assert f"date=2027-02-19&amp;pick={visits[0].pk}" in page


def test_a_refusal_names_every_cause_and_three_free_places(
    desk: Client, visits: list[Appointment], neighbour: Appointment
) -> None:
    answer = drop(desk, visits[0], "13:30")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#panel"
    assert time_of(visits[0]) == at(FIRST, "10:00")
    for name in ("Sam Okafor", "Room 1", "Needle 1"):
        assert re.search(rf"{name} is taken \d\d:\d\d–\d\d:\d\d\.", page), name
    assert page.count("Ben Ode") == 3
    assert page.count('class="slot" name="place"') == 3


def test_places_near_are_those_of_the_column_that_it_was_dropped_on(
    desk: Client, visits: list[Appointment], neighbour: Appointment, site: Site, protocol: Any
) -> None:
    lee = Resource.objects.create(kind="provider", name="Lee Park", site=site)
    room = Resource.objects.create(kind="room", name="Room 9", site=site, room_kind="treatment")
    ProviderHours.objects.create(
        provider=lee, site=site, weekday=FIRST.weekday(), starts=540, ends=1080
    )
    Credential.objects.create(
        provider=lee, modality=protocol.modality, valid_from=FIRST.replace(year=2025)
    )
    # The device is taken, whoever treats.
    for onto, kind in ((lee, "provider"), (room, "room")):
        page = drop(desk, visits[0], "13:30", onto=onto.pk).content.decode()
        places = re.findall(r'class="slot" name="place" value="([^"]+)"', page)
        assert len(places) == 3
        assert {getattr(drafts.wish(each), f"{kind}_id") for each in places} == {onto.pk}
    # Who has no leave to treat has no place either: those of others are shown.
    Credential.objects.filter(provider=lee).delete()
    page = drop(desk, visits[0], "13:30", onto=lee.pk).content.decode()
    assert page.count('class="slot" name="place"') == 3 and "Sam Okafor" in page


def test_without_script_the_refusal_stands_beside_the_board(
    desk: Client, visits: list[Appointment], neighbour: Appointment
) -> None:
    answer = drop(desk, visits[0], "13:30", htmx=False)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "<html" in page and "Not moved" in page and "E. Sato" in page
    assert f"/board/?date={FIRST}&amp;cols=rooms" in page


def test_too_near_to_the_next_session_is_a_cause_and_a_way_to_move_that_too(
    desk: Client, visits: list[Appointment]
) -> None:
    answer = drop(desk, visits[0], "10:00", day=SECOND.replace(day=11))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Move the later visits with it" in page
    assert f"/visits/{visits[0].pk}/move/?day=2027-03-11&amp;time=10:00" in page


def test_who_may_lays_it_over_another_visit_for_a_reason(
    sign_in: SignIn, manager: Staff, visits: list[Appointment], neighbour: Appointment
) -> None:
    client = sign_in(manager)
    page = drop(client, visits[0], "13:30").content.decode()
    place = re.findall(r'name="place" value="([^"]+)">Move it there for this reason', page)
    assert place
    data = {
        "version": visits[0].version,
        "place": place[0],
        "over": "1",
        "override_reason": "Twins, treated together",
        "next": BOARD,
    }
    answer = client.post(f"/visits/{visits[0].pk}/place/", data, headers=HTMX)
    assert answer.status_code == 200
    assert time_of(visits[0]) == at(FIRST, "13:30")
    assert "lane1 of2" in answer.content.decode()


def test_the_front_desk_is_told_who_may(
    desk: Client, visits: list[Appointment], neighbour: Appointment
) -> None:
    page = drop(desk, visits[0], "13:30").content.decode()
    assert "may do it all the same" in page
    assert "Move it there for this reason" not in page


def test_a_stale_board_is_told_both_values(desk: Client, visits: list[Appointment]) -> None:
    stale = visits[0].version
    drop(desk, visits[0], "13:00")
    visits[0].refresh_from_db()
    visits[0].version = stale
    answer = drop(desk, visits[0], "15:00")
    assert answer.status_code == 409
    assert "you saw “Booked, Thu 18 Feb 10:00”" in answer.content.decode()
    assert time_of(visits[0]) == at(FIRST, "13:00")


@pytest.mark.parametrize("sent", ["", "never", "99990101T0000", "20270218T1001"])
def test_what_no_board_offers_is_refused(
    desk: Client, visits: list[Appointment], sent: str
) -> None:
    data = {"version": visits[0].version, "start": sent, "next": "https://evil.example/"}
    answer = desk.post(f"/visits/{visits[0].pk}/place/", data, headers=HTMX)
    assert answer.status_code == 409
    assert "evil" not in answer.content.decode()
    assert time_of(visits[0]) == at(FIRST, "10:00")


def test_nobody_places_what_is_not_theirs(
    stranger: Client, client: Client, visits: list[Appointment]
) -> None:
    assert drop(stranger, visits[0], "13:00").status_code == 404
    assert drop(Client(), visits[0], "13:00").status_code == 302
    assert time_of(visits[0]) == at(FIRST, "10:00")
