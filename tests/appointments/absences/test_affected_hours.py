"""Visits that exceptional hours cut off: they are work like those under a block."""

from datetime import date, datetime

import pytest

from appointments.absences import affected, relocating
from appointments.models import Appointment
from clinic import exceptional_hours
from clinic.models import HoursException, Resource, Role, Site, Staff
from tests.appointments.conftest import FIRST, SECOND
from tests.personas import provider_resource, staff_at

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stretches", "is_cut"),
    [
        ([], True),
        ([(540, 660)], True),  # the visit ends after eleven
        ([(630, 1080)], True),
        ([(540, 1080)], False),
        ([(540, 720), (780, 1080)], False),
    ],
)
@pytest.mark.parametrize("of_provider", [False, True])
def test_a_visit_outside_the_hours_of_its_day_is_work(
    visits: list[Appointment],
    site: Site,
    treatment_provider: Resource,
    manager: Staff,
    now: datetime,
    stretches: list[tuple[int, int]],
    is_cut: bool,
    of_provider: bool,
) -> None:
    made = exceptional_hours.set_day(
        site=site,
        day=FIRST,
        stretches=stretches,
        provider=treatment_provider if of_provider else None,
        by=manager,
        now=now,
    )
    assert affected.of_exception(made[0], now=now) == (visits[:1] if is_cut else [])
    assert affected.by_hours(site, SECOND, now=now) == []
    exceptional_hours.clear_day(exception=made[0], by=manager, now=now)
    assert affected.by_hours(site, FIRST, now=now) == []


def test_another_providers_hours_cut_off_nobody(
    visits: list[Appointment], site: Site, house: object, manager: Staff, now: datetime
) -> None:
    other = provider_resource(
        site, staff_at(site, Role.PROVIDER, "Kim Lee"), visits[0].protocol_version.modality
    )
    (made,) = exceptional_hours.set_day(
        site=site, day=FIRST, stretches=[], provider=other, by=manager, now=now
    )
    assert affected.of_exception(made, now=now) == []


def test_a_visit_that_is_cut_off_is_moved_like_one_under_a_block(
    visits: list[Appointment], site: Site, manager: Staff, front_desk: Staff, now: datetime
) -> None:
    (made,) = exceptional_hours.set_day(
        site=site, day=FIRST, stretches=[(720, 1080)], by=manager, now=now, reason="Inspection"
    )
    (found,) = relocating.propose(visits=affected.of_exception(made, now=now), now=now)
    (line,) = found.lines
    assert line.after.starts_at.astimezone().date() == FIRST
    done = relocating.relocate(
        moves=[line.move], visits=affected.of_exception(made, now=now), by=front_desk, now=now
    )
    assert [visit.pk for visit in done.moved] == [visits[0].pk]
    assert affected.of_exception(made, now=now) == []
    assert HoursException.objects.get().day == date(2027, 3, 4)
