"""A signed-in staff member, the clock of the tests, and a booked series."""

import re
from collections.abc import Callable, Generator
from datetime import UTC, date, datetime, time
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from appointments.models import Appointment, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.visits import booking
from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients.models import Patient

SignIn = Callable[[Staff], Client]


Wish = Callable[..., VisitWish]


# Thursdays, 28 days apart; the clocks go forward between the first and the second.
FIRST, SECOND, THIRD = date(2027, 2, 18), date(2027, 3, 18), date(2027, 4, 15)


def at(day: date, wall: str, zone: str = "America/New_York") -> datetime:
    """The instant of a wall time such as "10:00"."""
    there = datetime.combine(day, time.fromisoformat(wall), ZoneInfo(zone))
    return there.astimezone(UTC)


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Generator[time_machine.Traveller]:
    """The views read the clock themselves, so it stands still."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sign_in(client: Client) -> SignIn:
    def as_(staff: Staff) -> Client:
        client.force_login(staff)
        return client

    return as_


@pytest.fixture
def desk(sign_in: SignIn, front_desk: Staff) -> Client:
    """The front desk, signed in."""
    return sign_in(front_desk)


@pytest.fixture
def stranger(outsider: Staff) -> Client:
    """Somebody of the other site, signed in."""
    other = Client()
    other.force_login(outsider)
    return other


@pytest.fixture
def wish(treatment_provider: Resource, room: Resource, needling_device: Resource) -> Wish:
    def make(day: date, wall: str = "10:00") -> VisitWish:
        return VisitWish(at(day, wall), treatment_provider.pk, room.pk, needling_device.pk)

    return make


@pytest.fixture
def series(
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    front_desk: Staff,
    wish: Wish,
    now: datetime,
) -> TreatmentSeries:
    """Three sessions of RF microneedling of the face, each at ten in the morning."""
    return booking.book_series(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(FIRST), wish(SECOND), wish(THIRD)],
        by=front_desk,
        now=now,
    )


@pytest.fixture
def visits(series: TreatmentSeries) -> list[Appointment]:
    """The sessions of the series in order."""
    return list(series.appointments.order_by("session"))


NEW, DATES = "/series/new/", "/series/new/dates/"
HTMX = {"HX-Request": "true"}


def body(response: object) -> str:
    return unescape(response.content.decode())  # type: ignore[attr-defined]


def words(response: object) -> str:
    """What can be read on a page."""
    return " ".join(re.sub(r"<[^>]+>", "", body(response)).split())


def chosen(patient: Patient, house: ProtocolVersion, **more: Any) -> dict[str, Any]:
    return {
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 3,
        "from": str(FIRST),
        **more,
    }


def planned_at(desk: Client, typed: dict[str, Any], house: ProtocolVersion) -> str:
    """The address of the plan, with all that the first form makes of what was typed there."""
    leads_to = desk.get(DATES, {**typed, f"area_{house.pk}": "face"})["Location"]
    return f"{DATES}?{leads_to.partition('?')[2]}"


def form_of(page: str) -> dict[str, list[str]]:
    """The hidden and ticked fields of the plan's form."""
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(value)
    fields.pop("csrfmiddlewaretoken", None)
    return fields


@pytest.fixture
def plan(desk: Client, patient: Patient, house: ProtocolVersion) -> dict[str, list[str]]:
    """The fields of the plan that is proposed for three sessions from FIRST on."""
    return form_of(body(desk.get(DATES, chosen(patient, house))))
