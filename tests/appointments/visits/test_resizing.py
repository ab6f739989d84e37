"""A visit of another length: what it holds, what is in its way, and what follows from it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from appointments.lifecycle import MoveRefused, State
from appointments.models import Appointment
from appointments.refusals import OutsideHours, SlotTaken, StaleVersion, VisitLocked, WrongLength
from appointments.visits import (
    attendance,
    cancelling,
    conflicts,
    locking,
    moving,
    resizing,
    rippling,
    undoing,
)
from clinic.access import Forbidden
from clinic.models import AuditEntry, Role, Site, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.personas import staff_at

pytestmark = [pytest.mark.django_db, CLOCK]

MINUTE = timedelta(minutes=1)


def minutes(visit: Appointment) -> int:
    return (visit.ends_at - visit.starts_at) // MINUTE


def until(visit: Appointment) -> dict[str, timedelta]:
    """How long after its end each resource of the visit is held."""
    held = visit.allocations.filter(active=True).values_list("resource__kind", "ends_at")
    return {kind: ends_at - visit.ends_at for kind, ends_at in held}


def test_a_longer_visit_holds_everything_for_longer_and_starts_when_it_did(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    visit = attendance.confirm(appointment=visits[0], by=front_desk, now=now)
    clean_up, start, usual = until(visit), visit.starts_at, minutes(visit)
    longer = resizing.change_length(
        appointment=visit, minutes=usual + 30, by=front_desk, now=now, reason="Scar tissue"
    )
    assert (minutes(longer), longer.starts_at) == (usual + 30, start)
    assert until(longer) == clean_up
    # The patient was told of the start, and confirmed it.
    assert (longer.state, longer.schedule_version) == (State.CONFIRMED, visit.schedule_version)
    entry = AuditEntry.objects.get(action="appointment.resize")
    assert (entry.by, entry.reason) == (front_desk, "Scar tissue")
    assert entry.before["ends_at"] < entry.after["ends_at"]
    back = undoing.undo(appointment=longer, by=front_desk, now=now)
    assert (minutes(back), until(back)) == (usual, clean_up)
    assert back.schedule_version == visit.schedule_version


def test_a_visit_of_its_own_length_keeps_it_wherever_it_goes(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    usual = minutes(visits[0])
    visit = resizing.change_length(
        appointment=visits[0], minutes=usual - 15, by=front_desk, now=now
    )
    moved = moving.move(appointment=visit, starts_at=at(FIRST, "13:00"), by=front_desk, now=now)
    assert minutes(moved) == usual - 15
    assert minutes(undoing.undo(appointment=moved, by=front_desk, now=now)) == usual - 15
    gone = cancelling.cancel(appointment=moved, by=front_desk, now=now, reason="Ill")
    assert minutes(undoing.undo(appointment=gone, by=front_desk, now=now)) == usual - 15
    # Of a series that moves along, each visit has its own length.
    last = FIRST + timedelta(days=21)
    preview = rippling.preview(appointment=visit, starts_at=at(last, "10:00"), now=now)
    assert [(line.after.ends_at - line.after.starts_at) // MINUTE for line in preview.lines] == [
        usual - 15,
        usual,
        usual,
    ]


def test_what_is_in_the_way_of_a_longer_visit_is_told_whole(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    book(wish(FIRST, "13:00"), patient=other)
    visit, usual = visits[0], minutes(visits[0])
    with pytest.raises(SlotTaken, match="is not free for all of Thu 4 Mar 10:00 to 13:00"):
        resizing.change_length(appointment=visit, minutes=180, by=front_desk, now=now)
    visit.refresh_from_db()
    assert minutes(visit) == usual
    place = resizing.present(visit)
    found = conflicts.of_move(appointment=visit, wish=place, now=now, body=180 // 5)
    said = [cause.sentence for cause in found.causes]
    assert len(said) == 3
    assert all("is taken" in sentence for sentence in said)
    # The places that are offered instead have room for all of it.
    assert {(each.ends_at - each.starts_at) // MINUTE for each in found.nearest} == {180}
    with pytest.raises(OutsideHours):
        resizing.change_length(appointment=visits[1], minutes=12 * 60, by=front_desk, now=now)


def test_staff_who_may_lay_a_longer_visit_over_another_for_a_reason(
    book: Book,
    wish: Wish,
    visits: list[Appointment],
    site: Site,
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    manager = staff_at(site, Role.MANAGER, "Mae Boss")
    book(wish(FIRST, "13:00"), patient=other)
    over: dict[str, Any] = {
        "minutes": 180,
        "now": now,
        "override_reason": "Both agree",
        "overlap": True,
    }
    with pytest.raises(Forbidden):
        resizing.change_length(appointment=visits[0], by=front_desk, **over)
    longer = resizing.change_length(appointment=visits[0], by=manager, **over)
    assert longer.overrides == ["overlap"]
    # Ending earlier takes nothing, so nobody has to be asked.
    shorter = resizing.change_length(appointment=longer, minutes=170, by=front_desk, now=now)
    assert minutes(shorter) == 170


def test_a_visit_may_last_longer_until_it_is_done_but_not_when_it_is_locked(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    visit, usual = visits[0], minutes(visits[0])
    locked = locking.lock(appointment=visit, by=front_desk, now=now)
    with pytest.raises(VisitLocked, match="Unlock the visit first"):
        resizing.change_length(appointment=locked, minutes=usual + 5, by=front_desk, now=now)
    visit = locking.unlock(appointment=locked, by=front_desk, now=now)
    began = visit.starts_at + 10 * MINUTE
    visit = attendance.check_in(appointment=visit, by=front_desk, now=began)
    longer = resizing.change_length(
        appointment=visit, minutes=usual + 15, by=front_desk, now=began + usual * MINUTE
    )
    assert (longer.state, minutes(longer)) == (State.ARRIVED, usual + 15)
    gone = cancelling.cancel(appointment=longer, by=front_desk, now=began, reason="Left")
    with pytest.raises(MoveRefused, match="cannot be made longer or shorter"):
        resizing.change_length(appointment=gone, minutes=60, by=front_desk, now=began)


def test_a_stale_page_changes_no_length(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    stale = Appointment.objects.select_related("site").get(pk=visits[1].pk)
    moving.move(appointment=visits[1], starts_at=at(SECOND, "13:00"), by=front_desk, now=now)
    with pytest.raises(StaleVersion):
        resizing.change_length(appointment=stale, minutes=30, by=front_desk, now=now)
    with pytest.raises(WrongLength):
        resizing.change_length(appointment=stale, minutes=31, by=front_desk, now=now)


def test_the_length_over_the_api(
    visits: list[Appointment], front_desk: Staff, outsider: Staff
) -> None:
    path = f"/api/v1/appointments/{visits[0].pk}/change-length/"
    answer = api(front_desk).post(path, {"version": 1, "minutes": 60})
    assert answer.status_code == 200
    assert answer.data["history"][-1]["move"] == "resize"
    answer = api(front_desk).post(path, {"version": 2, "minutes": 61})
    refused(answer, 400, "wrong_length", "minutes")
    assert api(outsider).post(path, {"version": 2, "minutes": 45}).status_code == 404
