"""Moving, cancelling, the acts of the day, and taking each of them back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appointments.lifecycle import Move, MoveRefused, State
from appointments.models import Appointment, StatusChange, TreatmentSeries
from appointments.refusals import (
    IntervalTooShort,
    InThePast,
    NothingToUndo,
    NotYet,
    OutsideHours,
    SeriesClosed,
    SessionTaken,
    SlotTaken,
    StaleVersion,
)
from appointments.visits import attendance, booking, cancelling, moving, undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, Role, Site, Staff
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def held(visit: Appointment) -> dict[str, int]:
    return dict(visit.allocations.filter(active=True).values_list("resource__kind", "resource_id"))


def revision(visit: Appointment) -> int:
    return Patient.objects.get(pk=visit.series.patient_id).revision


@pytest.fixture
def spare(site: Site, house: ProtocolVersion) -> dict[str, int]:
    """A second provider, room and device."""
    provider = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    room = Resource.objects.create(kind="room", name="Room 2", site=site, room_kind="treatment")
    device = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )
    return {"provider": provider.pk, "room": room.pk, "device": device.pk}


# --- Moving ---------------------------------------------------------------------------------------


def test_a_moved_visit_keeps_its_length_and_resources_and_frees_its_old_place(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    before, before_revision = held(visits[0]), revision(visits[0])
    moved = moving.move(
        appointment=visits[0],
        starts_at=at(FIRST, "13:00"),
        by=front_desk,
        now=now,
        reason="Traffic",
    )
    assert (moved.starts_at, moved.ends_at - moved.starts_at) == (
        at(FIRST, "13:00"),
        visits[0].ends_at - visits[0].starts_at,
    )
    assert held(moved) == before
    assert (moved.schedule_version, moved.version, moved.scheduled_at) == (2, 2, now)
    assert revision(moved) == before_revision + 1
    assert book(wish(FIRST, "10:00"), patient=other).pk


def test_a_visit_moves_over_itself_by_a_quarter_of_an_hour(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    moved = moving.move(appointment=visits[0], starts_at=at(FIRST, "10:15"), by=front_desk, now=now)
    assert moved.starts_at == at(FIRST, "10:15")


def test_a_moved_visit_is_no_longer_confirmed(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    attendance.confirm(appointment=visits[0], by=front_desk, now=now)
    moved = moving.move(appointment=visits[0], starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    assert moved.state == State.BOOKED


def test_a_moved_visit_takes_others_where_its_own_are_not_free(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    spare: dict[str, int],
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    book(wish(FIRST, "13:00"), patient=other)
    moved = moving.move(appointment=visits[0], starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    assert held(moved).items() >= spare.items()


def test_a_visit_may_change_its_room_and_keep_its_time_and_confirmation(
    visits: list[Appointment], spare: dict[str, int], front_desk: Staff, now: datetime
) -> None:
    before = held(visits[0])
    attendance.confirm(appointment=visits[0], by=front_desk, now=now)
    moved = moving.move(
        appointment=visits[0],
        starts_at=visits[0].starts_at,
        room_id=spare["room"],
        by=front_desk,
        now=now,
    )
    assert held(moved) == {**before, "room": spare["room"]}
    assert (moved.schedule_version, moved.version) == (1, 3)
    assert moved.state == State.CONFIRMED


def test_a_move_onto_a_taken_place_names_it_and_changes_nothing(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    book(wish(FIRST, "13:00"), patient=other)
    with pytest.raises(SlotTaken) as refused:
        moving.move(appointment=visits[0], starts_at=at(FIRST, "13:30"), by=front_desk, now=now)
    assert refused.value.nearest
    visits[0].refresh_from_db()
    assert visits[0].version == 1
    assert len(held(visits[0])) == 4


def test_a_move_keeps_the_interval_to_both_neighbours(
    visits: list[Appointment], front_desk: Staff, manager: Staff, now: datetime
) -> None:
    near = at(FIRST + timedelta(days=20), "10:00")
    with pytest.raises(IntervalTooShort, match="Session 2 is 20 days after session 1"):
        moving.move(appointment=visits[1], starts_at=near, by=front_desk, now=now)
    far = at(THIRD - timedelta(days=20), "10:00")
    with pytest.raises(IntervalTooShort, match="Session 3 is 20 days after session 2"):
        moving.move(appointment=visits[1], starts_at=far, by=front_desk, now=now)
    moved = moving.move(
        appointment=visits[1],
        starts_at=near,
        by=manager,
        now=now,
        override_reason="Wedding",
    )
    assert moved.override_reason == "Wedding"
    change = StatusChange.objects.get(appointment=moved, move=Move.MOVE)
    assert (change.override_reason, change.overrides) == ("Wedding", ["interval_too_short"])


def test_an_interval_is_asked_where_only_the_day_of_the_clinic_changes(
    site: Site, book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    site.zone = zone = "Pacific/Honolulu"
    site.save()
    first, day = wish(FIRST), FIRST + timedelta(days=21)
    first, second = (replace(first, starts_at=at(each, "10:00", zone)) for each in (FIRST, day))
    visit = book(first, second).appointments.get(session=2)
    early = at(day - timedelta(days=1), "15:00", zone)
    assert early.date() == visit.starts_at.date()
    with pytest.raises(IntervalTooShort):
        moving.move(appointment=visit, starts_at=early, by=front_desk, now=now)


def test_the_alternatives_of_a_lost_move_keep_the_interval(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    site: Site,
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    earliest = FIRST + timedelta(days=21)
    third = a_patient(site, front_desk, now, given="Cy", phone="", email="cy@p.example")
    book(wish(earliest, "09:15"), patient=other)
    book(wish(earliest, "13:00"), patient=third)
    with pytest.raises(SlotTaken) as refused:
        moving.move(appointment=visits[1], starts_at=at(earliest, "09:15"), by=front_desk, now=now)
    assert len(refused.value.nearest) == 3
    for place in refused.value.nearest:
        assert place.starts_at >= at(earliest, "09:15")
        moving.move(appointment=visits[1], starts_at=place.starts_at, by=front_desk, now=now)


def test_a_move_outside_the_hours_is_refused(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(OutsideHours):
        moving.move(appointment=visits[0], starts_at=at(FIRST, "17:00"), by=front_desk, now=now)


def test_a_stale_form_changes_nothing(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    attendance.confirm(appointment=visits[0], by=front_desk, now=now)
    with pytest.raises(StaleVersion):
        moving.move(
            appointment=visits[0],
            starts_at=at(FIRST, "13:00"),
            by=front_desk,
            now=now,
            expected_version=1,
        )
    with pytest.raises(StaleVersion):
        cancelling.cancel(appointment=visits[0], by=front_desk, now=now, expected_version=1)


def test_an_outsider_does_nothing_to_a_visit(
    visits: list[Appointment], outsider: Staff, now: datetime
) -> None:
    visit = visits[0]
    acts: list[Callable[[], Appointment]] = [
        lambda: moving.move(appointment=visit, starts_at=at(FIRST, "13:00"), by=outsider, now=now),
        lambda: cancelling.cancel(appointment=visit, by=outsider, now=now),
        lambda: undoing.undo(appointment=visit, by=outsider, now=now),
        lambda: attendance.confirm(appointment=visit, by=outsider, now=now),
        lambda: attendance.check_in(appointment=visit, by=outsider, now=visit.starts_at),
        lambda: attendance.no_show(appointment=visit, by=outsider, now=visit.ends_at),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    visit.refresh_from_db()
    assert visit.version == 1


# --- Cancelling -----------------------------------------------------------------------------------


def test_a_cancelled_visit_gives_back_its_place_and_keeps_its_history(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    cancelled = cancelling.cancel(
        appointment=visits[0], by=front_desk, now=now, reason="Ill", by_patient=True
    )
    assert (cancelled.state, cancelled.closed_at, cancelled.cancelled_by_patient) == (
        State.CANCELLED,
        now,
        True,
    )
    assert held(cancelled) == {}
    change = cancelled.history.get(move=Move.CANCEL)
    assert (change.reason, len(change.resources_before), change.by) == (
        "Ill",
        4,
        front_desk,
    )
    assert book(wish(FIRST), patient=other).pk


def test_a_cancelled_visit_comes_back_with_its_place(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    before = held(visits[0])
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now, by_patient=True)
    back = undoing.undo(appointment=visits[0], by=front_desk, now=now + MINUTE)
    assert (back.state, back.closed_at, back.cancelled_by_patient) == (
        State.BOOKED,
        None,
        False,
    )
    assert held(back) == before
    assert (back.schedule_version, back.scheduled_at) == (3, now + MINUTE)


def test_a_cancelled_visit_stays_cancelled_once_its_place_is_taken(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    manager: Staff,
    now: datetime,
    other: Patient,
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    book(wish(FIRST), patient=other)
    for staff in (front_desk, manager):  # also of those who may put visits over others
        with pytest.raises(SlotTaken, match=r"former place at Thu 4 Mar 10:00 has been taken"):
            undoing.undo(appointment=visits[0], by=staff, now=now)


def test_a_cancelled_visit_stays_cancelled_once_its_session_is_booked_anew(
    series: TreatmentSeries,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    booking.add_visit(series=series, visit=wish(FIRST, "13:00"), by=front_desk, now=now)
    with pytest.raises(SessionTaken):
        undoing.undo(appointment=visits[0], by=front_desk, now=now)


def test_a_cancelled_visit_stays_cancelled_when_its_neighbour_came_too_near(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    moving.move(
        appointment=visits[2],
        starts_at=at(SECOND + timedelta(days=7), "10:00"),
        by=front_desk,
        now=now,
    )
    with pytest.raises(IntervalTooShort):
        undoing.undo(appointment=visits[1], by=front_desk, now=now)


def test_a_cancelled_visit_of_a_closed_series_stays_cancelled(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    TreatmentSeries.objects.filter(pk=series.pk).update(state="ended", closed_at=now)
    with pytest.raises(SeriesClosed):
        undoing.undo(appointment=visits[2], by=front_desk, now=now)


# --- Undoing a move -------------------------------------------------------------------------------


def test_an_undone_move_brings_back_time_people_and_state(
    visits: list[Appointment], spare: dict[str, int], front_desk: Staff, now: datetime
) -> None:
    before = held(visits[0])
    attendance.confirm(appointment=visits[0], by=front_desk, now=now)
    moving.move(
        appointment=visits[0],
        starts_at=at(FIRST, "13:00"),
        provider_id=spare["provider"],
        by=front_desk,
        now=now,
    )
    back = undoing.undo(appointment=visits[0], by=front_desk, now=now)
    assert (back.starts_at, back.ends_at) == (visits[0].starts_at, visits[0].ends_at)
    assert (back.state, held(back)) == (State.CONFIRMED, before)
    assert back.schedule_version == 3
    undo = back.history.last()
    assert undo is not None
    assert undo.undoes is not None
    assert (undo.move, undo.undoes.move) == (Move.UNDO, Move.MOVE)


def test_once_a_visit_would_have_begun_only_what_was_done_since_is_taken_back(
    visits: list[Appointment], front_desk: Staff
) -> None:
    for visit, early in ((visits[0], MINUTE), (visits[1], timedelta())):
        starts_at = visit.starts_at
        gone = cancelling.cancel(appointment=visit, by=front_desk, now=starts_at - early)
        if early:
            with pytest.raises(InThePast):
                undoing.undo(appointment=gone, by=front_desk, now=starts_at + MINUTE)
            undoing.undo(appointment=gone, by=front_desk, now=starts_at)
        else:
            undoing.undo(appointment=gone, by=front_desk, now=starts_at + MINUTE)


def test_a_move_is_not_undone_once_the_old_place_is_taken(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    moving.move(appointment=visits[0], starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    book(wish(FIRST), patient=other)
    with pytest.raises(SlotTaken):
        undoing.undo(appointment=visits[0], by=front_desk, now=now)
    visits[0].refresh_from_db()
    assert visits[0].starts_at == at(FIRST, "13:00")


def test_acts_are_taken_back_one_by_one_and_the_booking_stays(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    visit = visits[0]
    attendance.confirm(appointment=visit, by=front_desk, now=now)
    attendance.check_in(appointment=visit, by=front_desk, now=visit.starts_at)
    attendance.start(appointment=visit, by=front_desk, now=visit.starts_at)
    states = []
    for _ in range(3):
        states.append(undoing.undo(appointment=visit, by=front_desk, now=visit.starts_at).state)
    assert states == [State.ARRIVED, State.CONFIRMED, State.BOOKED]
    with pytest.raises(NothingToUndo):
        undoing.undo(appointment=visit, by=front_desk, now=visit.starts_at)


# --- The day --------------------------------------------------------------------------------------


def test_the_patient_confirms_without_staff(visits: list[Appointment], now: datetime) -> None:
    confirmed = attendance.confirm(appointment=visits[0], by=None, now=now)
    assert confirmed.state == State.CONFIRMED
    assert AuditEntry.objects.get(action="appointment.confirm").by is None


def test_a_visit_runs_from_check_in_to_done(
    visits: list[Appointment], front_desk: Staff, provider: Staff
) -> None:
    visit = visits[0]
    attendance.check_in(appointment=visit, by=front_desk, now=visit.starts_at - 5 * MINUTE)
    attendance.start(appointment=visit, by=provider, now=visit.starts_at)
    done = attendance.complete(
        appointment=visit,
        by=provider,
        now=visit.ends_at + 5 * MINUTE,
        ended_at=visit.ends_at,
    )
    assert (done.state, done.done_at) == (State.DONE, visit.ends_at)
    assert len(held(done)) == 4
    moves = list(done.history.values_list("move", flat=True))
    assert moves == ["book", "check_in", "start", "complete"]


def test_a_done_visit_never_moves(
    visits: list[Appointment], front_desk: Staff, provider: Staff
) -> None:
    visit = visits[0]
    for act in (attendance.check_in, attendance.start, attendance.complete):
        act(appointment=visit, by=provider, now=visit.starts_at)
    with pytest.raises(MoveRefused, match="This visit is done"):
        moving.move(
            appointment=visit,
            starts_at=at(SECOND, "13:00"),
            by=front_desk,
            now=visit.starts_at,
        )


def test_check_in_is_on_the_day_and_no_show_after_the_start(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(NotYet, match="This visit is on Thu 4 Mar 10:00"):
        attendance.check_in(appointment=visits[0], by=front_desk, now=now)
    with pytest.raises(NotYet, match="only starts at"):
        attendance.no_show(appointment=visits[0], by=front_desk, now=visits[0].starts_at - MINUTE)
    missed = attendance.no_show(appointment=visits[0], by=front_desk, now=visits[0].starts_at)
    assert (missed.state, missed.closed_at) == (State.NO_SHOW, visits[0].starts_at)
    back = undoing.undo(appointment=missed, by=front_desk, now=visits[0].starts_at + MINUTE)
    assert (back.state, back.closed_at, len(held(back))) == (State.BOOKED, None, 4)


def test_treatment_does_not_end_in_the_future(visits: list[Appointment], provider: Staff) -> None:
    visit = visits[0]
    attendance.check_in(appointment=visit, by=provider, now=visit.starts_at)
    attendance.start(appointment=visit, by=provider, now=visit.starts_at)
    with pytest.raises(NotYet):
        attendance.complete(
            appointment=visit, by=provider, now=visit.starts_at, ended_at=visit.ends_at
        )


def test_the_last_session_completes_the_series_and_its_undo_reopens_it(
    series: TreatmentSeries, visits: list[Appointment], provider: Staff
) -> None:
    for visit in visits:
        assert TreatmentSeries.objects.get(pk=series.pk).state == "open"
        for act in (attendance.check_in, attendance.start, attendance.complete):
            act(appointment=visit, by=provider, now=visit.starts_at)
    series.refresh_from_db()
    assert (series.state, series.closed_at) == ("completed", visits[2].starts_at)
    undone = undoing.undo(appointment=visits[2], by=provider, now=visits[2].ends_at)
    series.refresh_from_db()
    assert (undone.state, undone.done_at) == (State.IN_TREATMENT, None)
    assert (series.state, series.closed_at) == ("open", None)


def test_every_act_is_audited_once_and_plans_the_messages_anew(
    visits: list[Appointment], front_desk: Staff
) -> None:
    visit = visits[0]
    before = revision(visit)
    attendance.confirm(appointment=visit, by=front_desk, now=visit.starts_at)
    moving.move(
        appointment=visit,
        starts_at=at(FIRST, "13:00"),
        by=front_desk,
        now=visit.starts_at,
    )
    undoing.undo(appointment=visit, by=front_desk, now=visit.starts_at)
    cancelling.cancel(appointment=visit, by=front_desk, now=visit.starts_at)
    actions = AuditEntry.objects.filter(subject_type="appointments.appointment").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "appointment.confirm",
        "appointment.move",
        "appointment.undo",
        "appointment.cancel",
    ]
    assert revision(visit) == before + 4
