"""All visits under a block move to the places that were proposed."""

from collections.abc import Callable
from datetime import datetime
from threading import Thread

import pytest
from django.db import OperationalError, connection, connections, transaction

from appointments.absences import affected, relocating
from appointments.models import Allocation, Appointment
from appointments.visits import attendance
from clinic.access import Forbidden
from clinic.models import Resource, Site, Staff
from config.embedded.database import APP
from tests.appointments.absences.conftest import DAY, Blocked, apart, move_all, moves_of, proposed
from tests.appointments.claiming.test_races import no_overlap, patients
from tests.appointments.conftest import FIRST, SECOND, Book, Wish
from tests.personas import a_patient
from tests.processes import eventually

pytestmark = pytest.mark.django_db


BookEach = Callable[..., list[Appointment]]


@pytest.fixture
def book_each(book: Book, wish: Wish, site: Site, front_desk: Staff, now: datetime) -> BookEach:
    """Books each of these times of FIRST, and of SECOND for two sessions, for another patient: the
    first visits."""

    def make(*walls: str, sessions: int = 1) -> list[Appointment]:
        days = (FIRST, SECOND)[:sessions]
        people = patients(site, front_desk, now, len(walls))
        return [
            book(*(wish(day, wall) for day in days), patient=person).appointments.get(session=1)
            for person, wall in zip(people, walls, strict=True)
        ]

    return make


# --- Moving them ----------------------------------------------------------------------------------


def test_moving_them_leaves_no_work_and_twice_is_once(
    visits: list[Appointment],
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    block = blocked(days=40)
    moves = moves_of(proposed(block, now))
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
        moves=moves_of([found]),
        visits=affected.by_block(block, now=now),
        by=front_desk,
        now=now,
    )
    (moved,) = done.moved
    assert moved == visits[0] and moved.starts_at != lost.starts_at
    assert no_overlap()


def test_a_patient_who_cannot_be_moved_stays_work_and_keeps_nobody_back(
    book_each: BookEach,
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    first, second = book_each("10:00", "13:00")
    block = blocked(days=1)
    moves = moves_of(proposed(block, now))
    attendance.confirm(appointment=first, by=front_desk, now=now)
    done = relocating.relocate(
        moves=moves, visits=affected.by_block(block, now=now), by=front_desk, now=now
    )
    assert [visit.pk for visit in done.moved] == [second.pk]
    ((left, sentence),) = done.refused
    assert left == first and "Somebody changed this visit" in sentence
    assert list(affected.by_block(block, now=now)) == [first]


def test_it_stops_between_two_patients_when_there_is_no_more_time(
    book_each: BookEach,
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    book_each("09:30", "11:30", "13:30")
    block = blocked(days=1)
    moves = moves_of(proposed(block, now))
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
    moves = moves_of(found)
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
    book_each: BookEach,
    blocked: Blocked,
    second_device: Resource,
    front_desk: Staff,
    now: datetime,
) -> None:
    people = [visit.series.patient for visit in book_each("10:00", "13:00", sessions=2)]
    block = blocked(days=40)
    moves = moves_of(proposed(block, now))
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
