"""The starts of one day or week, and what is said where there is none."""

from datetime import date, datetime

import pytest

from appointments import proposing
from appointments.absences import blocks
from appointments.models import Appointment, BlockKind, TreatmentSeries
from appointments.proposing.places import DayStarts, FoundStarts
from appointments.visits import cancelling
from clinic.models import (
    Closure,
    HoursException,
    OpeningHours,
    ProtocolVersion,
    ProviderHours,
    Resource,
    Site,
    Staff,
)
from clinic.wall_time import local
from patients.models import Patient
from tests.appointments.conftest import FIRST, Book, Wish, at
from tests.appointments.proposing.conftest import DAY, Propose

pytestmark = pytest.mark.django_db


def test_the_free_starts_of_a_day_are_all_bookable(
    book: Book,
    wish: Wish,
    series: TreatmentSeries,
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    now: datetime,
    other: Patient,
) -> None:
    free = proposing.free_starts(
        patient=other, site=site, version=house, areas=["face"], day=FIRST, now=now
    )
    shown = [f"{local(place.starts_at, site.zone):%H:%M}" for place in free.places]
    assert (shown[0], shown[-1], len(shown)) == ("12:00", "16:00", 17)
    for place in free.places:
        booked = book(place.wish, patient=other)
        cancelling.cancel(appointment=booked.appointments.get(), by=front_desk, now=now)


def test_a_visit_that_moves_sees_its_own_place_as_free(
    visits: list[Appointment], house: ProtocolVersion, site: Site, patient: Patient, now: datetime
) -> None:
    free = proposing.free_starts(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        day=FIRST,
        now=now,
        moving=visits[0],
    )
    assert at(FIRST, "10:15") in [place.starts_at for place in free.places]


def test_a_day_without_starts_says_why(
    visits: list[Appointment],
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    manager: Staff,
    room: Resource,
    now: datetime,
    other: Patient,
) -> None:

    def why(day: date, who: Patient = other) -> str:
        return proposing.free_starts(
            patient=who, site=site, version=house, areas=["face"], day=day, now=now
        ).sentence

    assert why(date(2027, 3, 7)) == "Harbour Skin Clinic is closed on Sun 7 Mar."
    assert "too near to RF microneedling" in why(FIRST, patient)
    assert why(date(2027, 2, 13), patient) == "It is too late for Sat 13 Feb. Choose a later day."
    blocks.block(
        site=site,
        resources=[room],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST + DAY, "08:00"),
        ends_at=at(FIRST + DAY, "19:00"),
        by=manager,
        now=now,
    )
    assert why(FIRST + DAY) == (
        "On Fri 5 Mar no room of the right kind is free long enough."
        " A room is free from Sat 6 Mar 09:15."
    )
    assert why(FIRST) == ""


def test_the_first_starts_come_in_order(
    house: ProtocolVersion, site: Site, patient: Patient, now: datetime
) -> None:
    found = proposing.search_starts(
        patient=patient, site=site, version=house, areas=["face"], now=now, limit=40
    )
    starts = [place.starts_at for place in found.places]
    assert starts == sorted(starts)
    assert (len(starts), starts[0] >= now) == (40, True)


def test_where_no_day_has_a_start_what_binds_is_told_and_until_when(
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    manager: Staff,
    needling_device: Resource,
    now: datetime,
) -> None:
    free_again = FIRST + 120 * DAY
    blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST, "00:00"),
        ends_at=at(free_again, "12:00"),
        by=manager,
        now=now,
    )

    def search(**when: object) -> FoundStarts:
        return proposing.search_starts(
            patient=patient,
            site=site,
            version=house,
            areas=["face"],
            now=now,
            **when,  # type: ignore[arg-type]
        )

    for found, between in (
        (search(first_from=FIRST), "Between Thu 4 Mar and Wed 2 Jun"),
        (search(near=at(FIRST + 30 * DAY, "10:00")), "Between Sat 27 Mar and Sat 10 Apr"),
    ):
        assert (found.places, found.binding) == ((), "device")
        assert found.sentence.startswith(f"{between} no device is free long enough.")
    assert search(first_from=FIRST + 20 * DAY).until == at(free_again, "12:15")
    near = search(near=at(free_again, "15:00"), limit=2)
    assert [place.starts_at for place in near.places] == [
        at(free_again, "15:00"),
        at(free_again, "14:45"),
    ]


