"""Places that are given back: which become gaps, and what becomes of these."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from appointments.claiming import gaps, holding
from appointments.models import Appointment, Gap, GapEnd
from appointments.refusals import BeingOffered, GapClosed
from appointments.visits import booking, cancelling, moving, undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, Resource, Staff
from tests.appointments.conftest import FIRST, SECOND, Wish, at
from tests.personas import a_patient
from tests.waiting import offer_of

pytestmark = pytest.mark.django_db


def test_a_cancelled_visit_leaves_a_gap_with_its_place(
    visits: list[Appointment],
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    gap = Gap.objects.open().get()
    assert (gap.starts_at, gap.ends_at) == (visits[0].starts_at, visits[0].ends_at)
    assert (gap.provider, gap.room, gap.device) == (treatment_provider, room, needling_device)
    assert gap.opened_by == visits[0].history.get(move="cancel")
    assert gap.site == visits[0].site


def test_a_moved_visit_leaves_a_gap_at_its_former_place(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    moving.move(appointment=visits[1], starts_at=at(SECOND, "14:00"), by=front_desk, now=now)
    gap = Gap.objects.open().get()
    assert (gap.starts_at, gap.ends_at) == (visits[1].starts_at, visits[1].ends_at)


def test_a_visit_moved_by_minutes_leaves_no_gap(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    moving.move(appointment=visits[1], starts_at=at(SECOND, "10:30"), by=front_desk, now=now)
    assert not Gap.objects.exists()


def test_another_room_leaves_no_gap(
    visits: list[Appointment], room: Resource, front_desk: Staff, now: datetime
) -> None:
    second = Resource.objects.create(
        kind="room", name="Room 2", site=room.site, room_kind="treatment"
    )
    moving.move(
        appointment=visits[1],
        starts_at=visits[1].starts_at,
        room_id=second.pk,
        by=front_desk,
        now=now,
    )
    assert not Gap.objects.exists()


def test_what_lies_in_the_past_leaves_no_gap(visits: list[Appointment], front_desk: Staff) -> None:
    late = visits[0].starts_at + timedelta(minutes=1)
    cancelling.cancel(appointment=visits[0], by=front_desk, now=late)
    assert not Gap.objects.exists()


def test_an_undo_takes_the_gap_back(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    undoing.undo(appointment=visits[0], by=front_desk, now=now)
    assert not Gap.objects.open().exists()
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    assert Gap.objects.open().count() == 1


def test_a_gap_that_is_booked_over_is_taken_and_one_that_is_held_is_not(
    visits: list[Appointment], wish: Wish, front_desk: Staff, now: datetime
) -> None:
    for visit in visits[:2]:
        cancelling.cancel(appointment=visit, by=front_desk, now=now)
    first, second = Gap.objects.open()
    other = a_patient(visits[0].site, front_desk, now, given="Noor", phone="+12125550199")
    place: dict[str, Any] = {
        "patient": other,
        "site": visits[0].site,
        "version": visits[0].protocol_version,
        "areas": ["face"],
        "by": front_desk,
        "now": now,
    }
    holding.hold_plan(visits=[wish(SECOND)], **place)
    assert gaps.taken([first, second], now=now) == set()
    booking.book_series(visits=[wish(FIRST, "11:00")], **place)
    assert gaps.taken([first, second], now=now) == {first.pk}


def test_a_gap_is_dismissed_and_the_dismissal_taken_back(
    visits: list[Appointment], front_desk: Staff, outsider: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    gap = Gap.objects.get()
    with pytest.raises(Forbidden):
        gaps.dismiss(gap=gap, by=outsider, now=now)
    gaps.dismiss(gap=gap, by=front_desk, now=now)
    assert not Gap.objects.open().exists()
    assert AuditEntry.objects.filter(action="gap.dismiss").count() == 1
    with pytest.raises(GapClosed, match="dismissed"):
        gaps.dismiss(gap=gap, by=front_desk, now=now)
    gaps.reopen(gap=gap, by=front_desk, now=now)
    assert Gap.objects.open().get() == gap
    Gap.objects.update(closed_at=now, closed_as=GapEnd.FILLED)
    with pytest.raises(GapClosed, match="filled meanwhile"):
        gaps.reopen(gap=gap, by=front_desk, now=now)


def test_a_gap_is_not_dismissed_while_it_is_offered(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    gap = Gap.objects.get()
    offer = offer_of(gap, by=front_desk, now=now)
    with pytest.raises(BeingOffered):
        gaps.dismiss(gap=gap, by=front_desk, now=now)
    gaps.dismiss(gap=gap, by=front_desk, now=offer.expires_at)
