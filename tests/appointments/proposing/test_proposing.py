"""Proposed dates: inside every rule, near the ideal, and bookable as they stand."""

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import proposing
from appointments.absences import blocks
from appointments.finding.plans import Preference
from appointments.models import Appointment, BlockKind, SchedulingSettings
from appointments.proposing import loading
from clinic.models import (
    Closure,
    Credential,
    HoursException,
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
from clinic.wall_time import local
from patients.models import Patient
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, at
from tests.appointments.proposing.conftest import DAY, Propose, days, walls
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db


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
