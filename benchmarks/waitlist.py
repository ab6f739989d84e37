"""Who of the wait-list could have a gap, with few and with many who wait, in a year that is booked.

Half of them wait for a first visit, half to come earlier than a visit of their series; their
wishes differ. Only so many are looked at: thousands who wait take hardly longer than hundreds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from random import Random

from appointments.lifecycle import State
from appointments.models import Appointment, Gap, TreatmentSeries, WaitlistEntry
from appointments.proposing import loading
from appointments.visits import booking, cancelling
from appointments.waitlist import matching
from benchmarks import calendars, house, scheduling
from benchmarks.figures import Figure, milliseconds, p50
from benchmarks.house import NOW, House
from clinic.models import ProtocolVersion, Resource, ResourceKind
from clinic.wall_time import local
from patients.models import Patient

GROUP = "waitlist"
FEW, MANY, TIMES = 500, 5_000, 30
# Times what it takes beside the few.
MOST = 1.5


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    step("a year that is booked")
    built = house.build()
    version = house.version_of(built, calendars.S1.session, calendars.S1.buffer)
    calendars.fill(built, calendars.S1)
    [patient] = house.patients(built, 1)
    gap = _gap(built, version, patient)
    day = local(gap.starts_at, built.site.zone).date()
    load = partial(
        loading.load,
        patient=patient,
        site=built.site,
        version=version,
        areas=["face"],
        first_day=day,
        last_day=day,
        now=NOW,
    )
    random = Random(1)
    match = partial(matching.matches_of, gap=gap, now=NOW)
    step(f"{FEW:,} wait")
    _wait(built, version, FEW, random)
    assert match().matches
    # In turn, so that what else the machine does falls on both alike.
    turns = [(milliseconds(load, times=1), milliseconds(match, times=1)) for _ in range(TIMES)]
    floor, few = (p50([each for [each] in both]) for both in zip(*turns, strict=True))
    yield Figure(GROUP, f"who could have a gap, {FEW:,} wait, p50", few, "ms", floor)
    step(f"{MANY:,} wait")
    _wait(built, version, MANY - FEW, random)
    assert match().matches
    many = p50(milliseconds(match, times=TIMES))
    yield Figure(GROUP, f"who could have a gap, {MANY:,} wait, p50", many, "ms", few, MOST)


def _gap(built: House, version: ProtocolVersion, patient: Patient) -> Gap:
    """The place of a visit in three weeks that was cancelled."""
    [wish] = scheduling.plan(built, version, patient, NOW.date() + timedelta(days=21))[:1]
    series = booking.book_series(
        patient=patient,
        site=built.site,
        version=version,
        areas=["face"],
        visits=[wish],
        by=built.desk,
        now=NOW,
    )
    cancelling.cancel(appointment=series.appointments.get(), by=built.desk, now=NOW)
    return Gap.objects.get()


def _wait(built: House, version: ProtocolVersion, count: int, random: Random) -> None:
    """So many more who wait, each second one for an earlier visit."""
    people = _people(count)
    series = TreatmentSeries.objects.bulk_create(
        TreatmentSeries(
            patient=patient,
            site=built.site,
            protocol_version=version,
            areas=["face"],
            sessions=3,
            booked_at=NOW,
        )
        for patient in people[::2]
    )
    visits = Appointment.objects.bulk_create(
        Appointment(
            series=each,
            site=built.site,
            protocol_version=version,
            session=session,
            state=State.BOOKED,
            starts_at=first + (session - 1) * timedelta(days=28),
            ends_at=first + (session - 1) * timedelta(days=28) + timedelta(minutes=45),
            booked_at=NOW,
            scheduled_at=NOW,
        )
        for each in series
        for first in [NOW + timedelta(days=random.randint(25, 60))]
        for session in (1, 2, 3)
    )
    firsts = {visit.series_id: visit for visit in visits if visit.session == 1}
    treated = {each.patient_id: each for each in series}
    WaitlistEntry.objects.bulk_create(
        _entry(built, version, patient, treated.get(patient.pk), firsts, random)
        for patient in people
    )
    calendars.settle()


def _entry(
    built: House,
    version: ProtocolVersion,
    patient: Patient,
    series: TreatmentSeries | None,
    firsts: dict[int, Appointment],
    random: Random,
) -> WaitlistEntry:
    visit = firsts[series.pk] if series else None
    return WaitlistEntry(
        site=built.site,
        patient=patient,
        protocol_version=version,
        areas=["face"],
        series=series,
        appointment=visit,
        asked_start=visit.starts_at if visit else None,
        weekdays=random.choice([[], [], [0, 1], [2, 3, 4]]),
        earliest=random.choice([0, 0, 12 * 60]),
        priority=random.choice([0, 0, 0, 5]),
        created_at=_some_time_ago(random),
    )


def _some_time_ago(random: Random) -> datetime:
    return NOW - timedelta(days=random.randint(1, 90))


def _people(count: int) -> list[Patient]:
    resources = Resource.objects.bulk_create(
        Resource(kind=ResourceKind.PATIENT, name="") for _ in range(count)
    )
    return Patient.objects.bulk_create(
        Patient(
            legal_given="Pat",
            legal_family="Waits",
            birth_date=NOW.date() - timedelta(days=12_000),
            resource=resource,
            created_at=NOW,
        )
        for resource in resources
    )
