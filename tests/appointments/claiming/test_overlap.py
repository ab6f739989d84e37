"""A visit put over another one on purpose: by whom, over what, and that it shows ever after."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from appointments.absences import blocks
from appointments.claiming import holding
from appointments.models import Allocation, Appointment, Block, BlockKind, TreatmentSeries
from appointments.refusals import IntervalTooShort, PatientElsewhere, SlotHeld, SlotTaken
from appointments.visits import booking, cancelling, moving, undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

WHY = "Both come for a check, Sam agreed"


@pytest.fixture
def ben(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")


@pytest.fixture
def below(book: Book, wish: Wish) -> Appointment:
    """The visit that was there first."""
    return book(wish(FIRST)).appointments.get()


@pytest.fixture
def over(book: Book, wish: Wish, below: Appointment, ben: Patient, manager: Staff) -> Appointment:
    """One that a manager put over it, half an hour later."""
    series = book(wish(FIRST, "10:30"), patient=ben, by=manager, overlap=True, override_reason=WHY)
    return series.appointments.get()


def deliberate(visit: Appointment) -> set[str]:
    rows = visit.allocations.filter(active=True, is_deliberate=True)
    return set(rows.values_list("resource__kind", flat=True))


def test_it_is_written_apart_with_its_reason_in_the_visit_its_history_and_the_audit(
    below: Appointment, over: Appointment
) -> None:
    assert deliberate(over) == {"provider", "room", "device"}
    assert (over.overrides, over.override_reason) == (["overlap"], WHY)
    assert (over.history.get().override_reason, over.history.get().overrides) == (WHY, ["overlap"])
    entry = AuditEntry.objects.get(action="series.book", patient_id=over.series.patient_id)
    assert (entry.reason, entry.after["over"]) == (WHY, [below.pk])
    assert not deliberate(below)


def test_only_what_collides_lies_over(
    book: Book, wish: Wish, ben: Patient, manager: Staff, below: Appointment
) -> None:
    series = book(
        wish(FIRST, "10:30"), wish(SECOND), patient=ben, by=manager, overlap=True,
        override_reason=WHY,
    )  # fmt: skip
    first, second = series.appointments.order_by("session")
    assert (first.overrides, second.overrides) == (["overlap"], [])
    assert second.override_reason == ""
    assert not deliberate(second)


def test_where_nothing_is_in_the_way_nothing_is_overridden(
    book: Book, wish: Wish, manager: Staff
) -> None:
    visit = book(wish(FIRST), by=manager, overlap=True, override_reason=WHY).appointments.get()
    assert (visit.overrides, visit.override_reason, deliberate(visit)) == ([], "", set())


def test_it_takes_the_capability_the_wish_and_a_reason(
    book: Book,
    wish: Wish,
    ben: Patient,
    below: Appointment,
    front_desk: Staff,
    provider: Staff,
    manager: Staff,
    clinical_lead: Staff,
    outsider: Staff,
) -> None:
    for staff in (front_desk, provider, outsider):
        with pytest.raises(Forbidden):
            book(wish(FIRST), patient=ben, by=staff, overlap=True, override_reason=WHY)
    with pytest.raises(SlotTaken) as refused_:
        book(wish(FIRST), patient=ben, by=manager, override_reason=WHY)
    assert refused_.value.overlappable
    with pytest.raises(SlotTaken):
        book(wish(FIRST), patient=ben, by=manager, overlap=True, override_reason="  ")
    assert TreatmentSeries.objects.count() == 1
    book(wish(FIRST), patient=ben, by=clinical_lead, overlap=True, override_reason=WHY)


def test_a_patient_is_never_in_two_places(
    book: Book, wish: Wish, below: Appointment, manager: Staff
) -> None:
    with pytest.raises(PatientElsewhere):
        book(wish(FIRST, "10:30"), by=manager, areas=["hands"], overlap=True, override_reason=WHY)


def test_nothing_lies_over_a_block_or_over_a_hold(
    book: Book,
    wish: Wish,
    ben: Patient,
    patient: Patient,
    site: Site,
    room: Resource,
    house: ProtocolVersion,
    front_desk: Staff,
    manager: Staff,
    now: datetime,
) -> None:
    blocks.block(
        site=site,
        resources=[room],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST, "10:00"),
        ends_at=at(FIRST, "12:00"),
        by=manager,
        now=now,
    )
    holding.hold_plan(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(SECOND)],
        by=front_desk,
        now=now,
    )
    with pytest.raises(SlotTaken) as blocked:
        book(wish(FIRST), patient=ben, by=manager, overlap=True, override_reason=WHY)
    with pytest.raises(SlotHeld) as held:
        book(wish(SECOND), patient=ben, by=manager, overlap=True, override_reason=WHY)
    assert not blocked.value.overlappable and not held.value.overlappable


def test_nothing_else_slips_in_beside_it(
    book: Book, wish: Wish, below: Appointment, over: Appointment, site: Site, front_desk: Staff,
    now: datetime,
) -> None:  # fmt: skip
    third = a_patient(site, front_desk, now, given="Cy", phone="", email="cy@p.example")
    cancelling.cancel(appointment=below, by=front_desk, now=now)
    with pytest.raises(SlotTaken):
        book(wish(FIRST, "10:30"), patient=third)
    with pytest.raises(SlotTaken):
        undoing.undo(appointment=below, by=front_desk, now=now)
    cancelling.cancel(appointment=over, by=front_desk, now=now)
    book(wish(FIRST, "10:30"), patient=third)


def test_a_visit_is_added_over_another(
    series: TreatmentSeries, book: Book, wish: Wish, ben: Patient, manager: Staff, now: datetime
) -> None:
    fourth = THIRD + timedelta(days=28)
    book(wish(fourth), patient=ben)
    with pytest.raises(SlotTaken):
        booking.add_visit(series=series, visit=wish(fourth), by=manager, now=now)
    added = booking.add_visit(
        series=series, visit=wish(fourth), by=manager, now=now, overlap=True, override_reason=WHY
    )
    assert (added.overrides, deliberate(added)) == (["overlap"], {"provider", "room", "device"})


def test_a_visit_is_moved_over_another_and_away_again(
    below: Appointment,
    book: Book,
    wish: Wish,
    ben: Patient,
    front_desk: Staff,
    manager: Staff,
    now: datetime,
) -> None:
    visit = book(wish(FIRST, "14:00"), patient=ben).appointments.get()

    def move(wall: str, by: Staff, **more: object) -> Appointment:
        return moving.move(
            appointment=visit,
            starts_at=at(FIRST, wall),
            by=by,
            now=now,
            **more,  # type: ignore[arg-type]
        )

    with pytest.raises(Forbidden):
        move("10:30", front_desk, overlap=True, override_reason=WHY)
    with pytest.raises(SlotTaken):
        move("10:30", manager)
    moved = move("10:30", manager, overlap=True, override_reason=WHY, reason="Asked")
    assert deliberate(moved) == {"provider", "room", "device"}
    last = moved.history.latest("id")
    assert (last.reason, last.override_reason, last.overrides) == ("Asked", WHY, ["overlap"])
    with pytest.raises(SlotTaken):
        move("10:35", front_desk)
    away = move("15:00", front_desk)
    assert not deliberate(away)
    assert away.overrides == ["overlap"]


def test_an_interval_and_an_overlap_are_overridden_by_one_reason(
    book: Book, wish: Wish, ben: Patient, manager: Staff
) -> None:
    soon = FIRST + timedelta(days=7)
    book(wish(soon), patient=ben)
    with pytest.raises(IntervalTooShort):
        book(wish(FIRST), wish(soon, "14:00"), by=manager, overlap=True)
    series = book(wish(FIRST), wish(soon), by=manager, overlap=True, override_reason=WHY)
    assert series.appointments.get(session=2).overrides == ["interval_too_short", "overlap"]


def test_taking_back_a_cancellation_puts_it_over_again_for_those_who_may(
    below: Appointment, over: Appointment, front_desk: Staff, manager: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=over, by=front_desk, now=now)
    with pytest.raises(SlotTaken):
        undoing.undo(appointment=over, by=front_desk, now=now)
    undoing.undo(appointment=over, by=manager, now=now)
    assert deliberate(over) == {"provider", "room", "device"}


def test_a_block_takes_neither_time_twice(
    below: Appointment, over: Appointment, site: Site, room: Resource, manager: Staff,
    front_desk: Staff, now: datetime,
) -> None:  # fmt: skip
    block = blocks.block(
        site=site,
        resources=[room],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST, "09:00"),
        ends_at=at(FIRST, "13:00"),
        by=manager,
        now=now,
        over_visits=True,
    )
    cancelling.cancel(appointment=below, by=front_desk, now=now)
    cancelling.cancel(appointment=over, by=front_desk, now=now)
    held = Allocation.objects.filter(block=block, active=True).order_by("starts_at")
    spans = list(held.values_list("starts_at", "ends_at"))
    assert spans[0][0] == at(FIRST, "09:00") and spans[-1][1] == at(FIRST, "13:00")
    assert all(one[1] == two[0] for one, two in pairwise(spans))
    assert Block.objects.count() == 1


@CLOCK
def test_the_api_says_that_it_may_and_shows_that_it_does(
    below: Appointment,
    ben: Patient,
    site: Site,
    house: ProtocolVersion,
    wish: Wish,
    manager: Staff,
    front_desk: Staff,
) -> None:
    place = wish(FIRST, "10:30")
    body = {
        "patient": ben.pk,
        "site": site.pk,
        "protocol": house.pk,
        "areas": ["face"],
        "visits": [
            {
                "starts_at": place.starts_at.isoformat(),
                "provider": place.provider_id,
                "room": place.room_id,
                "device": place.device_id,
            }
        ],
    }
    told = refused(
        api(manager).post("/api/v1/series/", body), 409, "slot_taken", "visits.0.starts_at"
    )
    assert told["overlappable"] is True
    asked = {**body, "overlap": True, "override_reason": WHY}
    refused(api(front_desk).post("/api/v1/series/", asked), 403, "forbidden")
    [visit] = api(manager).post("/api/v1/series/", asked).json()["appointments"]
    assert (visit["overrides"], visit["override_reason"]) == (["overlap"], WHY)
    assert {each["is_deliberate"] for each in visit["allocations"]} == {True}
    moved = api(manager).post(
        f"/api/v1/appointments/{visit['id']}/move/",
        {
            "version": 1,
            "starts_at": {"wall": f"{FIRST}T10:45"},
            "override_reason": WHY,
            "overlap": True,
            "room": place.room_id,
            "provider": place.provider_id,
            "device": place.device_id,
        },
    )
    assert moved.status_code == 200, moved.content
