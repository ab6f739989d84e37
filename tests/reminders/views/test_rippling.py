"""A series that follows a moved visit: the difference, the one button, and taking it back."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment
from appointments.visits import attendance, booking
from clinic.models import ProtocolVersion, Site, Staff
from reminders.views.book_series.draft import written
from tests.personas import a_patient
from tests.reminders.views.conftest import FIRST, SECOND, THIRD, SignIn, Wish, at

pytestmark = pytest.mark.django_db

LATE = SECOND + timedelta(days=14)


def body(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def url(name: str, visit: Appointment) -> str:
    return reverse(name, args=[visit.pk])


def starts(visits: list[Appointment]) -> list[datetime]:
    rows = Appointment.objects.in_bulk([visit.pk for visit in visits])
    return [rows[visit.pk].starts_at for visit in visits]


def moves(page: str) -> list[str]:
    return re.findall(r'name="move" value="([^"]+)"', page)


@pytest.fixture
def diff(desk: Client, visits: list[Appointment], wish: Wish) -> str:
    """The page that follows on moving session 2 too near to session 3."""
    place = written(wish(LATE, "11:00"))
    return body(desk.post(url("visit-move", visits[1]), {"version": 1, "place": place}))


def test_a_move_that_the_rest_cannot_keep_shows_who_follows_and_moves_nobody(
    diff: str, visits: list[Appointment]
) -> None:
    assert "the series follows" in diff
    assert ">Move 2 visits</button>" in diff
    assert "<s><time" in diff and "Thu 15 Apr 10:00" in diff
    assert len(moves(diff)) == 2
    assert starts(visits) == [at(FIRST, "10:00"), at(SECOND, "10:00"), at(THIRD, "10:00")]
    assert "Or move only this one" not in diff


def test_one_button_moves_them_all_and_one_undo_brings_them_all_back(
    desk: Client, diff: str, visits: list[Appointment]
) -> None:
    done = desk.post(
        url("visit-ripple", visits[1]), {"move": moves(diff), "reason": "Holiday"}, follow=True
    )
    assert "2 visits moved." in body(done)
    assert starts(visits)[1] == at(LATE, "11:00")
    assert starts(visits)[2] > at(THIRD, "10:00")
    undo = re.search(r'"([^"]*/take-back/[^"]*)"', body(done))
    assert undo is not None
    back = desk.post(undo[1].replace("&amp;", "&"), follow=True)
    assert "2 visits back to what they were." in body(back)
    assert starts(visits) == [at(FIRST, "10:00"), at(SECOND, "10:00"), at(THIRD, "10:00")]


def test_a_lost_place_shows_the_difference_anew(
    desk: Client,
    diff: str,
    visits: list[Appointment],
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    wish: Wish,
    now: datetime,
) -> None:
    sent = moves(diff)
    start = sent[1].split(".", 2)[2].split("~")[0]
    taken = datetime.strptime(f"{start}+0000", "%Y%m%dT%H%M%z")
    ben = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    booking.book_series(
        patient=ben,
        site=site,
        version=house,
        areas=["face"],
        visits=[replace(wish(LATE), starts_at=taken)],
        by=front_desk,
        now=now,
    )
    answer = desk.post(url("visit-ripple", visits[1]), {"move": sent})
    assert answer.status_code == 409
    again = body(answer)
    assert "Nothing was moved" in again and "just taken" in again
    assert moves(again) and moves(again) != sent
    assert starts(visits)[1] == at(SECOND, "10:00")
    done = desk.post(url("visit-ripple", visits[1]), {"move": moves(again)}, follow=True)
    assert "2 visits moved." in body(done)


def test_a_start_too_near_to_the_session_before_is_refused_as_ever(
    desk: Client, visits: list[Appointment], wish: Wish
) -> None:
    place = written(wish(SECOND - timedelta(days=14), "11:00"))
    answer = desk.post(url("visit-move", visits[1]), {"version": 1, "place": place})
    assert answer.status_code == 409
    assert "Session 2 is 14 days after session 1" in body(answer)
    assert "the series follows" not in body(answer)


def test_a_stale_visit_moves_nobody(
    desk: Client, diff: str, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    attendance.confirm(appointment=visits[2], by=front_desk, now=now)
    answer = desk.post(url("visit-ripple", visits[1]), {"move": moves(diff)})
    assert answer.status_code == 409
    assert "Somebody changed this visit" in body(answer)
    assert starts(visits)[1] == at(SECOND, "10:00")


def test_who_may_override_moves_only_this_one(
    sign_in: SignIn, manager: Staff, visits: list[Appointment], wish: Wish
) -> None:
    client, place = sign_in(manager), written(wish(LATE, "11:00"))
    page = body(client.post(url("visit-move", visits[1]), {"version": 1, "place": place}))
    assert "Or move only this one" in page
    sent = {"version": 1, "place": place, "override_reason": "Wedding"}
    client.post(url("visit-move", visits[1]), sent)
    assert starts(visits)[1:] == [at(LATE, "11:00"), at(THIRD, "10:00")]


def test_a_stranger_and_a_garbled_form_move_nothing(
    stranger: Client, desk: Client, diff: str, visits: list[Appointment]
) -> None:
    for name in ("visit-ripple", "visit-take-back"):
        assert stranger.post(url(name, visits[1]), {"move": moves(diff)}).status_code == 404
    for garbled in ([], ["x"], ["1.2"], ["9.9.9"], [f"{visits[1].pk}.1.20991301T9999~1~1~1"]):
        answer = desk.post(url("visit-ripple", visits[1]), {"move": garbled})
        assert answer.status_code == 303
    assert desk.post(url("visit-take-back", visits[1]) + "?visit=x.y&visit=1").status_code == 303
    assert starts(visits) == [at(FIRST, "10:00"), at(SECOND, "10:00"), at(THIRD, "10:00")]
