"""New places for visits that cannot stay: all in one go, committed patient by patient."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import combinations
from threading import Thread

import pytest
from django.db import OperationalError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments.absences import affected, blocks, relocating
from appointments.absences.relocating import Relocation
from appointments.finding.needs import need_of
from appointments.models import Allocation, Appointment, Block, BlockKind
from appointments.proposing.places import Place
from appointments.visits import attendance
from clinic.access import Forbidden
from clinic.models import ProtocolVersion, Resource, Role, Site, Staff
from clinic.protocols import loading as protocols
from config.embedded.database import APP
from tests.appointments.claiming.test_races import no_overlap, patients
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at
from tests.processes import eventually

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
Blocked = Callable[..., Block]


@pytest.fixture
def blocked(needling_device: Resource, site: Site, manager: Staff, now: datetime) -> Blocked:
    """Blocks the one device from the morning of a day for some days, over what is booked."""

    def make(day: date = FIRST, days: int = 7, **changes: object) -> Block:
        wanted = {
            "site": site,
            "resources": [needling_device],
            "kind": BlockKind.MAINTENANCE,
            "starts_at": at(day, "08:00"),
            "ends_at": at(day, "08:00") + days * DAY,
            "by": manager,
            "now": now,
            "over_visits": True,
            **changes,
        }
        return blocks.block(**wanted)  # type: ignore[arg-type]

    return make


@pytest.fixture
def second_device(site: Site, house: ProtocolVersion) -> Resource:
    return Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality, serial="RM-2"
    )


@pytest.fixture
def second_provider(site: Site, house: ProtocolVersion) -> Resource:
    return provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)


def proposed(block: Block, now: datetime) -> list[Relocation]:
    return relocating.propose(visits=affected.by_block(block, now=now), now=now)


def move_all(block: Block, by: Staff, now: datetime) -> relocating.Relocated:
    moves = [line.move for each in proposed(block, now) for line in each.lines]
    return relocating.relocate(
        moves=moves, visits=affected.by_block(block, now=now), by=by, now=now
    )


def held(place: Place, visit: Appointment) -> list[tuple[int, datetime, datetime]]:
    """What a visit at this place holds: (resource, from, to)."""
    need = need_of(protocols.get(visit.protocol_version), visit.series.areas)
    kinds = {**place.wish.resources, "patient": visit.series.patient.resource_id}
    periods = [(pk, need.held(kind, place.starts_at)) for kind, pk in kinds.items()]
    return [(pk, period.starts_at, period.ends_at) for pk, period in periods]


def apart(found: Iterable[Relocation]) -> bool:
    """Whether no two proposals share a resource at one time."""
    rows = [held(line.after, line.visit) for each in found for line in each.lines]
    return not any(
        a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
        for one, other in combinations(rows, 2)
        for a in one
        for b in other
    )


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


# --- Moving them ----------------------------------------------------------------------------------


def test_moving_them_leaves_no_work_and_twice_is_once(
    visits: list[Appointment],
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    block = blocked(days=40)
    moves = [line.move for each in proposed(block, now) for line in each.lines]
    work = affected.by_block(block, now=now)
    done = relocating.relocate(moves=moves, visits=work, by=front_desk, now=now, reason="Broken")
    assert {visit.pk for visit in done.moved} == {visits[0].pk, visits[1].pk}
    assert not done.refused and not affected.by_block(block, now=now).exists()
    assert visits[0].history.order_by("-id")[0].reason == "Broken"
    again = relocating.relocate(
        moves=moves, visits=affected.by_block(block, now=now), by=front_desk, now=now
    )
    assert again == relocating.Relocated()


def test_a_place_that_was_lost_meanwhile_is_proposed_anew(
    visits: list[Appointment],
    blocked: Blocked,
    book: Book,
    wish: Wish,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    block = blocked(days=2)
    (found,) = proposed(block, now)
    lost = found.lines[0].after
    other = a_patient(site, front_desk, now, given="P", phone="", email="p@p.example")
    book(lost.wish, patient=other)
    done = relocating.relocate(
        moves=[line.move for line in found.lines],
        visits=affected.by_block(block, now=now),
        by=front_desk,
        now=now,
    )
    (moved,) = done.moved
    assert moved == visits[0] and moved.starts_at != lost.starts_at
    assert no_overlap()


def test_a_patient_who_cannot_be_moved_stays_work_and_keeps_nobody_back(
    book: Book,
    wish: Wish,
    blocked: Blocked,
    second_device: Resource,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    first, second = (
        book(wish(FIRST, wall), patient=person).appointments.get()
        for person, wall in zip(patients(site, front_desk, now, 2), ("10:00", "13:00"), strict=True)
    )
    block = blocked(days=1)
    moves = [line.move for each in proposed(block, now) for line in each.lines]
    attendance.confirm(appointment=first, by=front_desk, now=now)
    done = relocating.relocate(
        moves=moves, visits=affected.by_block(block, now=now), by=front_desk, now=now
    )
    assert [visit.pk for visit in done.moved] == [second.pk]
    ((left, sentence),) = done.refused
    assert left == first and "Somebody changed this visit" in sentence
    assert list(affected.by_block(block, now=now)) == [first]


def test_it_stops_between_two_patients_when_there_is_no_more_time(
    book: Book,
    wish: Wish,
    blocked: Blocked,
    second_device: Resource,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    for person, wall in zip(
        patients(site, front_desk, now, 3), ("09:30", "11:30", "13:30"), strict=True
    ):
        book(wish(FIRST, wall), patient=person)
    block = blocked(days=1)
    moves = [line.move for each in proposed(block, now) for line in each.lines]
    answers = iter([True, False])
    done = relocating.relocate(
        moves=moves,
        visits=affected.by_block(block, now=now),
        by=front_desk,
        now=now,
        proceed=lambda: next(answers),
    )
    assert (len(done.moved), done.left) == (2, 1)
    assert affected.by_block(block, now=now).count() == 1


def test_only_who_may_book_moves_visits_and_only_those_that_are_work(
    visits: list[Appointment],
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    outsider: Staff,
    now: datetime,
) -> None:
    block = blocked(days=40)
    found = proposed(block, now)
    moves = [line.move for each in found for line in each.lines]
    refused = relocating.relocate(
        moves=moves, visits=affected.by_block(block, now=now), by=outsider, now=now
    ).refused
    assert len(refused) == 2 and "may not book" in refused[0][1]
    none = relocating.relocate(moves=moves, visits=[], by=front_desk, now=now)
    assert none == relocating.Relocated()
    outsider.site_roles.all().delete()
    with pytest.raises(Forbidden):
        relocating.relocate(moves=moves, visits=[], by=outsider, now=now)


# --- Forty at once, and a kill --------------------------------------------------------------------


@pytest.fixture
def forty(
    book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime
) -> list[Appointment]:
    """Forty visits of forty patients on the one device, from FIRST on."""
    people = iter(patients(site, front_desk, now, 40))
    made: list[Appointment] = []
    day = FIRST
    while len(made) < 40:
        if day.weekday() < 6:
            for wall in ("09:30", "11:30", "13:30", "15:30"):
                series = book(wish(day, wall), patient=next(people))
                made.append(series.appointments.get())
        day += DAY
    return made


def test_forty_visits_get_new_places_in_about_a_second_and_all_are_moved(
    forty: list[Appointment],
    blocked: Blocked,
    second_provider: Resource,
    site: Site,
    front_desk: Staff,
    now: datetime,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    Resource.objects.create(kind="room", name="Room 2", site=site, room_kind="treatment")
    block = blocked(days=14)
    with django_assert_max_num_queries(6 + 9 * 40):  # type: ignore[attr-defined]
        found = proposed(block, now)
    assert len(found) == 40 and all(each.lines for each in found)
    assert apart(found)
    done = move_all(block, front_desk, now)
    assert len(done.moved) == 40 and not done.refused
    assert not affected.by_block(block, now=now).exists()
    assert no_overlap()


@pytest.mark.django_db(transaction=True)
def test_a_kill_in_the_middle_leaves_whole_patients_only(
    book: Book,
    wish: Wish,
    blocked: Blocked,
    second_device: Resource,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    people = patients(site, front_desk, now, 2)
    for person, wall in zip(people, ("10:00", "13:00"), strict=True):
        book(wish(FIRST, wall), wish(SECOND, wall), patient=person)
    block = blocked(days=40)
    moves = [line.move for each in proposed(block, now) for line in each.lines]
    backend: list[int] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                backend.extend(row[0] for row in cursor.fetchall())
            relocating.relocate(
                moves=moves, visits=affected.by_block(block, now=now), by=front_desk, now=now
            )
        except OperationalError as error:
            failed.append(error)
        finally:
            connections.close_all()

    def is_waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_locks WHERE pid = ANY(%s) AND NOT granted",
                [backend],
            )
            return cursor.fetchone() is not None

    # The second patient's own row is locked, so the kill meets a transaction half way through.
    with transaction.atomic():
        Resource.objects.select_for_update().get(pk=people[1].resource_id)
        thread = Thread(target=run)
        thread.start()
        with connection.cursor() as cursor:
            eventually(is_waiting)
            # The role that runs may end no other session.
            cursor.execute("RESET ROLE")
            cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", [backend])
            cursor.execute(f"SET ROLE {APP}")
    thread.join()
    assert failed
    moved = Allocation.objects.filter(active=True, resource=second_device)
    assert set(moved.values_list("appointment__series__patient", flat=True)) == {people[0].pk}
    assert moved.count() == 2
    left = affected.by_block(block, now=now)
    assert [visit.series.patient_id for visit in left] == [people[1].pk] * 2
    move_all(block, front_desk, now)
    assert not affected.by_block(block, now=now).exists()
