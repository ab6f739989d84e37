"""Blocks: free time is held, visits that are there are work, and freed time is the block's."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from appointments import proposing
from appointments.absences import blocks
from appointments.models import (
    Allocation,
    Appointment,
    Block,
    BlockKind,
    Hold,
    HoldPurpose,
)
from appointments.refusals import (
    BlockOutOfOrder,
    BlockReleased,
    NotBlockable,
    SlotTaken,
    VisitsInTheWay,
)
from appointments.visits import cancelling, moving, undoing
from clinic.access import Forbidden
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from tests.appointments.claiming.test_races import at_once, no_overlap, patients
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at

pytestmark = pytest.mark.django_db

DAY, FIVE = timedelta(days=1), timedelta(minutes=5)
MakeBlock = Callable[..., Block]


@pytest.fixture
def block(needling_device: Resource, site: Site, manager: Staff, now: datetime) -> MakeBlock:
    """Blocks the one device from eight to two on a day: block(day); anything may be given."""

    def make(day: date = FIRST, **changes: object) -> Block:
        wanted = {
            "site": site,
            "resources": [needling_device],
            "kind": BlockKind.MAINTENANCE,
            "starts_at": at(day, "08:00"),
            "ends_at": at(day, "14:00"),
            "by": manager,
            "now": now,
            **changes,
        }
        return blocks.block(**wanted)  # type: ignore[arg-type]

    return make


@pytest.fixture
def second_device(site: Site, house: ProtocolVersion) -> Resource:
    return Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality, serial="RM-2"
    )


def held(resource: Resource) -> list[tuple[str, datetime, datetime]]:
    """Who holds the resource when, in order."""
    rows = Allocation.objects.filter(resource=resource, active=True).order_by("starts_at")
    return [
        ("block" if row.block_id else "visit" if row.appointment_id else "hold", *_period(row))
        for row in rows
    ]


def _period(row: Allocation) -> tuple[datetime, datetime]:
    return row.starts_at, row.ends_at


def covered(resource: Resource, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether every moment of the time is held by somebody."""
    rows = [(starts_at, starts_at)]
    rows += [(max(a, starts_at), min(b, ends_at)) for _, a, b in held(resource) if b > starts_at]
    rows = [row for row in rows if row[0] < row[1] or row[0] == starts_at] + [(ends_at, ends_at)]
    return all(before[1] >= after[0] for before, after in pairwise(sorted(rows)))


# --- What is free ---------------------------------------------------------------------------------


def test_what_is_blocked_is_not_to_be_had_until_it_is_released(
    book: Book, wish: Wish, block: MakeBlock, manager: Staff, now: datetime
) -> None:
    made = block()
    with pytest.raises(SlotTaken, match="Needle 1 is blocked"):
        book(wish(FIRST))
    blocks.release(block=made, by=manager, now=now)
    assert book(wish(FIRST)).pk
    with pytest.raises(BlockReleased):
        blocks.release(block=made, by=manager, now=now)
    assert AuditEntry.objects.get(action="block.release").by == manager


def test_a_visit_fits_just_between_two_blocks(book: Book, wish: Wish, block: MakeBlock) -> None:
    block()
    block(starts_at=at(FIRST, "15:55"), ends_at=at(FIRST, "18:00"))
    for wall in ("14:00", "14:10"):
        with pytest.raises(SlotTaken, match="Needle 1 is blocked"):
            book(wish(FIRST, wall))
    assert book(wish(FIRST, "14:05")).pk


def test_a_block_of_days_is_held_in_pieces_of_a_day(
    block: MakeBlock, needling_device: Resource, site: Site
) -> None:
    made = block(ends_at=at(FIRST + 7 * DAY, "12:00"))
    rows = held(needling_device)
    assert len(rows) == 8
    assert max(ends - starts for _, starts, ends in rows) == DAY
    assert covered(needling_device, made.starts_at, made.ends_at)
    assert list(made.resources.all()) == [needling_device]
    assert made.site == site


