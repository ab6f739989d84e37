"""Holds and bookings at once, on real connections: one winner, no deadlock, nothing half done."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest

from appointments.claiming import holding
from appointments.models import Allocation, Appointment, Hold, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused, SlotTaken
from appointments.visits import booking, cancelling, moving
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.appointments.claiming.test_races import Act, at_once, no_overlap, patients
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.appointments.visits.test_beside import beside

pytestmark = pytest.mark.django_db(transaction=True)

WALLS = ["10:00", "10:30", "13:00", "15:15"]


def test_of_holds_and_bookings_of_one_slot_one_wins(
    book: Book, wish: Wish, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    slot = wish(FIRST)

    def holder(patient: Patient) -> Act:
        return lambda: holding.hold_plan(
            patient=patient,
            site=site,
            version=house,
            areas=["face"],
            visits=[slot],
            by=front_desk,
            now=now,
        )

    def booker(patient: Patient) -> Act:
        return lambda: book(slot, patient=patient)

    people = patients(site, front_desk, now, 16)
    outcomes = at_once([(holder, booker)[n % 2](each) for n, each in enumerate(people)])
    losers = [result for result in outcomes if isinstance(result, SlotTaken)]
    assert len(losers) == 15, Counter(type(result).__name__ for result in outcomes)
    assert Appointment.objects.count() + Hold.objects.count() == 1
    assert Allocation.objects.count() == 4


def test_a_hold_that_ran_out_is_cleared_by_many_at_once_without_a_deadlock(
    book: Book, wish: Wish, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    first, *people = patients(site, front_desk, now, 9)
    places = [wish(FIRST), wish(SECOND)]
    holding.hold_plan(
        patient=first,
        site=site,
        version=house,
        areas=["face"],
        visits=places,
        by=front_desk,
        now=now,
    )
    late = now + timedelta(minutes=5)

    def booker(patient: Patient) -> Act:
        return lambda: book(*places, patient=patient, now=late)

    outcomes = at_once(
        [*map(booker, people), *[lambda: holding.expire(now=late) for _ in range(4)]]
    )
    assert all(isinstance(result, int | SlotTaken) or result for result in outcomes)
    faults = [r for r in outcomes if isinstance(r, Exception) and not isinstance(r, SlotTaken)]
    assert not faults
    assert Appointment.objects.count() == 2
    holding.expire(now=late)
    assert not Allocation.objects.filter(hold__isnull=False).exists()


def test_anything_at_once_leaves_no_overlap_and_no_fault(
    book: Book, wish: Wish, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    people, dice = patients(site, front_desk, now, 12), Random(7)
    standing = [
        book(wish(FIRST, wall), patient=each).appointments.get()
        for wall, each in zip(("10:00", "13:00", "15:15"), people, strict=False)
    ]

    def act(number: int) -> Act:
        patient, day = people[number % 12], dice.choice([FIRST, SECOND])
        place, visit = wish(day, dice.choice(WALLS)), standing[number % 3]
        kind = dice.choice(["book", "hold", "move", "cancel", "expire"])
        if kind == "book":
            return lambda: book(place, patient=patient)
        if kind == "hold":
            return lambda: holding.hold_plan(
                patient=patient,
                site=site,
                version=house,
                areas=["face"],
                visits=[place],
                by=front_desk,
                now=now,
            )
        if kind == "move":
            to = at(day, dice.choice(WALLS))
            return lambda: moving.move(appointment=visit, starts_at=to, by=front_desk, now=now)
        if kind == "cancel":
            return lambda: cancelling.cancel(appointment=visit, by=front_desk, now=now)
        return lambda: holding.expire(now=now + timedelta(minutes=5))

    for _ in range(3):
        outcomes = at_once([act(number) for number in range(16)])
        faults = [r for r in outcomes if isinstance(r, Exception) and not isinstance(r, Refused)]
        assert not faults
        assert no_overlap()
        for visit in Appointment.objects.all():
            held = visit.allocations.filter(active=True).count()
            assert held == (0 if visit.state == "cancelled" else 4)


@pytest.fixture
def keep(
    site: Site, house: ProtocolVersion, patient: Patient, front_desk: Staff, now: datetime
) -> Callable[[VisitWish], Hold]:
    """The clerk keeps one place for the patient in a window of theirs."""
    return lambda place: holding.hold_plan(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[place],
        by=front_desk,
        now=now,
    )


@pytest.mark.parametrize("before", [None, "13:00"])
def test_a_clerk_is_not_in_their_own_way_when_another_window_just_kept_the_place(
    before: str | None, keep: Callable[[VisitWish], Hold], book: Book, wish: Wish
) -> None:
    if before:
        keep(wish(FIRST, before))
    booked = beside(lambda: keep(wish(FIRST)), lambda: book(wish(FIRST)))
    assert isinstance(booked, TreatmentSeries), booked
    assert not Hold.objects.unreleased().exists()
    assert not Allocation.objects.filter(hold__isnull=False).exists()


def test_nor_when_they_add_a_visit(
    keep: Callable[[VisitWish], Hold], book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    series = book(wish(FIRST))
    added = beside(
        lambda: keep(wish(SECOND)),
        lambda: booking.add_visit(series=series, visit=wish(SECOND), by=front_desk, now=now),
    )
    assert isinstance(added, Appointment), added
    assert not Hold.objects.unreleased().exists()


def test_of_two_windows_that_keep_a_plan_at_once_the_later_one_stands(
    keep: Callable[[VisitWish], Hold], wish: Wish
) -> None:
    outcomes = at_once([lambda: keep(wish(FIRST)), lambda: keep(wish(SECOND))] * 3)
    assert all(isinstance(result, Hold) for result in outcomes), outcomes
    [standing] = Hold.objects.unreleased()
    assert set(Allocation.objects.values_list("hold", flat=True)) == {standing.pk}
