"""A place for a patient who has a visit elsewhere, or another one here."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from appointments.claiming import checking
from appointments.claiming.taking import Claim
from appointments.models import Appointment, TreatmentSeries
from appointments.refusals import PatientElsewhere
from clinic.models import (
    ProtocolVersion,
    Site,
    Staff,
    TravelTime,
)
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, Book, Wish, at
from tests.appointments.proposing.conftest import DAY, NEW_YORK, offered
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def nearby(other_site: Site) -> Site:
    """The other site, on the same clock."""
    other_site.zone = NEW_YORK
    other_site.name = "Sunset"
    other_site.save()
    return other_site


@pytest.fixture
def at_sunset(
    patient: Patient, nearby: Site, protocol: ProtocolVersion, now: datetime
) -> Appointment:
    """The patient is at Sunset from 12:00 to 13:30 on FIRST."""
    return a_visit(patient, nearby, protocol, now=now, starts_at=at(FIRST, "12:00"))


def travel(one: Site, other: Site, minutes: int) -> None:
    low, high = sorted((one.pk, other.pk))
    TravelTime.objects.create(site_id=low, other_id=high, minutes=minutes)


@pytest.fixture
def check(
    patient: Patient, site: Site, house: ProtocolVersion, wish: Wish, now: datetime
) -> Callable[[str], None]:
    """Checks a place at a wall time of FIRST, as booking does."""

    def run(wall: str) -> None:
        place = wish(FIRST, wall)
        claim = Claim(patient, site, house, ["face"], [place])
        checking.place_is_right(claim.load(now=now), patient, place)

    return run


@pytest.mark.parametrize(
    ("minutes", "wall", "said", "instead"),
    [
        (30, "13:55", "The patient is at Sunset until Thu 4 Mar 13:30 and needs 30 minutes to get"
         " here: 14:00 is the first start after it.", ["09:55", "14:00"]),
        (30, "12:30", "The patient is at Sunset until Thu 4 Mar 13:30 and needs 30 minutes to get"
         " here: 14:00 is the first start after it.", ["09:55", "14:00"]),
        (30, "10:00", "The patient is due at Sunset at Thu 4 Mar 12:00 and needs 30 minutes to get"
         " there: 09:55 is the last start before it.", ["09:55", "14:00"]),
        (0, "11:00", "The patient is due at Sunset at Thu 4 Mar 12:00: 10:25 is the last start"
         " before it.", ["10:25", "13:30"]),
        # Not on the five minutes: rounded to what the patient can make.
        (32, "14:00", "The patient is at Sunset until Thu 4 Mar 13:30 and needs 32 minutes to get"
         " here: 14:05 is the first start after it.", ["09:50", "14:05"]),
    ],
)  # fmt: skip
def test_a_patient_who_is_elsewhere_needs_the_way_between(
    minutes: int,
    wall: str,
    said: str,
    instead: list[str],
    site: Site,
    nearby: Site,
    at_sunset: Appointment,
    check: Callable[[str], None],
) -> None:
    if minutes:
        travel(site, nearby, minutes)
    with pytest.raises(PatientElsewhere) as refusal:
        check(wall)
    assert refusal.value.sentence == said
    assert offered(refusal.value) == instead
    for right in instead:
        check(right)


def test_where_the_clocks_differ_the_zone_is_said(
    site: Site,
    other_site: Site,
    patient: Patient,
    protocol: ProtocolVersion,
    check: Callable[[str], None],
    now: datetime,
) -> None:
    a_visit(patient, other_site, protocol, now=now, starts_at=at(FIRST, "12:00"))
    travel(site, other_site, 300)
    with pytest.raises(PatientElsewhere, match="until Thu 4 Mar 13:30 EST and needs 300 minutes"):
        check("16:00")


def test_a_cancelled_visit_elsewhere_keeps_nobody(
    site: Site, nearby: Site, at_sunset: Appointment, check: Callable[[str], None]
) -> None:
    Appointment.objects.filter(pk=at_sunset.pk).update(
        state="cancelled", closed_at=at(FIRST, "08:00")
    )
    check("12:00")


@CLOCK
def test_the_api_tells_where_the_patient_is_and_what_is_right_instead(
    site: Site,
    nearby: Site,
    at_sunset: Appointment,
    book: Book,
    wish: Wish,
    front_desk: Staff,
) -> None:
    visit = book(wish(FIRST + 28 * DAY)).appointments.get()
    travel(site, nearby, 30)
    answer = api(front_desk).post(
        f"/api/v1/appointments/{visit.pk}/move/",
        {"version": 1, "starts_at": {"wall": "2027-03-04T13:45"}},
    )
    told = refused(answer, 409, "patient_elsewhere", "starts_at")
    assert told["start"] == "2027-03-04T18:45:00Z"
    assert told["instead"] == ["2027-03-04T14:55:00Z", "2027-03-04T19:00:00Z"]


def test_a_patient_with_another_visit_here_is_told_from_when_to_when(
    series: TreatmentSeries, book: Book, wish: Wish
) -> None:
    with pytest.raises(PatientElsewhere) as refusal:
        book(wish(FIRST, "11:00"))
    assert refusal.value.sentence == (
        "The patient has another visit from Thu 4 Mar 10:00 to 11:35: 11:35 is the first start"
        " after it, or move that visit."
    )
    assert refusal.value.start == datetime(2027, 3, 4, 16, tzinfo=UTC)