def test_without_a_word_a_block_lies_neither_over_visits_nor_over_another_block(
    visits: list[Appointment], block: MakeBlock
) -> None:
    with pytest.raises(VisitsInTheWay, match="1 visit is booked") as refused:
        block(FIRST)
    assert refused.value.appointments == (visits[0].pk,)
    block(FIRST + DAY)
    with pytest.raises(SlotTaken, match="Needle 1 is already blocked"):
        block(FIRST + DAY)


@pytest.mark.parametrize("over_visits", [False, True])
def test_who_looks_at_a_plan_yields_only_to_a_block_over_what_is_booked(
    over_visits: bool,
    block: MakeBlock,
    needling_device: Resource,
    patient: Patient,
    front_desk: Staff,
    site: Site,
    now: datetime,
) -> None:
    _hold(needling_device, patient, front_desk, site, now, timedelta(minutes=5))
    if not over_visits:
        with pytest.raises(SlotTaken, match="Needle 1 is held for somebody"):
            block()
        return
    block(over_visits=True)
    assert [who for who, *_ in held(needling_device)] == ["block"]


def test_a_hold_that_ran_out_is_in_no_blocks_way(
    block: MakeBlock,
    needling_device: Resource,
    patient: Patient,
    front_desk: Staff,
    site: Site,
    now: datetime,
) -> None:
    _hold(needling_device, patient, front_desk, site, now - timedelta(hours=1), timedelta(hours=1))
    block()
    assert [who for who, *_ in held(needling_device)] == ["block"]


def _hold(
    resource: Resource, patient: Patient, by: Staff, site: Site, since: datetime, length: timedelta
) -> None:
    hold = Hold.objects.create(
        site=site,
        purpose=HoldPurpose.PLAN,
        patient=patient,
        held_by=by,
        held_at=since,
        expires_at=since + length,
    )
    Allocation.objects.create(
        resource=resource,
        hold=hold,
        starts_at=at(FIRST, "10:00"),
        ends_at=at(FIRST, "11:00"),
        expires_at=hold.expires_at,
    )


# --- What may be blocked, and by whom -------------------------------------------------------------


def test_a_patient_a_stranger_and_nobody_cannot_be_blocked(
    block: MakeBlock, patient: Patient, other_site: Site, house: ProtocolVersion
) -> None:
    elsewhere = Resource.objects.create(
        kind="room", name="Far room", site=other_site, room_kind="treatment"
    )
    for resources, said in (
        ([patient.resource], "A patient cannot be blocked"),
        ([elsewhere], "Far room is not at Harbour"),
        ([], "Choose at least one"),
    ):
        with pytest.raises(NotBlockable, match=said):
            block(resources=resources)
    assert not Block.objects.exists()


def test_a_block_is_in_order_still_to_come_and_no_longer_than_a_year(
    block: MakeBlock, now: datetime
) -> None:
    for changes, said in (
        ({"ends_at": at(FIRST, "08:00")}, "after the start"),
        ({"starts_at": now - DAY, "ends_at": now}, "is past"),
        ({"ends_at": at(FIRST, "08:00") + 366 * DAY + FIVE}, "a year at most"),
    ):
        with pytest.raises(BlockOutOfOrder, match=said):
            block(**changes)
    assert block(ends_at=at(FIRST, "08:00") + 366 * DAY).pk


def test_the_desk_notes_that_somebody_is_ill_and_a_provider_does_not(
    block: MakeBlock, front_desk: Staff, provider: Staff, outsider: Staff, now: datetime
) -> None:
    for nobody in (provider, outsider):
        with pytest.raises(Forbidden, match="block time"):
            block(by=nobody)
    made = block(by=front_desk, reason="Ill")
    for nobody in (provider, outsider):
        with pytest.raises(Forbidden):
            blocks.release(block=made, by=nobody, now=now)
        with pytest.raises(Forbidden):
            blocks.change_end(block=made, ends_at=at(FIRST, "12:00"), by=nobody, now=now)


# --- Over visits ----------------------------------------------------------------------------------


