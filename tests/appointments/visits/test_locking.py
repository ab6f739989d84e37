"""A locked visit keeps its time until somebody unlocks it."""

from datetime import datetime

import pytest

from appointments.lifecycle import Move, MoveRefused, State, offered
from appointments.models import Appointment, StatusChange
from appointments.refusals import LockedAlready, NotLocked, StaleVersion, VisitLocked
from appointments.visits import attendance, cancelling, locking, moving, undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, Staff
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, at

pytestmark = [pytest.mark.django_db, CLOCK]


def test_a_locked_visit_is_not_moved_until_it_is_unlocked(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    visit = locking.lock(appointment=visits[0], by=front_desk, now=now, reason="From abroad")
    assert visit.is_locked
    with pytest.raises(VisitLocked, match="Unlock the visit first"):
        moving.move(appointment=visits[0], starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    with pytest.raises(VisitLocked):
        moving.move(appointment=visit, starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    visit = locking.unlock(appointment=visit, by=front_desk, now=now)
    moved = moving.move(appointment=visit, starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    assert moved.starts_at == at(FIRST, "13:00")
    acts = list(StatusChange.objects.filter(appointment=visit).values_list("move", "reason"))
    assert acts == [("book", ""), ("lock", "From abroad"), ("unlock", ""), ("move", "")]
    assert AuditEntry.objects.filter(action="appointment.lock", by=front_desk).exists()


def test_a_lock_changes_neither_state_nor_what_was_said(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    attendance.confirm(appointment=visits[0], by=front_desk, now=now)
    visit = locking.lock(appointment=visits[0], by=front_desk, now=now)
    assert (visit.state, visit.schedule_version, visit.version) == (State.CONFIRMED, 1, 3)


def test_locking_twice_unlocking_an_open_visit_and_a_stale_form_are_refused(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(NotLocked):
        locking.unlock(appointment=visits[0], by=front_desk, now=now)
    locking.lock(appointment=visits[0], by=front_desk, now=now)
    with pytest.raises(LockedAlready):
        locking.lock(appointment=visits[0], by=front_desk, now=now)
    with pytest.raises(StaleVersion):
        locking.unlock(appointment=visits[0], by=front_desk, now=now, expected_version=1)
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    with pytest.raises(MoveRefused):
        locking.lock(appointment=visits[1], by=front_desk, now=now)


def test_a_lock_and_an_unlock_are_taken_back(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    locking.lock(appointment=visits[0], by=front_desk, now=now)
    assert not undoing.undo(appointment=visits[0], by=front_desk, now=now).is_locked
    locking.lock(appointment=visits[0], by=front_desk, now=now)
    locking.unlock(appointment=visits[0], by=front_desk, now=now)
    assert undoing.undo(appointment=visits[0], by=front_desk, now=now).is_locked


def test_a_locked_visit_can_be_cancelled_and_comes_back_locked(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    locking.lock(appointment=visits[0], by=front_desk, now=now)
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    back = undoing.undo(appointment=visits[0], by=front_desk, now=now)
    assert (back.state, back.is_locked) == (State.BOOKED, True)


def test_an_outsider_locks_nothing(
    visits: list[Appointment], outsider: Staff, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        locking.lock(appointment=visits[0], by=outsider, now=now)


def test_a_visit_offers_either_to_lock_or_to_unlock_and_a_locked_one_no_move() -> None:
    for state in State:
        unlocked, locked = offered(state, is_locked=False), offered(state, is_locked=True)
        assert Move.MIGRATE not in (*unlocked, *locked)
        assert Move.UNLOCK not in unlocked
        assert not {Move.LOCK, Move.MOVE} & set(locked)
    assert Move.LOCK in offered(State.CONFIRMED, is_locked=False)
    assert {Move.UNLOCK, Move.CANCEL} <= set(offered(State.CONFIRMED, is_locked=True))


def test_the_api_locks_and_unlocks_and_says_which_of_both_is_possible(
    visits: list[Appointment], front_desk: Staff, outsider: Staff
) -> None:
    desk, address = api(front_desk), f"/api/v1/appointments/{visits[0].pk}"
    locked = desk.post(f"{address}/lock/", {"version": 1, "reason": "From abroad"}).json()
    assert locked["is_locked"] and "unlock" in locked["moves"] and "move" not in locked["moves"]
    moved = desk.post(f"{address}/move/", {"version": 2, "starts_at": "2027-03-04T18:00:00Z"})
    refused(moved, 409, "visit_locked", "state")
    refused(desk.post(f"{address}/lock/", {"version": 2}), 409, "locked_already", "state")
    unlocked = desk.post(f"{address}/unlock/", {"version": 2}).json()
    assert not unlocked["is_locked"] and "lock" in unlocked["moves"]
    for act in ("lock", "unlock"):
        refused(api(outsider).post(f"{address}/{act}/", {"version": 3}), 404, "not_found")
