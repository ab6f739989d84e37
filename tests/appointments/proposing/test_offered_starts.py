"""What is offered can be booked, and what was booked is offered no more: on the database itself."""

from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments import proposing
from appointments.absences import blocks
from appointments.finding.needs import need_of
from appointments.models import BlockKind
from appointments.proposing.places import Place
from appointments.refusals import SlotTaken
from clinic.models import HoursException, ProtocolVersion, Resource, Role, Site, Staff
from clinic.protocols import loading as protocols
from patients.models import Patient
from tests.appointments.conftest import FIRST, Book, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db

# The last day of winter time, the Sunday on which the clocks go forward, and days around them.
DAYS = [FIRST + timedelta(days=n) for n in range(8, 13)]


@pytest.fixture
def two_of_each(house: ProtocolVersion, site: Site) -> list[Resource]:
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    HoursException.objects.create(site=site, day=date(2027, 3, 14), starts=60, ends=240)
    for provider in Resource.objects.filter(kind="provider"):
        HoursException.objects.create(
            site=site, provider=provider, day=date(2027, 3, 14), starts=0, ends=600
        )
    room = Resource.objects.create(kind="room", name="R2", site=site, room_kind="treatment")
    return [other, room, *Resource.objects.exclude(kind="patient").filter(site=site)]


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_every_offered_start_can_be_booked_and_takes_all_that_overlap_it(
    data: st.DataObject,
    two_of_each: list[Resource],
    house: ProtocolVersion,
    site: Site,
    patient: Patient,
    front_desk: Staff,
    manager: Staff,
    book: Book,
    now: datetime,
) -> None:
    with transaction.atomic():
        day = data.draw(st.sampled_from(DAYS))
        for _ in range(data.draw(st.integers(0, 3))):
            resource = data.draw(st.sampled_from(two_of_each))
            hour, minutes = data.draw(st.integers(1, 17)), data.draw(st.integers(5, 240))
            _take(site, resource, at(day, f"{hour:02}:05"), minutes, manager, now)

        def offered() -> tuple[Place, ...]:
            return proposing.free_starts(
                patient=patient, site=site, version=house, areas=["face"], day=day, now=now
            ).places

        places = offered()
        if places:
            place = data.draw(st.sampled_from(places))
            other = a_patient(site, front_desk, now, given="Ola", phone="", email="ola@p.example")
            booked = book(place.wish, patient=other).appointments.get()
            need = need_of(protocols.get(house), ["face"])
            held = {each.resource_id: each for each in booked.allocations.all()}
            for left in offered():
                for resource in filter(None, (left.provider, left.room, left.device)):
                    wanted = need.held(resource.kind, left.starts_at)
                    mine = held.get(resource.pk)
                    assert mine is None or (
                        wanted.ends_at <= mine.starts_at or mine.ends_at <= wanted.starts_at
                    )
        transaction.set_rollback(True)


def _take(
    site: Site, resource: Resource, starts_at: datetime, minutes: int, by: Staff, now: datetime
) -> None:
    try:
        with transaction.atomic():
            blocks.block(
                site=site,
                resources=[resource],
                kind=BlockKind.BLOCKED,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=minutes - minutes % 5),
                by=by,
                now=now,
            )
    except SlotTaken:
        return  # drawn over one that is there already
