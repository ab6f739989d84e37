"""New places for visits that cannot stay: all in one go, committed patient by patient."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments.absences import affected, blocks
from appointments.models import Appointment, Block, BlockKind
from appointments.visits import attendance
from clinic.models import ProtocolVersion, Resource, Site, Staff
from tests.appointments.absences.conftest import DAY, Blocked, apart, held, move_all, proposed
from tests.appointments.claiming.test_races import no_overlap, patients
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.personas import a_patient

pytestmark = pytest.mark.django_db


# --- Which visits ---------------------------------------------------------------------------------


def test_the_visits_under_a_block_are_work_until_they_leave_or_it_is_released(
    visits: list[Appointment], blocked: Blocked, manager: Staff, now: datetime
) -> None:
    block = blocked(days=40)
    assert list(affected.by_block(block, now=now)) == visits[:2]
    assert affected.counts([block], now=now) == {block.pk: 2}
    assert affected.under_blocks(visits) == {visit.pk: ["device"] for visit in visits[:2]}
    assert affected.count_at(block.site, now=now) == 2
    blocks.release(block=block, by=manager, now=now)
    assert list(affected.by_block(Block.objects.get(), now=now)) == []
    assert affected.counts([block], now=now) == {}
    assert affected.count_at(block.site, now=now) == 0
    assert affected.under_blocks(visits) == {}


def test_what_is_done_past_or_holds_something_else_is_no_work(
    visits: list[Appointment], blocked: Blocked, front_desk: Staff, now: datetime
) -> None:
    block = blocked()
    start = visits[0].starts_at
    assert list(affected.by_block(block, now=start + DAY)) == []
    attendance.check_in(appointment=visits[0], by=front_desk, now=start)
    assert list(affected.by_block(block, now=start)) == [visits[0]]
    attendance.start(appointment=visits[0], by=front_desk, now=start)
    assert list(affected.by_block(block, now=start)) == []


# --- Where to -------------------------------------------------------------------------------------


def test_the_same_time_with_another_device_comes_first(
    visits: list[Appointment], blocked: Blocked, second_device: Resource, now: datetime
) -> None:
    (found,) = proposed(blocked(), now)
    (line,) = found.lines
    assert not line.starts_elsewhere
    assert line.after.device == second_device
    assert (line.after.provider, line.after.room) == (line.before.provider, line.before.room)
    assert line.reasons == ("The same time, with Needle 2.",)


def test_an_ill_providers_patients_stay_at_their_time_with_somebody_else(
    visits: list[Appointment],
    blocked: Blocked,
    treatment_provider: Resource,
    second_provider: Resource,
    now: datetime,
) -> None:
    (found,) = proposed(blocked(resources=[treatment_provider]), now)
    assert found.lines[0].after.provider == second_provider
    assert not found.lines[0].starts_elsewhere


def test_without_another_device_it_is_the_nearest_start_that_keeps_the_intervals(
    visits: list[Appointment], blocked: Blocked, now: datetime
) -> None:
    (found,) = proposed(blocked(SECOND, days=3), now)
    (line,) = found.lines
    # The last start of the evening before is nearer than anything after the block.
    assert line.after.starts_at == at(SECOND - DAY, "16:00")
    assert line.starts_elsewhere and not line.ripples
    assert line.reasons == ("The nearest free start that keeps the intervals: 1 day earlier.",)


def test_later_visits_move_along_only_when_they_must(
    visits: list[Appointment], blocked: Blocked, now: datetime
) -> None:
    # The dates that both neighbours allow are 25 March to 8 April.
    (found,) = proposed(blocked(date(2027, 3, 25), days=15), now)
    own, later = found.lines
    assert (own.visit, later.visit) == (visits[1], visits[2])
    assert later.ripples and not own.ripples
    gap = later.after.starts_at.date() - own.after.starts_at.date()
    assert timedelta(days=21) <= gap <= timedelta(days=42)
    assert later.after.starts_at > later.before.starts_at


def test_who_finds_no_place_is_told_what_binds_and_what_would_help(
    visits: list[Appointment], blocked: Blocked, now: datetime
) -> None:
    found = proposed(blocked(date(2027, 3, 25), days=100), now)
    assert [each.visit for each in found] == visits[1:]
    problem = found[0].problem
    assert problem is not None and not found[0].lines
    assert problem.binding == "device"
    assert problem.sentence.startswith("Session 2 finds no place between")
    assert "waitlist" in [way.kind for way in problem.relaxations]


def test_locked_visits_and_patients_who_are_here_never_move(
    visits: list[Appointment],
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    Appointment.objects.filter(pk=visits[1].pk).update(is_locked=True)
    start = visits[0].starts_at
    attendance.check_in(appointment=visits[0], by=front_desk, now=start)
    found = proposed(blocked(days=40, now=start), start)
    problems = [each.problem for each in found]
    assert [problem and problem.binding for problem in problems] == ["state", "locked"]


def test_two_affected_visits_never_get_the_same_place(
    book: Book,
    wish: Wish,
    blocked: Blocked,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    for patient, wall in zip(
        patients(site, front_desk, now, 4), ("09:30", "11:30", "13:30", "15:30"), strict=True
    ):
        book(wish(FIRST, wall), patient=patient)
    found = proposed(blocked(days=1), now)
    assert len(found) == 4 and all(each.lines for each in found)
    assert apart(found)
    assert [each.visit.starts_at for each in found] == sorted(
        each.visit.starts_at for each in found
    )


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    starts=st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(["09:30", "11:30", "13:30", "15:30"])),
        min_size=1,
        max_size=8,
        unique=True,
    ),
    days=st.integers(1, 9),
    devices=st.integers(1, 2),
    of=st.sampled_from(["device", "provider", "room"]),
    locked=st.sets(st.integers(0, 7), max_size=2),
)
def test_every_proposal_is_free_keeps_its_interval_and_shares_nothing(
    starts: list[tuple[int, str]],
    days: int,
    devices: int,
    of: str,
    locked: set[int],
    book: Book,
    wish: Wish,
    site: Site,
    house: ProtocolVersion,
    needling_device: Resource,
    treatment_provider: Resource,
    room: Resource,
    manager: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    with transaction.atomic():
        for number in range(1, devices):
            Resource.objects.create(
                kind="device", name=f"Spare {number}", site=site, modality=house.modality
            )
        monday = FIRST + 4 * DAY
        for number, (day, wall) in enumerate(starts):
            if (monday + day * DAY).weekday() == 6:
                continue
            person = a_patient(
                site, front_desk, now, given=f"P{number}", phone="", email=f"q{number}@p.example"
            )
            first, second = monday + day * DAY, monday + (day + 28) * DAY
            series = book(wish(first, wall), wish(second, wall), patient=person)
            if number in locked:
                series.appointments.filter(session=2).update(is_locked=True)
        blocked = {"device": needling_device, "provider": treatment_provider, "room": room}[of]
        block = blocks.block(
            site=site,
            resources=[blocked],
            kind=BlockKind.BLOCKED,
            starts_at=at(monday, "12:00"),
            ends_at=at(monday, "12:00") + days * DAY,
            by=manager,
            now=now,
            over_visits=True,
        )
        work = list(affected.by_block(block, now=now))
        found = proposed(block, now)
        seen = [each.visit for each in found]
        assert seen == work
        assert apart(found)
        for each in found:
            assert bool(each.lines) != (each.problem is not None)
            for line in each.lines:
                assert not line.visit.is_locked
                used = {
                    pk
                    for pk, a, b in held(line.after, line.visit)
                    if a < block.ends_at and b > block.starts_at
                }
                assert blocked.pk not in used
        if of == "device" and devices == 2:
            assert not any(line.starts_elsewhere for each in found for line in each.lines)
        # What was proposed together can be had together: the rules of booking agree.
        done = move_all(block, front_desk, now)
        assert not done.refused
        assert len(done.moved) == sum(len(each.lines) for each in found)
        assert no_overlap()
        transaction.set_rollback(True)
