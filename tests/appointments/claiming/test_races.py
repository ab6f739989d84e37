"""Many hands at once, on real connections: one winner, no deadlock, nothing half done."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Barrier, Thread

import pytest
from django.db import connections

from appointments.claiming.allocating import DEADLOCK, LOCK_TIMEOUT
from appointments.models import Allocation, Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import PatientElsewhere, Refused, SlotTaken, StaleVersion
from appointments.visits import attendance, cancelling, moving, swapping
from appointments.visits.moving import VisitMove
from clinic.models import (
    Modality,
    ProtocolVersion,
    Resource,
    Role,
    Site,
    SiteRole,
    Staff,
    TravelTime,
)
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[], object]


def at_once(acts: Sequence[Act]) -> list[object]:
    """Run every act in a thread of its own; what each returned or raised. Nobody may have lost
    by standing in another's way."""
    outcomes: list[object] = []
    barrier = Barrier(len(acts))

    def run(act: Act) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            try:
                outcomes.append(act())
            except Exception as error:  # noqa: BLE001  every outcome is judged by the test
                outcomes.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(_has_stalled(each) for each in outcomes if isinstance(each, Exception))
    return outcomes


def _has_stalled(error: BaseException | None) -> bool:
    """Whether it stood in a deadlock, or waited for a lock until that was given up."""
    while error is not None:
        if getattr(error, "sqlstate", None) in (DEADLOCK, LOCK_TIMEOUT):
            return True
        error = error.__cause__ or error.__context__
    return False


def patients(site: Site, by: Staff, now: datetime, count: int) -> list[Patient]:
    return [
        a_patient(site, by, now, given=f"P{n}", phone="", email=f"p{n}@p.example")
        for n in range(count)
    ]


def no_overlap() -> bool:
    held = Allocation.objects.filter(active=True).order_by("resource_id", "starts_at")
    rows = list(held.values_list("resource_id", "starts_at", "ends_at"))
    return all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(rows))


