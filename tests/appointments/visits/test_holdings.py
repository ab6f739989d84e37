"""What visits hold: in the order in which a desk reads it, and nothing that was given back."""

from typing import Any

import pytest

from appointments.models import Allocation, Appointment, TreatmentSeries
from appointments.visits import cancelling, holdings
from clinic.models import Resource, Staff

pytestmark = pytest.mark.django_db


def test_each_visit_holds_its_provider_room_and_device_and_not_its_patient(
    visits: list[Appointment], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        held_by = holdings.of(visits)
    for visit in visits:
        held = held_by[visit.pk]
        assert [each.resource.kind for each in held] == ["provider", "room", "device"]
        assert all(each.starts_at <= visit.starts_at < each.ends_at for each in held)
        assert holdings.names(held)["provider"] == "Sam Okafor"
    # A room is one and the same for all that are in it.
    assert len({id(each.resource) for held in held_by.values() for each in held}) == 3


def test_nothing_is_asked_for_no_visits(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert holdings.of([]) == {}
    assert holdings.provider([]) is None


def test_what_was_given_back_is_held_no_more(
    series: TreatmentSeries, visits: list[Appointment], room: Resource, front_desk: Staff, now: Any
) -> None:
    there = series.appointments.filter(holdings.holds(room.pk))
    assert there.count() == len(visits)
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now, reason="Ill")
    assert Allocation.objects.filter(appointment=visits[0]).exists()
    gone = Appointment.objects.get(pk=visits[0].pk)
    assert holdings.of([gone]) == {gone.pk: []}
    assert there.count() == len(visits) - 1
