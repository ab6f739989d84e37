"""Holds of plans: placed, replaced, released, run out, and booked."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from appointments.claiming import holding
from appointments.models import Allocation, Hold, HoldPurpose, SchedulingSettings, TreatmentSeries
from appointments.proposing import loading
from appointments.proposing.places import VisitWish
from appointments.refusals import OutsideHours, SessionTaken, SlotHeld, SlotTaken, WrongResource
from appointments.visits import booking
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Role, Site, Staff
from clinic.periods import Period
from patients.models import Patient
from reminders.sending import tidying
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import staff_at

pytestmark = pytest.mark.django_db

FIVE = timedelta(minutes=5)
PlaceHold = Callable[..., Hold]


@pytest.fixture
def colleague(site: Site) -> Staff:
    return staff_at(site, Role.FRONT_DESK, "Bo Desk")


@pytest.fixture
def hold(
    house: ProtocolVersion, site: Site, patient: Patient, front_desk: Staff, now: datetime
) -> PlaceHold:
    """Holds places of RF microneedling of the face; anything may be given instead."""

    def make(*visits: VisitWish, **changes: object) -> Hold:
        wanted = {
            "patient": patient,
            "site": site,
            "version": house,
            "areas": ["face"],
            "by": front_desk,
            "now": now,
            **changes,
        }
        return holding.hold_plan(visits=visits, **wanted)  # type: ignore[arg-type]

    return make


def test_a_plan_is_held_for_five_minutes_with_everything_it_needs(
    hold: PlaceHold, wish: Wish, now: datetime, patient: Patient
) -> None:
    made = hold(wish(FIRST), wish(SECOND))
    assert made.expires_at == now + FIVE
    rows = Allocation.objects.filter(hold=made, active=True)
    assert rows.count() == 8
    assert set(rows.values_list("expires_at", flat=True)) == {now + FIVE}
    assert rows.filter(resource=patient.resource).count() == 2
    assert not AuditEntry.objects.filter(subject_type="appointments.hold").exists()


def test_the_site_says_for_how_long(hold: PlaceHold, wish: Wish, site: Site, now: datetime) -> None:
    SchedulingSettings.objects.create(site=site, hold_minutes=9)
    assert hold(wish(FIRST)).expires_at == now + timedelta(minutes=9)


def test_who_comes_second_is_told_who_holds_it_until_when_and_what_is_near(
    hold: PlaceHold, book: Book, wish: Wish, other: Patient, colleague: Staff, now: datetime
) -> None:
    hold(wish(FIRST))
    with pytest.raises(SlotHeld) as refused:
        book(wish(FIRST, "10:30"), patient=other, by=colleague)
    assert refused.value.sentence.startswith(
        "Sam Okafor is held by Ana Front until 09:05. Nearest:"
    )
    assert refused.value.held_until == now + FIVE
    assert isinstance(refused.value, SlotTaken)
    assert not TreatmentSeries.objects.exists()


def test_for_the_same_patient_a_colleague_is_told_of_the_other_plan(
    hold: PlaceHold, book: Book, wish: Wish, colleague: Staff
) -> None:
    hold(wish(FIRST))
    with pytest.raises(SlotHeld, match="Ana Front holds other places for this patient until 09:05"):
        book(wish(FIRST), by=colleague)


def test_the_holder_books_over_the_own_hold_which_is_then_gone(
    hold: PlaceHold, book: Book, wish: Wish, now: datetime
) -> None:
    made = hold(wish(FIRST), wish(SECOND))
    series = book(wish(FIRST), wish(SECOND), hold=made)
    made.refresh_from_db()
    assert made.released_at == now
    assert set(Allocation.objects.values_list("appointment__series", flat=True)) == {series.pk}


def test_the_own_hold_is_found_without_being_named_and_let_go_whole(
    hold: PlaceHold, book: Book, wish: Wish
) -> None:
    hold(wish(FIRST), wish(SECOND))
    book(wish(FIRST))
    assert not Allocation.objects.filter(hold__isnull=False).exists()


def test_a_refused_booking_leaves_the_hold_as_it_was(
    hold: PlaceHold, book: Book, wish: Wish
) -> None:
    made = hold(wish(FIRST))
    with pytest.raises(OutsideHours):
        book(wish(FIRST, "17:30"), hold=made)
    made.refresh_from_db()
    assert made.released_at is None
    assert made.allocations.count() == 4


def test_a_visit_is_added_to_a_series_from_a_hold(
    hold: PlaceHold, series: TreatmentSeries, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    place = wish(THIRD + timedelta(days=28))
    made = hold(place)
    booking.add_visit(series=series, visit=place, by=front_desk, now=now, hold=made)
    made.refresh_from_db()
    assert made.released_at == now


def test_looking_at_another_plan_lets_the_first_one_go(
    hold: PlaceHold, book: Book, wish: Wish, other: Patient
) -> None:
    first = hold(wish(FIRST), wish(SECOND))
    second = hold(wish(FIRST, "11:00"))
    first.refresh_from_db()
    assert first.released_at is not None
    assert set(Allocation.objects.values_list("hold", flat=True)) == {second.pk}
    book(wish(SECOND), patient=other)


def test_a_plan_that_cannot_be_held_leaves_the_former_one(
    hold: PlaceHold, book: Book, wish: Wish, other: Patient
) -> None:
    book(wish(SECOND), patient=other)
    first = hold(wish(FIRST))
    with pytest.raises(SlotTaken, match="Sam Okafor was just taken at Thu 1 Apr 10:00"):
        hold(wish(FIRST), wish(SECOND))
    first.refresh_from_db()
    assert first.released_at is None
    assert first.allocations.count() == 4


def test_a_hold_that_ran_out_is_in_nobodys_way_before_anybody_clears_it(
    hold: PlaceHold, book: Book, wish: Wish, other: Patient, colleague: Staff, now: datetime
) -> None:
    made = hold(wish(FIRST))
    last, room = now + FIVE - timedelta(seconds=1), wish(FIRST).room_id
    day = Period(at(FIRST, "00:00"), at(FIRST, "23:00"))
    assert [*loading.busy([room], day, last)] == [room]
    with pytest.raises(SlotHeld):
        book(wish(FIRST), patient=other, by=colleague, now=last)
    assert not loading.busy([room], day, now + FIVE)
    book(wish(FIRST), patient=other, by=colleague, now=now + FIVE)
    assert not made.allocations.exclude(resource__kind="patient").exists()
    with pytest.raises(SlotTaken, match="just taken"):
        book(wish(FIRST), now=now + FIVE, hold=made)


def test_a_hold_is_taken_over_one_that_ran_out(
    hold: PlaceHold, wish: Wish, other: Patient, colleague: Staff, now: datetime
) -> None:
    first = hold(wish(FIRST))
    second = hold(wish(FIRST, "10:15"), patient=other, by=colleague, now=now + FIVE)
    assert not first.allocations.exclude(resource__kind="patient").exists()
    assert second.allocations.count() == 4


def test_what_was_let_go_is_free_at_once_and_twice_is_once(
    hold: PlaceHold, book: Book, wish: Wish, other: Patient, front_desk: Staff, now: datetime
) -> None:
    made = hold(wish(FIRST))
    assert holding.release(hold=made, now=now, by=front_desk)
    assert not holding.release(hold=made, now=now, by=front_desk)
    book(wish(FIRST), patient=other)


def test_what_ran_out_is_cleared_away_and_what_stands_is_not(
    hold: PlaceHold, wish: Wish, other: Patient, now: datetime
) -> None:
    old = hold(wish(FIRST))
    fresh = hold(wish(SECOND), patient=other, now=now + timedelta(seconds=1))
    assert holding.expire(now=now + FIVE) == 1
    assert holding.expire(now=now + FIVE) == 0
    old.refresh_from_db()
    assert old.released_at == old.expires_at
    assert set(Allocation.objects.values_list("hold", flat=True)) == {fresh.pk}


def test_the_worker_that_tidies_clears_holds_away(
    hold: PlaceHold, wish: Wish, now: datetime
) -> None:
    made = hold(wish(FIRST))
    tidying.tidy(now=now + FIVE)
    assert not made.allocations.exists()


def test_only_the_holder_or_a_manager_lets_go(
    hold: PlaceHold,
    wish: Wish,
    colleague: Staff,
    manager: Staff,
    outsider: Staff,
    now: datetime,
) -> None:
    made = hold(wish(FIRST))
    own = Hold.objects.create(
        site=made.site,
        purpose=HoldPurpose.OWN,
        patient=made.patient,
        held_at=now,
        expires_at=now + FIVE,
    )
    for staff in (colleague, outsider):
        for each in (made, own):
            with pytest.raises(Forbidden):
                holding.release(hold=each, now=now, by=staff)
    assert holding.release(hold=made, now=now, by=manager)


def test_an_outsider_holds_nothing(
    hold: PlaceHold, wish: Wish, outsider: Staff, other_site: Site
) -> None:
    with pytest.raises(Forbidden):
        hold(wish(FIRST), by=outsider)
    with pytest.raises(Forbidden):
        hold(wish(FIRST), by=outsider, site=other_site)
    assert not Hold.objects.exists()


def test_only_places_that_could_be_booked_are_held(
    hold: PlaceHold, wish: Wish, treatment_provider: object, room: object, now: datetime
) -> None:
    with pytest.raises(OutsideHours):
        hold(wish(FIRST, "17:00"))
    right = wish(FIRST)
    with pytest.raises(WrongResource):
        hold(VisitWish(at(FIRST, "10:00"), right.room_id, right.provider_id, right.device_id))
    with pytest.raises(SessionTaken):
        hold()
    with pytest.raises(SessionTaken):
        hold(*[wish(FIRST + timedelta(days=28 * n)) for n in range(13)])
    assert not Hold.objects.exists()
