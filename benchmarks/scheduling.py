"""Planning and booking on a realistic calendar of 200,000 visits, and many hands on one slot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from time import perf_counter

from django.db import connection, connections, transaction

from appointments import proposing
from appointments.claiming import holding
from appointments.clearance import Treatment, answering
from appointments.models import Appointment, Block
from appointments.proposing.places import VisitWish
from appointments.refusals import SlotTaken
from appointments.visits import booking
from benchmarks import calendars, clientele, house, planning
from benchmarks.figures import Figure, milliseconds, p50, p95
from benchmarks.house import NOW, House
from clinic.models import ProtocolVersion
from clinic.protocols import loading as protocols
from patients.models import Patient, ScreeningMoment
from patients.screening.answers import FITTING, Said
from patients.screening.questions import questions_of

GROUP = "scheduling"
VISITS = 200_000
SESSIONS, SERIES, BOOKERS, ROUNDS = 6, 100, 50, 3
# Milliseconds that a series may take to be booked, beside its commit.
BOOKING = 25


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    step(f"{VISITS:,} visits")
    built = house.build()
    version = house.version_of(built, calendars.S1.session, calendars.S1.buffer)
    ahead = calendars.fill(built, calendars.S1)
    calendars.history(built, VISITS - ahead, beside=ahead)
    clientele.come(built, version)
    people = house.patients(built, SERIES + BOOKERS)
    yield from planning.figures(step, GROUP, built, version, people[0], most_starts=3, most_plans=4)
    step(f"booking {SESSIONS} visits")
    yield _booking(built, version, people[:SERIES])
    step(f"{BOOKERS} bookers of one slot")
    yield from _contention(built, version, people[SERIES:])


def _book(
    built: House, version: ProtocolVersion, patient: Patient, visits: list[VisitWish]
) -> None:
    booking.book_series(
        patient=patient,
        site=built.site,
        version=version,
        areas=["face"],
        visits=visits,
        by=built.desk,
        now=NOW,
    )


def plan(built: House, version: ProtocolVersion, patient: Patient, first: date) -> list[VisitWish]:
    found = proposing.propose_series(
        patient=patient,
        site=built.site,
        version=version,
        areas=["face"],
        sessions=SESSIONS,
        now=NOW,
        first_from=first,
        most=1,
    )
    return [visit.wish for visit in found.visits]


def _booking(built: House, version: ProtocolVersion, people: list[Patient]) -> Figure:
    """A whole series booked as at the desk, whose plan was held and whose patient has answered all
    that is asked, against its bare rows inserted and committed."""
    first = NOW.date() + timedelta(days=3)
    taken, bare, commits = list[float](), list[float](), list[float]()
    rows = built.site.resources.values_list("pk", flat=True)[0], Block.objects.all()[0].pk
    for number, patient in enumerate(people):
        _answer(built, version, patient)
        visits = plan(built, version, patient, first)
        _hold(built, version, patient, visits)
        taken += milliseconds(partial(_book, built, version, patient, visits), times=1)
        whole, commit = _bare(rows, NOW + timedelta(days=3000, hours=number))
        bare.append(whole)
        commits.append(commit)
    name = f"book a series of {SESSIONS}, p95"
    most = (BOOKING + p95(commits)) / p95(bare)
    return Figure(GROUP, name, p95(taken), "ms", p95(bare), round(most, 2))


def _answer(built: House, version: ProtocolVersion, patient: Patient) -> None:
    """To every question what stands in no treatment's way."""
    answering.answer(
        treatment=Treatment(patient, built.site, version, ["face"]),
        said={
            question.id: Said(FITTING[question.trigger][0])
            for question in questions_of(protocols.get(version))
        },
        moment=ScreeningMoment.CONSULT,
        by=built.desk,
        now=NOW,
    )


def _hold(
    built: House, version: ProtocolVersion, patient: Patient, visits: list[VisitWish]
) -> None:
    holding.hold_plan(
        patient=patient,
        site=built.site,
        version=version,
        areas=["face"],
        visits=visits,
        by=built.desk,
        now=NOW,
    )


def _bare(rows: tuple[int, int], starts_at: datetime) -> tuple[float, float]:
    """The rows that a series holds, written and committed as they are; `rows` are a resource and
    a block. The milliseconds of all, and of the commit alone."""
    began = perf_counter()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO appointments_allocation"
                " (resource_id, block_id, starts_at, ends_at, active)"
                " SELECT %s, %s, %s + n * interval '1 minute',"
                " %s + (n + 1) * interval '1 minute', true"
                " FROM generate_series(1, %s) n",
                [*rows, starts_at, starts_at, 4 * SESSIONS],
            )
        written = perf_counter()
    ended = perf_counter()
    return (ended - began) * 1000, (ended - written) * 1000


def _contention(built: House, version: ProtocolVersion, people: list[Patient]) -> Iterator[Figure]:
    """All want the same place at once: one has it, the others hear what else there is."""
    slowest, alone = [], []
    for number in range(ROUNDS):
        # Whoever won the round before may come again: so far apart treatments of one area must be.
        first = NOW.date() + timedelta(days=20 + 35 * number)
        place = plan(built, version, people[0], first)[:1]
        before = Appointment.objects.count()
        seconds = _all_at_once(built, version, people, place)
        assert Appointment.objects.count() == before + 1, "not exactly one winner"
        slowest.append(max(seconds) * 1000)
        alone += milliseconds(partial(_lose, built, version, people[-1], place), times=5)
    name = f"{BOOKERS} bookers of one slot, slowest loser"
    # One after the other on one core they would take so long.
    yield Figure(GROUP, name, max(slowest), "ms", p50(alone) * BOOKERS, 2)


def _lose(built: House, version: ProtocolVersion, patient: Patient, place: list[VisitWish]) -> None:
    try:
        _book(built, version, patient, place)
    except SlotTaken as taken:
        if len(taken.nearest) == 3:
            return
    raise AssertionError("the place was free, or nothing near it is")


def _all_at_once(
    built: House, version: ProtocolVersion, people: list[Patient], place: list[VisitWish]
) -> list[float]:
    """The seconds of each loser."""
    barrier, seconds, wrong = Barrier(len(people)), list[float](), list[Exception]()

    def run(patient: Patient) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            began = perf_counter()
            try:
                _book(built, version, patient, place)
            except SlotTaken:
                seconds.append(perf_counter() - began)
        except Exception as problem:  # noqa: BLE001  a deadlock above all; raised below
            wrong.append(problem)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(patient,)) for patient in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return seconds
