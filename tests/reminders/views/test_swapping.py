"""Two visits that exchange their starts: chosen from a day, with one press, and back again."""

from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment
from appointments.visits import booking, locking
from clinic.models import ProtocolVersion, Site, Staff
from tests.personas import a_patient
from tests.reminders.views.conftest import FIRST, SignIn, Wish, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(
    visits: list[Appointment],
    wish: Wish,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> Appointment:
    """Another patient's visit on the afternoon of the first day."""
    patient = a_patient(site, front_desk, now, given="Olga", phone="", email="olga@p.example")
    series = booking.book_series(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST, "14:00")],
        by=front_desk,
        now=now,
    )
    return series.appointments.get()


def address(visit: Appointment) -> str:
    return reverse("visit-swap", args=[visit.pk])


def fields(one: Appointment, other: Appointment) -> dict[str, object]:
    return {
        "other": other.pk,
        "version": one.version,
        "other_version": other.version,
        "day": FIRST.isoformat(),
    }


def starts(*visits: Appointment) -> list[datetime]:
    for visit in visits:
        visit.refresh_from_db()
    return [visit.starts_at for visit in visits]


def test_the_day_shows_whom_to_swap_with_and_not_who_keeps_their_time(
    desk: Client, visits: list[Appointment], other: Appointment, front_desk: Staff, now: datetime
) -> None:
    page = desk.get(address(visits[0])).content.decode()
    assert "Olga Sato" in page and 'name="other"' in page
    assert page.count('name="other"') == 1  # not the visit itself
    locking.lock(appointment=other, by=front_desk, now=now)
    assert "No visit that could swap" in desk.get(address(visits[0])).content.decode()
    assert "No visit that could swap" in desk.get(f"{address(visits[1])}?day=x").content.decode()


def test_one_press_swaps_and_the_undo_of_the_toast_swaps_back(
    desk: Client, visits: list[Appointment], other: Appointment
) -> None:
    one = visits[0]
    before = starts(one, other)
    answer = desk.post(address(one), fields(one, other))
    assert answer.status_code == 303
    assert starts(one, other) == before[::-1]
    page = desk.get(answer["Location"])
    assert "Elena Sato and Olga Sato swapped" in page.content.decode()
    undo = f"{address(one)}?other={other.pk}&version={one.version}&other_version={other.version}"
    assert desk.post(undo).status_code == 303
    assert starts(one, other) == before


def test_a_swap_that_breaks_an_interval_or_is_stale_changes_nothing_and_says_why(
    desk: Client, visits: list[Appointment], other: Appointment
) -> None:
    second = visits[1]  # on the other's day it would stand beside session 1
    before = starts(second, other)
    refused = desk.post(address(second), fields(second, other))
    assert refused.status_code == 409
    assert "Nothing was swapped" in refused.content.decode()
    stale = desk.post(address(visits[0]), {**fields(visits[0], other), "other_version": 7})
    assert stale.status_code == 409
    assert starts(second, other) == before


@pytest.mark.parametrize("hostile", ["", "x", "-1", "9" * 30, "٣"])
def test_what_names_no_visit_is_not_found(
    hostile: str, desk: Client, visits: list[Appointment], other: Appointment
) -> None:
    asked = {**fields(visits[0], other), "other": hostile}
    assert desk.post(address(visits[0]), asked).status_code == 404


def test_outsiders_neither_see_nor_swap(
    sign_in: SignIn, outsider: Staff, visits: list[Appointment], other: Appointment
) -> None:
    client = sign_in(outsider)
    before = starts(visits[0], other)
    assert client.get(address(visits[0])).status_code == 404
    assert client.post(address(visits[0]), fields(visits[0], other)).status_code == 404
    assert starts(visits[0], other) == before == [at(FIRST, "10:00"), at(FIRST, "14:00")]
