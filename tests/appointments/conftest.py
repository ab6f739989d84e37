"""What a booked series needs, and short ways to say when."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from appointments.models import Appointment, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.visits import booking
from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from tests.personas import a_patient

Wish = Callable[..., VisitWish]
Book = Callable[..., TreatmentSeries]


def at(day: date, wall: str, zone: str = "America/New_York") -> datetime:
    """The instant of a wall time such as "10:00"."""
    there = datetime.combine(day, time.fromisoformat(wall), ZoneInfo(zone))
    return there.astimezone(UTC)


@pytest.fixture
def wish(treatment_provider: Resource, room: Resource, needling_device: Resource) -> Wish:
    """A place with the one provider, room and device of the house: wish(day, "10:00")."""

    def make(day: date, wall: str = "10:00") -> VisitWish:
        return VisitWish(at(day, wall), treatment_provider.pk, room.pk, needling_device.pk)

    return make


@pytest.fixture
def book(
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    front_desk: Staff,
    now: datetime,
) -> Book:
    """Books a series of RF microneedling of the face; anything may be given instead."""

    def make(*visits: VisitWish, **changes: object) -> TreatmentSeries:
        wanted = {
            "patient": patient,
            "site": site,
            "version": house,
            "areas": ["face"],
            "by": front_desk,
            "now": now,
            **changes,
        }
        return booking.book_series(visits=visits, **wanted)  # type: ignore[arg-type]

    return make


@pytest.fixture
def other(site: Site, front_desk: Staff, now: datetime) -> Patient:
    """Another patient of the site, who has no visits."""
    return a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")


# Thursdays, 28 days apart; the clocks go forward between the first and the second.
FIRST, SECOND, THIRD = date(2027, 3, 4), date(2027, 4, 1), date(2027, 4, 29)


@pytest.fixture
def series(book: Book, wish: Wish) -> TreatmentSeries:
    """Three sessions at ten on FIRST, SECOND and THIRD."""
    return book(wish(FIRST), wish(SECOND), wish(THIRD))


@pytest.fixture
def visits(series: TreatmentSeries) -> list[Appointment]:
    return list(series.appointments.order_by("session"))