@pytest.mark.parametrize(
    ("blocked", "first"),
    [
        (None, at(FIRST, "16:00")),
        ((at(FIRST, "00:00"), at(FIRST + DAY, "12:00")), at(FIRST + DAY, "12:15")),
        # Three starts the day before are found first, and lie farther off than those after.
        ((at(FIRST - DAY, "12:00"), at(FIRST + 2 * DAY, "00:00")), at(FIRST + 2 * DAY, "09:15")),
        (
            (at(FIRST - 2 * DAY, "00:00"), at(FIRST + 4 * DAY, "12:00")),
            at(FIRST - 3 * DAY, "16:00"),
        ),
    ],
)
def test_the_nearest_starts_of_a_week_are_found_wherever_they_lie(
    blocked: tuple[datetime, datetime] | None,
    first: datetime,
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    manager: Staff,
    needling_device: Resource,
    now: datetime,
) -> None:
    if blocked:
        blocks.block(
            site=site,
            resources=[needling_device],
            kind=BlockKind.MAINTENANCE,
            starts_at=blocked[0],
            ends_at=blocked[1],
            by=manager,
            now=now,
        )
    asked = {"patient": patient, "site": site, "version": house, "areas": ["face"], "now": now}
    near = at(FIRST, "23:45")
    whole = proposing.search_starts(**asked, near=near, limit=3)  # type: ignore[arg-type]
    found = proposing.nearest_starts(**asked, near=near)  # type: ignore[arg-type]
    assert tuple(found) == whole.places
    assert found[0].starts_at == first


def test_a_day_with_other_hours_is_planned_by_them(
    house: ProtocolVersion, site: Site, patient: Patient, now: datetime
) -> None:
    HoursException.objects.create(site=site, day=FIRST, starts=840, ends=965, reason="Training")

    def on_the_day() -> DayStarts:
        return proposing.free_starts(
            patient=patient, site=site, version=house, areas=["face"], day=FIRST, now=now
        )

    assert [f"{local(p.starts_at, site.zone):%H:%M}" for p in on_the_day().places] == ["14:15"]
    HoursException.objects.filter(site=site).update(starts=None, ends=None)
    closed = on_the_day()
    assert closed.sentence == "Harbour Skin Clinic is closed on Thu 4 Mar (Training)."
    assert closed.binding == "site"


def test_what_was_said_of_days_with_less_time_is_said_where_nobody_is_free(
    propose: Propose,
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    treatment_provider: Resource,
    now: datetime,
) -> None:
    def other_hours(provider: Resource | None, day: date, reason: str, *, whole: bool) -> None:
        HoursException.objects.create(
            site=site,
            provider=provider,
            day=day,
            starts=None if whole else 0,
            ends=None if whole else 1440,
            reason=reason,
        )

    # Longer hours are no cause, nor is less time of which nobody said why.
    other_hours(treatment_provider, FIRST - DAY, "Late shift", whole=False)
    other_hours(treatment_provider, FIRST, "Congress", whole=True)
    other_hours(treatment_provider, FIRST + DAY, "Congress", whole=True)
    other_hours(treatment_provider, FIRST + 2 * DAY, "", whole=True)

    def why(day: date) -> str:
        return proposing.free_starts(
            patient=patient, site=site, version=house, areas=["face"], day=day, now=now
        ).sentence

    nobody = "no provider with a valid credential is free long enough."
    assert why(FIRST) == (
        f"On Thu 4 Mar {nobody} Sam Okafor does not work on Thu 4 Mar (Congress)."
        " A provider is free from Mon 8 Mar 09:15."
    )
    assert why(FIRST + 2 * DAY) == (
        f"On Sat 6 Mar {nobody} A provider is free from Mon 8 Mar 09:15."
    )
    Closure.objects.create(
        site=site, first_day=FIRST + 3 * DAY, last_day=FIRST + 200 * DAY, reason="Water damage"
    )
    problem = propose(1, first_from=FIRST).problem
    assert problem is not None and problem.binding == "provider"
    assert (
        " Harbour Skin Clinic is closed from Sun 7 Mar to Wed 2 Jun (Water damage)."
        " Sam Okafor does not work from Thu 4 Mar to Fri 5 Mar (Congress)."
    ) in problem.sentence
    closed = propose(1, first_from=FIRST + 10 * DAY).problem
    assert closed is not None and closed.binding == "site"
    assert closed.sentence == (
        "Session 1 finds no place between Sun 14 Mar and Sat 12 Jun: the site is closed."
        " Harbour Skin Clinic is closed from Sun 14 Mar to Sat 12 Jun (Water damage)."
    )


def test_a_night_on_which_the_clocks_go_forward_is_an_hour_shorter(
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    treatment_provider: Resource,
    book: Book,
    now: datetime,
) -> None:
    sunday = date(2027, 3, 14)
    OpeningHours.objects.create(site=site, weekday=6, opens=0, closes=5 * 60)
    ProviderHours.objects.create(
        provider=treatment_provider, site=site, weekday=6, starts=0, ends=5 * 60
    )
    free = proposing.free_starts(
        patient=patient, site=site, version=house, areas=["face"], day=sunday, now=now
    )
    shown = [f"{local(place.starts_at, site.zone):%H:%M}" for place in free.places]
    # Four hours: 5 minutes of set-up, 95 of treatment, 15 of clean-up; nothing at 02:xx.
    assert (shown[0], shown[-1]) == ("00:15", "03:00")
    assert not any(wall.startswith("02") for wall in shown)
    visit = book(free.places[-2].wish).appointments.get()
    assert visit.starts_at == at(sunday, "01:45")
    assert local(visit.ends_at, site.zone) == local(at(sunday, "04:20"), site.zone)
