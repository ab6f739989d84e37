"""Booking where somebody or something is taken."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Allocation, Appointment, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.refusals import PatientElsewhere, SlotTaken
from clinic.models import (
    ProtocolVersion,
    Resource,
    Role,
    Site,
    Staff,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db


def test_a_long_series_is_booked_in_as_many_queries_as_a_single_visit(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    def queries(name: str, *visits: VisitWish) -> int:
        other = a_patient(site, front_desk, now, given=name, phone="", email=f"{name}@p.example")
        with CaptureQueriesContext(connection) as captured:
            book(*visits, patient=other)
        return len(captured)

    one = queries("ann", wish(FIRST, "13:00"))
    assert queries("ben", wish(FIRST), wish(SECOND), wish(THIRD)) == one


def test_a_taken_slot_names_the_resource_and_three_places_near_it(
    book: Book, wish: Wish, series: TreatmentSeries, other: Patient
) -> None:
    with pytest.raises(SlotTaken) as refused:
        book(wish(FIRST, "10:30"), patient=other)
    taken = refused.value
    assert (taken.resource_kind, taken.resource_name) == ("provider", "Sam Okafor")
    assert taken.sentence.startswith("Sam Okafor was just taken at Thu 4 Mar 10:30. Nearest: ")
    assert [place.starts_at for place in taken.nearest] == [
        at(FIRST, "12:00"),
        at(FIRST, "12:15"),
        at(FIRST, "12:30"),
    ]
    for place in taken.nearest[:1]:
        assert book(place.wish, patient=other).pk


def test_neighbouring_visits_of_one_room_do_not_collide(
    book: Book,
    wish: Wish,
    series: TreatmentSeries,
    other: Patient,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    third = a_patient(site, front_desk, now, given="Cy", phone="", email="cy@p.example")
    book(wish(FIRST, "13:50"), patient=third)
    # Until 11:35, clean-up of the room until 11:50, set-up from then on; that of the third from
    # 13:45, which is when clean-up after one from 11:55 ends.
    for wall in ("11:50", "12:00"):
        with pytest.raises(SlotTaken):
            book(wish(FIRST, wall), patient=other)
    assert book(wish(FIRST, "11:55"), patient=other).pk


def test_a_patient_is_not_in_two_places(
    book: Book,
    wish: Wish,
    site: Site,
    room: Resource,
    needling_device: Resource,
    series: TreatmentSeries,
    house: ProtocolVersion,
) -> None:
    second = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    other_room = Resource.objects.create(
        kind="room", name="Room 2", site=site, room_kind="treatment"
    )
    other_device = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )
    visit = VisitWish(at(FIRST, "10:30"), second.pk, other_room.pk, other_device.pk)
    with pytest.raises(PatientElsewhere, match="another visit from Thu 4 Mar 10:00 to 11:35"):
        book(visit, areas=["hands"])


def test_a_series_is_booked_whole_or_not_at_all(
    book: Book, wish: Wish, series: TreatmentSeries, other: Patient
) -> None:
    counts = Appointment.objects.count(), Allocation.objects.count()
    with pytest.raises(SlotTaken):
        book(wish(FIRST, "13:00"), wish(SECOND, "10:00"), patient=other)
    assert (Appointment.objects.count(), Allocation.objects.count()) == counts
