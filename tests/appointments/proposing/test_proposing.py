"""Proposed dates: inside every rule, near the ideal, and bookable as they stand."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import proposing
from appointments.absences import blocks
from appointments.finding.plans import Preference
from appointments.models import Appointment, BlockKind, SchedulingSettings, TreatmentSeries
from appointments.proposing import loading
from appointments.proposing.places import DayStarts, FoundStarts, Proposal
from appointments.visits import attendance, booking, cancelling, moving
from clinic.hours import local
from clinic.models import (
    Closure,
    Credential,
    HoursException,
    OpeningHours,
    ProtocolVersion,
    ProviderHours,
    Resource,
    Role,
    Site,
    Staff,
    TravelTime,
)
from clinic.protocols import loading as protocols
from clinic.protocols import schema
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
Propose = Callable[..., Proposal]


@pytest.fixture
def propose(house: ProtocolVersion, site: Site, patient: Patient, now: datetime) -> Propose:
    def make(sessions: int = 3, **changes: object) -> Proposal:
        wanted = {
            "patient": patient,
            "site": site,
            "version": house,
            "areas": ["face"],
            "now": now,
            "first_from": FIRST,
            **changes,
        }
        return proposing.propose_series(sessions=sessions, **wanted)  # type: ignore[arg-type]

    return make


def days(proposal: Proposal) -> list[date]:
    return [local(visit.starts_at, "America/New_York").date() for visit in proposal.visits]


def walls(proposal: Proposal) -> list[str]:
    return [f"{local(visit.starts_at, 'America/New_York'):%H:%M}" for visit in proposal.visits]


def test_a_free_calendar_gives_the_ideal_dates_at_one_time_of_day(propose: Propose) -> None:
    proposal = propose()
    assert days(proposal) == [FIRST, SECOND, THIRD]
    assert walls(proposal) == ["09:15"] * 3
    assert [visit.interval_days for visit in proposal.visits] == [None, 28, 28]
    assert proposal.visits[1].bounds.earliest == FIRST + 21 * DAY
    assert proposal.visits[1].reasons == (
        "On the ideal date.",
        "Same provider.",
        "Same time of day.",
    )


def test_a_proposal_is_booked_as_it_stands(propose: Propose, book: Book) -> None:
    series = book(*(visit.wish for visit in propose(5).visits))
    assert series.appointments.count() == 5


def test_the_first_date_is_tomorrow_unless_told(propose: Propose, now: datetime) -> None:
    assert days(propose(1, first_from=None)) == [local(now, "America/New_York").date() + DAY]


def test_preferred_weekdays_and_hours_are_followed_where_they_can_be(propose: Propose) -> None:
    fridays = Preference(weekdays=frozenset({4}), earliest=14 * 60, latest=16 * 60)
    proposal = propose(preference=fridays)
    assert {day.weekday() for day in days(proposal)} == {4}
    assert walls(proposal) == ["14:00"] * 3
    sundays = propose(preference=Preference(weekdays=frozenset({6})))
    assert len(sundays.visits) == 3
    assert "No better place on the preferred weekdays." in sundays.visits[0].reasons


def test_a_closure_on_the_ideal_date_shifts_it_inside_the_interval(
    propose: Propose, site: Site
) -> None:
    Closure.objects.create(site=site, first_day=SECOND, last_day=SECOND + 2 * DAY, reason="Easter")
    proposal = propose(2)
    # Later costs less than earlier, but Sunday is closed as well: the day before is nearest.
    assert days(proposal)[1] == SECOND - DAY
    assert proposal.visits[1].reasons[0] == "1 day before the ideal date, Thu 1 Apr."


def test_the_same_provider_is_kept_over_an_earlier_start(
    propose: Propose, site: Site, house: ProtocolVersion, treatment_provider: Resource
) -> None:
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    ProviderHours.objects.filter(provider=treatment_provider).update(starts=13 * 60)
    assert {visit.provider for visit in propose(provider=treatment_provider).visits} == {
        treatment_provider
    }
    assert {visit.provider for visit in propose().visits} == {other}


def test_a_credential_that_ends_during_the_series_hands_over(
    propose: Propose, site: Site, house: ProtocolVersion, treatment_provider: Resource
) -> None:
    Credential.objects.filter(provider=treatment_provider).update(valid_until=FIRST + 30 * DAY)
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    Credential.objects.filter(provider=other).update(valid_from=FIRST + 31 * DAY)
    proposal = propose()
    assert [visit.provider for visit in proposal.visits] == [
        treatment_provider,
        treatment_provider,
        other,
    ]
    assert "Another provider than at the visit before." in proposal.visits[2].reasons


def test_a_nearest_date_that_leads_nowhere_is_left_for_one_that_does_not(
    propose: Propose, site: Site, room: Resource, manager: Staff, now: datetime
) -> None:
    # Closed from the earliest to the latest date that would follow the ideal second session.
    free_again = SECOND + 43 * DAY
    Closure.objects.create(
        site=site, first_day=SECOND + 15 * DAY, last_day=free_again - DAY, reason="Renovation"
    )
    proposal = propose()
    assert proposal.problem is None
    second, third = days(proposal)[1:]
    assert SECOND < second <= FIRST + 42 * DAY
    assert 21 <= (third - second).days <= 42
    assert third >= free_again


def test_where_nothing_fits_the_session_its_dates_and_the_reason_are_named(
    propose: Propose, site: Site, room: Resource, manager: Staff, now: datetime
) -> None:
    blocks.block(
        site=site,
        resources=[room],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST + DAY, "00:00"),
        ends_at=at(FIRST + 300 * DAY, "00:00"),
        by=manager,
        now=now,
    )
    problem = propose(2).problem
    assert problem is not None
    assert (problem.session, problem.binding) == (2, "room")
    assert problem.sentence == (
        "Session 2 finds no place between Thu 25 Mar and Thu 15 Apr:"
        " no room of the right kind is free long enough."
    )


def test_a_missing_kind_of_resource_is_named(propose: Propose, needling_device: Resource) -> None:
    Resource.objects.filter(pk=needling_device.pk).update(is_active=False)
    problem = propose(1).problem
    assert problem is not None
    assert problem.sentence.endswith("Harbour Skin Clinic has no suitable device.")


def test_other_treatments_of_the_patient_keep_their_distance(
    propose: Propose, series: TreatmentSeries
) -> None:
    proposal = propose(1)
    (first,) = days(proposal)
    # 21 days after the third session: every earlier date is too near to one of the three.
    assert first == THIRD + 21 * DAY
    late, near = proposal.plans[0].visits[0].reasons
    assert "after the ideal date" in late
    assert "is too near to RF microneedling on" in near


def test_the_next_visit_follows_the_last_one(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    proposal = proposing.propose_next(series=series, now=now)
    (next_visit,) = proposal.visits
    assert (next_visit.session, next_visit.interval_days) == (3, 28)
    assert next_visit.starts_at == visits[2].starts_at
    assert next_visit.reasons[1:] == ("Same provider.", "Same time of day.")


def test_an_overdue_next_visit_is_proposed_from_today(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    for visit in visits[1:]:
        cancelling.cancel(appointment=visit, by=front_desk, now=now)
    late = at(FIRST + 60 * DAY, "08:00")
    proposal = proposing.propose_next(series=series, now=late)
    assert days(proposal) == [FIRST + 60 * DAY]


def test_a_cancelled_session_in_the_middle_is_proposed_between_its_neighbours(
    series: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    manager: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    (between,) = proposing.propose_next(series=series, now=now).visits
    assert (between.session, between.starts_at) == (2, visits[1].starts_at)
    assert (between.bounds.earliest, between.bounds.latest) == (
        FIRST + 21 * DAY,
        THIRD - 21 * DAY,
    )
    assert booking.add_visit(series=series, visit=between.wish, by=front_desk, now=now).session == 2


def test_a_session_between_neighbours_too_near_to_each_other_has_no_date(
    series: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[1], by=front_desk, now=now)
    moving.move(
        appointment=visits[2],
        starts_at=at(FIRST + 30 * DAY, "10:00"),
        by=front_desk,
        now=now,
    )
    problem = proposing.propose_next(series=series, now=now).problem
    assert problem is not None
    assert (problem.session, problem.binding) == (2, "interval")


# --- One day --------------------------------------------------------------------------------------


def test_the_free_starts_of_a_day_are_all_bookable(
    book: Book,
    wish: Wish,
    series: TreatmentSeries,
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    other = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
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
    front_desk: Staff,
    manager: Staff,
    room: Resource,
    now: datetime,
) -> None:
    other = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")

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


def test_the_number_of_queries_does_not_grow_with_the_plan(
    propose: Propose, house: ProtocolVersion, site: Site
) -> None:
    def queries(sessions: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            propose(sessions)
        return len(captured)

    propose(1)
    few = queries(1)
    for number in range(4):
        provider_resource(site, staff_at(site, Role.PROVIDER, f"Kim {number}"), house.modality)
        Resource.objects.create(kind="room", name=f"R{number}", site=site, room_kind="treatment")
    assert queries(5) == few == 3


def test_five_plans_differ_and_each_can_be_booked(
    propose: Propose, book: Book, site: Site, front_desk: Staff, now: datetime
) -> None:
    for number in range(5):
        plans = propose(4).plans
        assert len(plans) == 5
        one = a_patient(
            site, front_desk, now, given=f"P{number}", phone="", email=f"p{number}@p.example"
        )
        # Each time another rank, on what the ones before have left.
        booked = book(*(visit.wish for visit in plans[number].visits), patient=one)
        assert booked.appointments.count() == 4


def test_the_loaded_resources_are_the_eligible_ones(
    house: ProtocolVersion, site: Site, other_site: Site, patient: Patient, now: datetime
) -> None:
    stranger = provider_resource(
        other_site, staff_at(other_site, Role.PROVIDER, "Kim"), house.modality
    )
    HoursException.objects.create(site=site, provider=stranger, day=FIRST, starts=600, ends=900)
    unlicensed = provider_resource(site, staff_at(site, Role.PROVIDER, "Lou"), house.modality)
    Credential.objects.filter(provider=unlicensed).delete()
    Resource.objects.create(kind="room", name="L", site=site, room_kind="laser")
    Resource.objects.create(kind="room", name="Far", site=other_site, room_kind="treatment")
    Resource.objects.create(
        kind="device", name="Old", site=site, modality=house.modality, is_active=False
    )
    loaded = loading.load(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        first_day=FIRST,
        last_day=FIRST,
        now=now,
    )
    eligible = Resource.objects.filter(
        loading.eligible_at(site, protocols.get(house)), is_active=True
    )
    assert set(loaded.resources) == set(eligible.values_list("pk", flat=True))
    assert stranger.pk in loaded.resources and unlicensed.pk not in loaded.resources
    assert len(loaded.resources) == 4


def test_weights_of_the_site_rank_the_plans(
    propose: Propose,
    site: Site,
    house: ProtocolVersion,
    treatment_provider: Resource,
    manager: Staff,
    now: datetime,
) -> None:
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    # One is away around the ideal second date, the other one works on that date only.
    blocks.block(
        site=site,
        resources=[treatment_provider],
        kind=BlockKind.TIME_OFF,
        starts_at=at(SECOND - 3 * DAY, "00:00"),
        ends_at=at(SECOND + 6 * DAY, "00:00"),
        by=manager,
        now=now,
    )
    ProviderHours.objects.filter(provider=other).delete()
    HoursException.objects.create(site=site, provider=other, day=SECOND, starts=600, ends=900)
    assert {visit.provider for visit in propose(2).visits} == {treatment_provider}
    SchedulingSettings.objects.create(site=site, other_provider=1)
    assert [visit.provider for visit in propose(2).visits] == [treatment_provider, other]


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


def test_a_patient_with_a_visit_at_another_site_needs_the_time_to_get_here(
    house: ProtocolVersion,
    site: Site,
    other_site: Site,
    patient: Patient,
    visits: list[Appointment],
    now: datetime,
) -> None:
    # At the other site from 10:00 to 11:35 by the clock of this one.
    Appointment.objects.filter(pk=visits[0].pk).update(site=other_site)
    visits[0].allocations.update(active=False)
    low, high = sorted((site.pk, other_site.pk))
    TravelTime.objects.create(site_id=low, other_id=high, minutes=60)
    found = proposing.free_starts(
        patient=patient, site=site, version=house, areas=["hands"], day=FIRST, now=now
    )
    starts = [local(place.starts_at, site.zone) for place in found.places]
    assert f"{min(starts):%H:%M}" == "12:45"


def test_a_problem_says_until_when_and_what_would_help(
    propose: Propose, needling_device: Resource, site: Site, manager: Staff, now: datetime
) -> None:
    blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST + 1 * DAY, "00:00"),
        ends_at=at(FIRST + 100 * DAY, "00:00"),
        reason="Handpiece sent in",
        by=manager,
        now=now,
    )
    problem = propose(2, first_from=FIRST).problem
    assert problem is not None
    assert (problem.session, problem.binding) == (2, "device")
    assert problem.until == at(FIRST + 100 * DAY, "09:15")
    assert problem.sentence.endswith(
        f" {needling_device.name} is blocked from Fri 5 Mar 00:00 to Sat 12 Jun 00:00"
        " (Handpiece sent in). A device is free from Sat 12 Jun 09:15."
    )
    assert [each.kind for each in problem.relaxations] == ["interval", "waitlist"]
    assert problem.relaxations[0].day == FIRST + 100 * DAY


def test_a_missed_visit_keeps_its_place(
    visits: list[Appointment], house: ProtocolVersion, site: Site, front_desk: Staff, now: datetime
) -> None:
    attendance.no_show(appointment=visits[0], by=front_desk, now=visits[0].starts_at)
    other = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    free = proposing.free_starts(
        patient=other, site=site, version=house, areas=["face"], day=FIRST, now=now
    )
    assert visits[0].starts_at not in [place.starts_at for place in free.places]


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


def test_a_service_without_an_interval_takes_the_days_that_follow(
    propose: Propose, house: ProtocolVersion, manager: Staff, now: datetime
) -> None:
    facial = protocols.create_service(
        id="facial",
        name=schema.Text("Facial", "Facial"),
        modality=house.modality_id,
        code="FA",
        minutes=30,
        room_kind="treatment",
        by=manager,
        now=now,
    )
    proposal = propose(2, version=facial, areas=["visit"])
    assert days(proposal) == [FIRST, FIRST + DAY]
    assert [visit.device for visit in proposal.visits] == [None, None]
