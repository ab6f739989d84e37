"""Several visits given new places at once, and two that swap: all of it or nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appointments.claiming import holding
from appointments.lifecycle import Move, MoveRefused
from appointments.models import Appointment, Gap, Hold, StatusChange
from appointments.proposing.places import VisitWish
from appointments.refusals import (
    IntervalTooLong,
    IntervalTooShort,
    MovedTwice,
    MovesCollide,
    OutOfOrder,
    SlotHeld,
    SlotTaken,
    SpacingTooShort,
    StaleVersion,
    VisitLocked,
    WrongResource,
)
from appointments.visits import attendance, cancelling, moving, swapping
from appointments.visits.moving import VisitMove
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, Role, Site, Staff
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


@pytest.fixture
def ben(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")


def starts(visits: Sequence[Appointment]) -> list[datetime]:
    rows = Appointment.objects.in_bulk([visit.pk for visit in visits])
    return [rows[visit.pk].starts_at for visit in visits]


def held(visit: Appointment) -> set[tuple[str, int, datetime]]:
    rows = visit.allocations.filter(active=True)
    return set(rows.values_list("resource__kind", "resource_id", "starts_at"))


def revision_of(visit: Appointment) -> int:
    return Patient.objects.get(pk=visit.series.patient_id).revision


# --- Several at once ------------------------------------------------------------------------------


def test_visits_that_could_not_move_alone_move_together(
    visits: list[Appointment], wish: Wish, front_desk: Staff, now: datetime
) -> None:
    _, second, third = visits
    late = wish(SECOND + 2 * WEEK)
    with pytest.raises(IntervalTooShort, match="Session 3 is 14 days after session 2"):
        moving.move(appointment=second, starts_at=late.starts_at, by=front_desk, now=now)
    moved = moving.move_together(
        moves=[VisitMove(third, wish(THIRD + 2 * WEEK, "11:00"), 1), VisitMove(second, late, 1)],
        by=front_desk,
        now=now,
        reason="Holiday",
    )
    assert [visit.pk for visit in moved] == [third.pk, second.pk]
    assert starts([second, third]) == [late.starts_at, at(THIRD + 2 * WEEK, "11:00")]
    for visit in moved:
        assert (visit.version, visit.schedule_version, visit.scheduled_at) == (2, 2, now)
        change = StatusChange.objects.get(appointment=visit, move=Move.MOVE)
        assert (change.reason, change.by, len(change.resources_before)) == (
            "Holiday",
            front_desk,
            4,
        )
        assert AuditEntry.objects.filter(
            action="appointment.move", subject_id=str(visit.pk)
        ).exists()


def test_when_one_place_is_lost_no_visit_moves(
    book: Book,
    visits: list[Appointment],
    wish: Wish,
    ben: Patient,
    front_desk: Staff,
    now: datetime,
) -> None:
    book(wish(THIRD + 2 * WEEK, "10:30"), patient=ben)
    before, revision = [held(visit) for visit in visits], revision_of(visits[0])
    with pytest.raises(SlotTaken, match="Thu 13 May 10:00") as lost:
        moving.move_together(
            moves=[
                VisitMove(visits[1], wish(SECOND + 2 * WEEK)),
                VisitMove(visits[2], wish(THIRD + 2 * WEEK)),
            ],
            by=front_desk,
            now=now,
        )
    assert len(lost.value.nearest) == 3
    assert starts(visits) == [at(FIRST, "10:00"), at(SECOND, "10:00"), at(THIRD, "10:00")]
    assert [held(visit) for visit in visits] == before
    assert not StatusChange.objects.filter(move=Move.MOVE).exists()
    assert revision_of(visits[0]) == revision


def test_three_patients_change_places_in_a_ring(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> None:
    walls = ["10:00", "12:00", "14:00"]
    ring = [
        book(
            wish(FIRST, wall),
            patient=a_patient(
                site, front_desk, now, given=wall, phone="", email=f"{wall[:2]}@p.example"
            ),
        ).appointments.get()
        for wall in walls
    ]
    moving.move_together(
        moves=[
            VisitMove(visit, wish(FIRST, wall))
            for visit, wall in zip(ring, ["12:00", "14:00", "10:00"], strict=True)
        ],
        by=front_desk,
        now=now,
    )
    assert starts(ring) == [at(FIRST, "12:00"), at(FIRST, "14:00"), at(FIRST, "10:00")]


def test_the_intervals_are_asked_with_all_new_dates_together(
    visits: list[Appointment], wish: Wish, front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(IntervalTooLong, match="Session 3 is 49 days after session 2"):
        moving.move_together(
            moves=[
                VisitMove(visits[1], wish(SECOND + WEEK)),
                VisitMove(visits[2], wish(THIRD + 4 * WEEK)),
            ],
            by=front_desk,
            now=now,
        )


def test_a_breach_of_one_of_them_passes_for_a_reason_and_is_kept_with_that_visit(
    visits: list[Appointment], wish: Wish, front_desk: Staff, manager: Staff, now: datetime
) -> None:
    moves = [
        VisitMove(visits[1], wish(SECOND, "13:00")),
        VisitMove(visits[2], wish(THIRD - 2 * WEEK)),
    ]
    with pytest.raises(Forbidden):
        moving.move_together(moves=moves, by=front_desk, now=now, override_reason="Wedding")
    second, third = moving.move_together(
        moves=moves, by=manager, now=now, override_reason="Wedding"
    )
    assert (second.overrides, second.override_reason) == ([], "")
    assert (third.overrides, third.override_reason) == (["interval_too_short"], "Wedding")


def test_two_series_of_one_patient_are_spaced_by_where_both_will_be(
    book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    face = book(wish(FIRST)).appointments.get()
    again = book(wish(SECOND)).appointments.get()
    with pytest.raises(SpacingTooShort):
        moving.move(appointment=again, starts_at=at(FIRST + WEEK, "10:00"), by=front_desk, now=now)
    with pytest.raises(SpacingTooShort):
        moving.move_together(
            moves=[
                VisitMove(face, wish(FIRST + WEEK)),
                VisitMove(again, wish(FIRST + 2 * WEEK)),
            ],
            by=front_desk,
            now=now,
        )
    moving.move_together(
        moves=[VisitMove(face, wish(SECOND + WEEK)), VisitMove(again, wish(FIRST + WEEK))],
        by=front_desk,
        now=now,
    )
    assert starts([face, again]) == [at(SECOND + WEEK, "10:00"), at(FIRST + WEEK, "10:00")]


def test_one_visit_with_two_places_and_two_visits_in_one_are_refused(
    book: Book,
    visits: list[Appointment],
    wish: Wish,
    ben: Patient,
    front_desk: Staff,
    now: datetime,
) -> None:
    with pytest.raises(MovedTwice):
        moving.move_together(
            moves=[
                VisitMove(visits[0], wish(FIRST, "11:00")),
                VisitMove(visits[0], wish(FIRST, "13:00")),
            ],
            by=front_desk,
            now=now,
        )
    other = book(wish(FIRST, "14:00"), patient=ben).appointments.get()
    with pytest.raises(MovesCollide, match=r"two of these visits at Thu 4 Mar 12:30"):
        moving.move_together(
            moves=[
                VisitMove(visits[0], wish(FIRST, "12:00")),
                VisitMove(other, wish(FIRST, "12:30")),
            ],
            by=front_desk,
            now=now,
        )
    # The room is clean again at 13:50, and made ready for the next one from then on.
    touching = [VisitMove(visits[0], wish(FIRST, "12:00")), VisitMove(other, wish(FIRST, "13:55"))]
    assert moving.move_together(moves=touching, by=front_desk, now=now)


def test_a_device_named_as_the_provider_is_refused_for_what_it_is(
    visits: list[Appointment], wish: Wish, front_desk: Staff, now: datetime
) -> None:
    place = wish(FIRST, "11:00")
    assert place.device_id is not None
    wrong = replace(place, provider_id=place.device_id)
    with pytest.raises(WrongResource, match="is a device, not a provider") as refusal:
        moving.move_together(moves=[VisitMove(visits[0], wrong)], by=front_desk, now=now)
    assert refusal.value.field == "provider"
    assert starts(visits[:1]) == [wish(FIRST).starts_at]


def test_a_visit_under_way_over_locked_or_seen_otherwise_stops_all_of_them(
    visits: list[Appointment], wish: Wish, front_desk: Staff, now: datetime
) -> None:
    first, second, third = visits

    def together() -> list[Appointment]:
        return moving.move_together(
            moves=[VisitMove(each, wish(day, "13:00"), 1) for each, day in places],
            by=front_desk,
            now=now,
        )

    places = [(first, FIRST), (second, SECOND), (third, THIRD)]
    Appointment.objects.filter(pk=third.pk).update(is_locked=True)
    with pytest.raises(VisitLocked, match="Session 3 on Thu 29 Apr 10:00 is locked"):
        together()
    places = places[:2]
    attendance.confirm(appointment=second, by=front_desk, now=now)
    with pytest.raises(StaleVersion):
        together()
    places = places[:1]
    cancelling.cancel(appointment=first, by=front_desk, now=now)
    first.refresh_from_db()
    first.version = 1
    with pytest.raises((MoveRefused, StaleVersion)):
        together()
    assert starts([second, third]) == [at(SECOND, "10:00"), at(THIRD, "10:00")]


def test_an_outsider_moves_nothing_even_beside_a_visit_of_their_own(
    visits: list[Appointment], wish: Wish, outsider: Staff, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        moving.move_together(
            moves=[VisitMove(visits[0], wish(FIRST, "13:00"))], by=outsider, now=now
        )
    with pytest.raises(Forbidden):
        swapping.swap(one=visits[0], other=visits[1], by=outsider, now=now)


def test_the_patient_moves_their_own_visit_and_the_history_says_so(
    visits: list[Appointment], wish: Wish, now: datetime
) -> None:
    (moved,) = moving.move_together(
        moves=[VisitMove(visits[0], wish(FIRST, "13:00"))], by=None, now=now
    )
    assert StatusChange.objects.get(appointment=moved, move=Move.MOVE).by is None
    with pytest.raises(IntervalTooShort):
        moving.move_together(
            moves=[VisitMove(visits[1], wish(SECOND - 2 * WEEK))],
            by=None,
            now=now,
            override_reason="I would like to",
        )


def test_a_place_that_is_held_goes_to_the_visits_it_was_held_for(
    visits: list[Appointment], wish: Wish, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> None:
    series, places = visits[0].series, [wish(SECOND + 2 * WEEK), wish(THIRD + 2 * WEEK)]
    kept = holding.hold_plan(
        patient=series.patient,
        site=series.site,
        version=house,
        areas=series.areas,
        visits=places,
        by=front_desk,
        now=now,
    )
    moves = [VisitMove(visit, place) for visit, place in zip(visits[1:], places, strict=True)]
    with pytest.raises(SlotHeld):
        moving.move_together(moves=moves, by=front_desk, now=now)
    moving.move_together(moves=moves, by=front_desk, now=now, hold=kept)
    assert starts(visits[1:]) == [place.starts_at for place in places]
    assert not Hold.objects.unreleased().exists()


# --- Two that swap --------------------------------------------------------------------------------


def test_two_patients_swap_their_starts(
    book: Book, wish: Wish, ben: Patient, front_desk: Staff, now: datetime
) -> None:
    one = book(wish(FIRST, "10:00")).appointments.get()
    other = book(wish(FIRST + WEEK, "13:00"), patient=ben).appointments.get()
    swapped = swapping.swap(one=one, other=other, by=front_desk, now=now, reason="Both asked")
    assert starts([one, other]) == [at(FIRST + WEEK, "13:00"), at(FIRST, "10:00")]
    assert [visit.pk for visit in swapped] == [one.pk, other.pk]
    assert StatusChange.objects.filter(move=Move.MOVE, reason="Both asked").count() == 2


def test_a_swap_takes_whom_and_what_the_other_had_as_far_as_it_suits(
    book: Book,
    wish: Wish,
    ben: Patient,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    kim = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    two = Resource.objects.create(kind="room", name="Room 2", site=site, room_kind="treatment")
    needle = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )
    one = book(wish(FIRST, "10:00")).appointments.get()
    place = VisitWish(at(FIRST, "10:00"), kim.pk, two.pk, needle.pk)
    other = book(place, patient=ben).appointments.get()
    # The second room is no longer for treatments: the other's does not suit.
    two.room_kind = "consultation"
    two.save()
    Resource.objects.create(kind="room", name="Room 3", site=site, room_kind="treatment")
    moving.move(appointment=other, starts_at=at(FIRST + WEEK, "10:00"), by=front_desk, now=now)
    one.refresh_from_db()
    other.refresh_from_db()
    swapping.swap(one=one, other=other, by=front_desk, now=now)
    assert one.allocations.get(active=True, resource__kind="provider").resource == kim
    assert one.allocations.get(active=True, resource__kind="device").resource == needle
    assert one.allocations.get(active=True, resource__kind="room").resource != two


def test_a_longer_visit_must_fit_where_the_shorter_one_was(
    book: Book, wish: Wish, ben: Patient, front_desk: Staff, now: datetime
) -> None:
    areas = ["face", "neck", "decollete"]
    long = book(wish(FIRST, "10:00"), areas=areas).appointments.get()
    short = book(wish(FIRST + WEEK, "10:00"), patient=ben).appointments.get()
    length = long.ends_at - long.starts_at
    assert length > short.ends_at - short.starts_at
    swapped, _ = swapping.swap(one=long, other=short, by=front_desk, now=now)
    assert (swapped.starts_at, swapped.ends_at - swapped.starts_at) == (
        at(FIRST + WEEK, "10:00"),
        length,
    )


def test_sessions_of_one_series_cannot_swap(
    visits: list[Appointment], manager: Staff, now: datetime
) -> None:
    with pytest.raises(OutOfOrder):
        swapping.swap(
            one=visits[0], other=visits[1], by=manager, now=now, override_reason="Why not"
        )
    assert starts(visits)[0] == at(FIRST, "10:00")


def test_a_swap_with_a_locked_or_stale_visit_changes_neither(
    book: Book, wish: Wish, ben: Patient, front_desk: Staff, now: datetime
) -> None:
    one = book(wish(FIRST, "10:00")).appointments.get()
    other = book(wish(FIRST, "13:00"), patient=ben).appointments.get()
    with pytest.raises(StaleVersion):
        swapping.swap(one=one, other=other, by=front_desk, now=now, expected_versions=(1, 7))
    other.is_locked = True
    other.save()
    with pytest.raises(VisitLocked):
        swapping.swap(one=one, other=other, by=front_desk, now=now)
    assert starts([one, other]) == [at(FIRST, "10:00"), at(FIRST, "13:00")]


def test_a_swap_leaves_no_gap_and_a_move_does(
    book: Book, wish: Wish, ben: Patient, front_desk: Staff, now: datetime
) -> None:
    one = book(wish(FIRST, "10:00")).appointments.get()
    other = book(wish(FIRST, "13:00"), patient=ben).appointments.get()
    swapping.swap(one=one, other=other, by=front_desk, now=now)
    assert not Gap.objects.exists()
    moving.move(appointment=other, starts_at=at(FIRST + WEEK, "10:00"), by=front_desk, now=now)
    assert Gap.objects.get().starts_at == at(FIRST, "10:00")