def test_over_visits_everything_around_them_is_held_and_they_stay(
    visits: list[Appointment], block: MakeBlock, needling_device: Resource
) -> None:
    made = block(over_visits=True)
    assert [who for who, *_ in held(needling_device)][:3] == ["block", "visit", "block"]
    assert covered(needling_device, made.starts_at, made.ends_at)
    visits[0].refresh_from_db()
    assert (visits[0].state, visits[0].version) == ("booked", 1)


def test_a_cancelled_visits_time_under_a_block_is_the_blocks(
    visits: list[Appointment],
    block: MakeBlock,
    needling_device: Resource,
    room: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    made = block(over_visits=True)
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    assert {who for who, starts, _ in held(needling_device) if starts < made.ends_at} == {"block"}
    assert covered(needling_device, made.starts_at, made.ends_at)
    # What is not blocked is free again.
    assert not [row for row in held(room) if row[1] < made.ends_at]


def test_a_moved_visits_time_under_a_block_is_the_blocks(
    visits: list[Appointment],
    block: MakeBlock,
    needling_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    made = block(over_visits=True)
    moving.move(appointment=visits[0], starts_at=at(FIRST + DAY, "10:00"), by=front_desk, now=now)
    assert covered(needling_device, made.starts_at, made.ends_at)


def test_a_visit_changes_its_blocked_device_and_keeps_everything_else(
    visits: list[Appointment],
    block: MakeBlock,
    needling_device: Resource,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    made = block(over_visits=True)
    moved = moving.move(
        appointment=visits[0], starts_at=visits[0].starts_at, by=front_desk, now=now
    )
    assert moved.allocations.filter(active=True, resource=second_device).exists()
    assert moved.schedule_version == 1
    assert covered(needling_device, made.starts_at, made.ends_at)


def test_a_visit_never_moves_within_the_time_of_its_blocked_device(
    visits: list[Appointment],
    block: MakeBlock,
    needling_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    block(over_visits=True)
    with pytest.raises(SlotTaken, match="Needle 1 is blocked"):
        moving.move(
            appointment=visits[0],
            starts_at=visits[0].starts_at + timedelta(minutes=15),
            device_id=needling_device.pk,
            by=front_desk,
            now=now,
        )
    found = proposing.free_starts(
        patient=visits[0].series.patient,
        site=visits[0].site,
        version=visits[0].protocol_version,
        areas=["face"],
        day=FIRST,
        now=now,
        moving=visits[0],
    )
    # The clean-up of the block's last minutes counts too: the first start is after its end.
    assert min(place.starts_at for place in found.places) >= at(FIRST, "14:00")


def test_a_place_that_a_block_has_taken_is_not_given_back_by_an_undo(
    visits: list[Appointment], block: MakeBlock, front_desk: Staff, now: datetime
) -> None:
    block(over_visits=True)
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    with pytest.raises(SlotTaken, match="taken meanwhile"):
        undoing.undo(appointment=visits[0], by=front_desk, now=now)


def test_blocks_may_lie_over_each_other_and_the_second_keeps_what_the_first_gives_back(
    visits: list[Appointment],
    block: MakeBlock,
    needling_device: Resource,
    manager: Staff,
    now: datetime,
) -> None:
    first = block(over_visits=True)
    second = block(over_visits=True, starts_at=at(FIRST, "09:00"), ends_at=at(FIRST + DAY, "12:00"))
    blocks.change_end(block=first, ends_at=at(FIRST, "12:30"), by=manager, now=now)
    assert covered(needling_device, second.starts_at, second.ends_at)
    blocks.release(block=first, by=manager, now=now)
    assert covered(needling_device, second.starts_at, second.ends_at)
    assert not covered(needling_device, first.starts_at, second.starts_at)
    blocks.release(block=second, by=manager, now=now)
    assert [who for who, *_ in held(needling_device)] == ["visit", "visit", "visit"]


def test_a_shortened_block_gives_back_its_end_and_a_longer_one_takes_more(
    visits: list[Appointment],
    block: MakeBlock,
    needling_device: Resource,
    manager: Staff,
    now: datetime,
) -> None:
    made = block(over_visits=True, ends_at=at(FIRST + 2 * DAY, "14:00"))
    noon = at(FIRST + DAY, "12:00")
    shorter = blocks.change_end(block=made, ends_at=noon, by=manager, now=now)
    assert shorter.ends_at == noon
    assert covered(needling_device, made.starts_at, noon)
    assert max(ends for who, _, ends in held(needling_device) if who == "block") == noon
    with pytest.raises(VisitsInTheWay):
        blocks.change_end(block=made, ends_at=at(SECOND, "14:00"), by=manager, now=now)
    longer = blocks.change_end(
        block=made, ends_at=at(SECOND, "14:00"), by=manager, now=now, over_visits=True
    )
    assert covered(needling_device, longer.starts_at, longer.ends_at)
    actions = AuditEntry.objects.filter(subject_type="appointments.block").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        "block.make",
        "block.change_end",
        "block.change_end",
    ]


# --- Races ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_booking_slips_in_while_a_visit_leaves_its_blocked_place(
    book: Book,
    wish: Wish,
    block: MakeBlock,
    needling_device: Resource,
    patient: Patient,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    visit = book(wish(FIRST)).appointments.get()
    made = block(over_visits=True)
    people = patients(site, front_desk, now, 8)

    def booker(person: Patient) -> Callable[[], object]:
        return lambda: book(wish(FIRST), patient=person)

    outcomes = at_once(
        [
            lambda: cancelling.cancel(appointment=visit, by=front_desk, now=now),
            *(booker(person) for person in people),
        ]
    )
    refused = [result for result in outcomes if isinstance(result, SlotTaken)]
    assert len(refused) == len(people)
    assert covered(needling_device, made.starts_at, made.ends_at)
    assert no_overlap()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_a_block_that_is_made_while_a_visit_leaves_has_no_hole(
    round_: int,
    book: Book,
    wish: Wish,
    block: MakeBlock,
    needling_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    visit = book(wish(FIRST)).appointments.get()
    outcomes = at_once(
        [
            lambda: cancelling.cancel(appointment=visit, by=front_desk, now=now),
            lambda: block(over_visits=True),
        ]
    )
    assert not [result for result in outcomes if isinstance(result, Exception)]
    made = Block.objects.get()
    assert covered(needling_device, made.starts_at, made.ends_at)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(4))
def test_a_block_that_is_released_while_a_visit_leaves_keeps_nothing(
    round_: int,
    book: Book,
    wish: Wish,
    block: MakeBlock,
    needling_device: Resource,
    manager: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    visit = book(wish(FIRST)).appointments.get()
    made = block(over_visits=True)
    outcomes = at_once(
        [
            lambda: cancelling.cancel(appointment=visit, by=front_desk, now=now),
            lambda: blocks.release(block=made, by=manager, now=now),
        ]
    )
    assert not [result for result in outcomes if isinstance(result, Exception)]
    assert held(needling_device) == []


@pytest.mark.django_db(transaction=True)
def test_a_block_over_visits_and_bookers_of_its_time_leave_no_hole_and_no_overlap(
    book: Book,
    wish: Wish,
    block: MakeBlock,
    needling_device: Resource,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    def booker(person: Patient, wall: str) -> Callable[[], object]:
        return lambda: book(wish(FIRST, wall), patient=person)

    walls = ("09:30", "10:30", "11:30", "12:30", "15:00")
    people = patients(site, front_desk, now, 10)
    acts = [booker(person, walls[n % 5]) for n, person in enumerate(people)]
    outcomes = at_once([*acts[:5], lambda: block(over_visits=True), *acts[5:]])
    failed = [result for result in outcomes if isinstance(result, Exception)]
    assert all(isinstance(result, SlotTaken) for result in failed)
    made = Block.objects.get()
    assert covered(needling_device, made.starts_at, made.ends_at)
    assert no_overlap()