@pytest.mark.parametrize("bookers", [20, 50])
def test_many_bookers_of_one_slot_give_one_winner_and_alternatives(
    bookers: int, book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    slot = wish(FIRST)

    def booker(patient: Patient) -> Act:
        return lambda: book(slot, patient=patient)

    outcomes = at_once([booker(each) for each in patients(site, front_desk, now, bookers)])
    losers = [result for result in outcomes if isinstance(result, SlotTaken)]
    assert len(losers) == bookers - 1, Counter(type(result).__name__ for result in outcomes)
    assert all(len(loser.nearest) == 3 for loser in losers)
    assert Appointment.objects.count() == 1
    assert Allocation.objects.count() == 4


def test_whole_series_that_cross_are_booked_whole_or_not_at_all(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    def booker(patient: Patient, walls: tuple[str, str]) -> Act:
        return lambda: book(wish(FIRST, walls[0]), wish(SECOND, walls[1]), patient=patient)

    walls = [("10:00", "12:00"), ("11:00", "10:00"), ("10:30", "12:30"), ("12:30", "11:00")]
    people = patients(site, front_desk, now, 12)
    outcomes = at_once([booker(each, walls[n % 4]) for n, each in enumerate(people)])
    won = [result for result in outcomes if not isinstance(result, Exception)]
    assert won
    assert all(isinstance(result, SlotTaken) for result in outcomes if result not in won)
    assert Appointment.objects.count() == 2 * len(won)
    assert Allocation.objects.count() == 8 * len(won)
    assert no_overlap()


def test_two_clerks_who_swap_two_visits_both_hear_at_once_that_it_is_taken(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    one, two = patients(site, front_desk, now, 2)
    first = book(wish(FIRST, "10:00"), patient=one).appointments.get()
    second = book(wish(FIRST, "13:00"), patient=two).appointments.get()

    def mover(visit: Appointment, to: datetime) -> Act:
        return lambda: moving.move(appointment=visit, starts_at=to, by=front_desk, now=now)

    for _ in range(5):
        outcomes = at_once([mover(first, second.starts_at), mover(second, first.starts_at)])
        assert [type(result) for result in outcomes] == [SlotTaken, SlotTaken]
    assert no_overlap()


def test_two_clerks_who_press_swap_at_once_swap_once(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    one, two = patients(site, front_desk, now, 2)
    first = book(wish(FIRST, "10:00"), patient=one).appointments.get()
    second = book(wish(FIRST, "13:00"), patient=two).appointments.get()

    def swapper(one: Appointment, other: Appointment) -> Act:
        return lambda: swapping.swap(one=one, other=other, by=front_desk, now=now)

    for _ in range(5):
        was = first.starts_at, second.starts_at
        outcomes = at_once([swapper(first, second), swapper(second, first)])
        assert sum(isinstance(result, StaleVersion) for result in outcomes) == 1
        first.refresh_from_db()
        second.refresh_from_db()
        assert (second.starts_at, first.starts_at) == was
    assert no_overlap()


def test_clerks_whose_series_ripple_across_each_other_win_or_lose_whole(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    week = timedelta(days=7)
    people = patients(site, front_desk, now, 6)
    booked = [
        book(wish(FIRST, wall), wish(SECOND, wall), patient=each)
        for each, wall in zip(people, ("09:15", "11:30", "13:45", "16:00"), strict=False)
    ]

    def rippler(number: int) -> Act:
        # Half of them go through their visits the other way round.
        visits = list(booked[number].appointments.order_by("session" if number % 2 else "-session"))
        days = {1: FIRST + week, 2: SECOND + week}
        moves = [VisitMove(each, wish(days[each.session], "11:15")) for each in visits]
        return lambda: moving.move_together(moves=moves, by=front_desk, now=now)

    def booker(patient: Patient) -> Act:
        return lambda: book(wish(SECOND + week, "11:30"), patient=patient)

    acts = [rippler(number) for number in range(4)] + [booker(each) for each in people[4:]]
    outcomes = at_once(acts)
    won = [result for result in outcomes if not isinstance(result, Exception)]
    assert len(won) == 1, Counter(type(result).__name__ for result in outcomes)
    assert sum(isinstance(result, SlotTaken) for result in outcomes) == 5
    for series in booked:
        first, second = series.appointments.order_by("session")
        assert (first.version, second.version) in ((1, 1), (2, 2))
    assert no_overlap()


def test_a_swap_and_a_booking_that_want_one_place_do_not_both_get_it(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    long, short, third = patients(site, front_desk, now, 3)
    areas = ["face", "neck", "decollete"]
    one = book(wish(FIRST, "10:00"), patient=long, areas=areas).appointments.get()
    other = book(wish(SECOND, "10:00"), patient=short).appointments.get()
    # The longer visit would reach into what the other patient wants.
    beside = wish(SECOND, "12:00")
    for _ in range(3):
        outcomes = at_once(
            [
                lambda: swapping.swap(one=one, other=other, by=front_desk, now=now),
                lambda: book(beside, patient=third),
            ]
        )
        losers = [result for result in outcomes if isinstance(result, Exception)]
        assert len(losers) == 1 and isinstance(losers[0], SlotTaken)
        assert no_overlap()
        one.refresh_from_db()
        other.refresh_from_db()
        for booked in Appointment.objects.filter(series__patient=third).standing():
            cancelling.cancel(appointment=booked, by=front_desk, now=now)
        if one.starts_at == at(SECOND, "10:00"):
            swapping.swap(one=one, other=other, by=front_desk, now=now)
            one.refresh_from_db()
            other.refresh_from_db()


def test_two_visits_of_one_series_never_end_up_too_near(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime, house: ProtocolVersion
) -> None:
    days = timedelta(days=1)
    series = book(wish(FIRST), wish(SECOND))
    first, second = series.appointments.order_by("session")
    for _ in range(3):
        outcomes = at_once(
            [
                lambda: moving.move(
                    appointment=first,
                    starts_at=at(FIRST + 7 * days, "10:00"),
                    by=front_desk,
                    now=now,
                ),
                lambda: moving.move(
                    appointment=second,
                    starts_at=at(SECOND - 7 * days, "10:00"),
                    by=front_desk,
                    now=now,
                ),
            ]
        )
        assert sum(isinstance(result, Refused) for result in outcomes) == 1
        first.refresh_from_db()
        second.refresh_from_db()
        assert second.starts_at - first.starts_at >= timedelta(days=20, hours=23)
        for visit, day in ((first, FIRST), (second, SECOND)):
            moving.move(appointment=visit, starts_at=at(day, "10:00"), by=front_desk, now=now)


def test_of_two_clerks_with_the_same_form_one_is_told_to_look_again(
    book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    visit = book(wish(FIRST)).appointments.get()
    outcomes = at_once(
        [
            lambda: attendance.confirm(
                appointment=visit, by=front_desk, now=now, expected_version=1
            ),
            lambda: cancelling.cancel(
                appointment=visit, by=front_desk, now=now, expected_version=1
            ),
        ]
    )
    assert sum(isinstance(result, StaleVersion) for result in outcomes) == 1
    visit.refresh_from_db()
    assert visit.version == 2


def test_a_patient_booked_twice_at_once_is_in_one_place(
    book: Book, wish: Wish, site: Site, now: datetime, patient: Patient, house: ProtocolVersion
) -> None:
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    room = Resource.objects.create(kind="room", name="Room 2", site=site, room_kind="treatment")
    device = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )
    elsewhere = VisitWish(at(FIRST, "10:00"), other.pk, room.pk, device.pk)
    outcomes = at_once([lambda: book(wish(FIRST)), lambda: book(elsewhere, areas=["hands"])])
    assert sum(isinstance(result, Refused) for result in outcomes) == 1
    assert Appointment.objects.count() == 1


def test_a_patient_booked_at_two_sites_at_once_has_the_time_to_travel(
    book: Book,
    wish: Wish,
    site: Site,
    other_site: Site,
    patient: Patient,
    front_desk: Staff,
    modality: Modality,
    protocol: ProtocolVersion,
) -> None:
    """Nothing overlaps, so that only the check under the patient's lock keeps one of them out."""
    Site.objects.filter(pk=other_site.pk).update(zone=site.zone)
    other_site.refresh_from_db()
    low, high = sorted((site.pk, other_site.pk))
    TravelTime.objects.create(site_id=low, other_id=high, minutes=60)
    SiteRole.objects.create(staff=front_desk, site=other_site, role=Role.FRONT_DESK)
    there = provider_resource(
        other_site, staff_at(other_site, Role.PROVIDER, "Ines Roth"), modality
    )
    room = Resource.objects.create(kind="room", name="R", site=other_site, room_kind="treatment")
    device = Resource.objects.create(kind="device", name="D", site=other_site, modality=modality)
    # The first ends at 11:35, so that the way to the other site ends at 12:35.
    here, away = wish(FIRST), VisitWish(at(FIRST, "12:00"), there.pk, room.pk, device.pk)
    for _ in range(5):
        outcomes = at_once([lambda: book(here), lambda: book(away, site=other_site)])
        [lost] = [each for each in outcomes if isinstance(each, Exception)]
        assert isinstance(lost, PatientElsewhere), lost
        [visit] = Appointment.objects.standing()
        cancelling.cancel(appointment=visit, by=front_desk, now=visit.booked_at)
