"""What the database itself refuses of holds, of overlaps on purpose, and of moving what stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import transaction

from appointments.claiming import allocating
from appointments.claiming.allocating import Held, Lost
from appointments.models import Allocation, Appointment, Block, Hold
from clinic.models import Resource, Site, Staff
from clinic.periods import Period
from patients.models import Patient
from tests.appointments.test_constraints import refused

pytestmark = pytest.mark.django_db

HOUR, FIVE = timedelta(hours=1), timedelta(minutes=5)
MakeHold = Callable[..., Hold]


@pytest.fixture
def a_hold(site: Site, patient: Patient, front_desk: Staff, now: datetime) -> MakeHold:
    def make(**fields: object) -> Hold:
        values = {
            "site": site,
            "purpose": "plan",
            "patient": patient,
            "held_by": front_desk,
            "held_at": now,
            "expires_at": now + FIVE,
            **fields,
        }
        return Hold.objects.create(**values)

    return make


@pytest.mark.parametrize("length", [timedelta(), -FIVE])
def test_a_hold_runs_out_after_it_began(a_hold: MakeHold, now: datetime, length: timedelta) -> None:
    refused("hold_expires_later", lambda: a_hold(expires_at=now + length))


def test_a_hold_of_a_plan_is_for_a_patient_and_an_offer_need_not_be(a_hold: MakeHold) -> None:
    refused("hold_plan_is_for_a_patient", lambda: a_hold(patient=None))
    assert a_hold(patient=None, purpose="offer").pk


def test_who_looks_at_plans_holds_one_for_a_patient(
    a_hold: MakeHold, manager: Staff, now: datetime
) -> None:
    first = a_hold()
    refused("hold_one_plan_at_a_time", a_hold)
    assert a_hold(held_by=manager).pk
    first.released_at = now
    first.save()
    assert a_hold().pk


def test_what_a_hold_keeps_ends_with_it_and_nothing_else_ends(
    a_hold: MakeHold, room: Resource, visits: list[Appointment], now: datetime
) -> None:
    held = {"resource": room, "starts_at": now, "ends_at": now + HOUR}
    hold = a_hold()
    for owner in ({"hold": hold}, {"appointment": visits[0], "expires_at": now + FIVE}):
        refused(
            "allocation_only_holds_expire",
            partial(Allocation.objects.create, **held, **owner),
        )
    refused(
        "allocation_one_owner",
        lambda: Allocation.objects.create(
            **held, hold=hold, appointment=visits[0], expires_at=now + FIVE
        ),
    )
    assert Allocation.objects.create(**held, hold=hold, expires_at=now + FIVE).pk


def test_a_hold_keeps_others_off_like_a_visit_does(
    a_hold: MakeHold, room: Resource, visits: list[Appointment], now: datetime
) -> None:
    held = {"resource": room, "starts_at": now, "ends_at": now + HOUR}
    Allocation.objects.create(**held, hold=a_hold(), expires_at=now + FIVE)
    refused(
        "allocation_no_overlap", lambda: Allocation.objects.create(**held, appointment=visits[0])
    )


def test_who_has_not_looked_what_is_there_loses_to_it(
    a_hold: MakeHold, room: Resource, visits: list[Appointment], now: datetime
) -> None:
    visit = visits[0]
    late = Held(room.pk, Period(visit.ends_at, visit.ends_at + HOUR))
    with pytest.raises(Lost), transaction.atomic():
        allocating.hold([late], [a_hold()])
    free = Held(room.pk, Period(late.period.ends_at, late.period.ends_at + HOUR))
    allocating.hold([free], [a_hold()])


def test_only_a_visit_overlaps_on_purpose(a_hold: MakeHold, room: Resource, now: datetime) -> None:
    hold = a_hold()
    refused(
        "allocation_only_visits_overlap",
        lambda: Allocation.objects.create(
            resource=room,
            hold=hold,
            starts_at=now,
            ends_at=now + HOUR,
            expires_at=now + FIVE,
            is_deliberate=True,
        ),
    )


@pytest.fixture
def over(visits: list[Appointment]) -> Allocation:
    """The second visit, put over the first one's room on purpose."""
    below = visits[0].allocations.get(resource__kind="room")
    return Allocation.objects.create(
        resource=below.resource,
        appointment=visits[1],
        starts_at=below.starts_at + HOUR,
        ends_at=below.ends_at + HOUR,
        is_deliberate=True,
    )


def test_two_visits_may_lie_over_a_third_on_purpose(
    visits: list[Appointment], over: Allocation
) -> None:
    assert Allocation.objects.create(
        resource=over.resource,
        appointment=visits[2],
        starts_at=over.starts_at,
        ends_at=over.ends_at,
        is_deliberate=True,
    ).pk


def test_nothing_else_is_written_beside_what_lies_over_on_purpose(
    visits: list[Appointment], over: Allocation, site: Site, a_hold: MakeHold, now: datetime
) -> None:
    free = {
        "resource": over.resource,
        "starts_at": over.ends_at - FIVE,
        "ends_at": over.ends_at + HOUR,
    }
    block = Block.objects.create(
        site=site, kind="blocked", starts_at=now, ends_at=now + HOUR, created_at=now
    )
    hold = a_hold()
    for owner in (
        {"appointment": visits[2]},
        {"block": block},
        {"hold": hold, "expires_at": hold.expires_at},
    ):
        refused("put there on purpose", partial(Allocation.objects.create, **free, **owner))
    touching = free | {"starts_at": over.ends_at}
    assert Allocation.objects.create(**touching, appointment=visits[2]).pk


@pytest.mark.parametrize("field", ["active", "starts_at", "resource"])
def test_nothing_is_changed_to_lie_beside_it_either(
    visits: list[Appointment], over: Allocation, field: str, needling_device: Resource
) -> None:
    off: dict[str, object] = {
        "active": {"active": False},
        "starts_at": {"starts_at": over.ends_at, "ends_at": over.ends_at + HOUR},
        "resource": {"resource": needling_device},
    }[field]  # type: ignore[assignment]
    place = {"resource": over.resource, "starts_at": over.ends_at - FIVE, "ends_at": over.ends_at}
    row = Allocation.objects.create(**{**place, "appointment": visits[2], **off})
    back = {"active": True, **place}
    refused("put there on purpose", lambda: Allocation.objects.filter(pk=row.pk).update(**back))


def test_an_override_has_a_reason_and_a_reason_an_override(visits: list[Appointment]) -> None:
    rows = Appointment.objects.filter(pk=visits[0].pk)
    for fields in ({"overrides": ["overlap"]}, {"override_reason": "Agreed"}):
        refused("appointment_overrides_have_a_reason", partial(rows.update, **fields))
    rows.update(overrides=["overlap"], override_reason="Agreed")


@pytest.mark.parametrize("stays", ["locked", "done"])
def test_what_is_done_or_locked_keeps_its_time_for_every_writer(
    visits: list[Appointment], stays: str, other_site: Site
) -> None:
    visit = visits[0]
    rows = Appointment.objects.filter(pk=visit.pk)
    if stays == "locked":
        rows.update(is_locked=True)
    else:
        rows.update(state="done", done_at=visit.ends_at)
    for fields in (
        {"starts_at": visit.starts_at + FIVE, "ends_at": visit.ends_at + FIVE},
        {"ends_at": visit.ends_at + FIVE},
        {"site": other_site},
    ):
        refused("done or locked is never moved", partial(rows.update, **fields))
    rows.update(version=7)


def test_what_is_unlocked_or_cancelled_may_get_another_time(
    visits: list[Appointment], now: datetime
) -> None:
    visit = visits[0]
    rows = Appointment.objects.filter(pk=visit.pk)
    rows.update(is_locked=True)
    rows.update(is_locked=False, ends_at=visit.ends_at + FIVE)
    rows.update(is_locked=True)
    rows.update(state="cancelled", closed_at=now, ends_at=visit.ends_at)


def test_a_hold_that_goes_takes_what_it_keeps_along(
    a_hold: MakeHold, room: Resource, now: datetime
) -> None:
    hold = a_hold()
    row = {"resource": room, "starts_at": now, "ends_at": now + HOUR, "expires_at": now + FIVE}
    Allocation.objects.create(**row, hold=hold)
    hold.delete()
    assert not Allocation.objects.filter(resource=room, starts_at=now).exists()
