"""What the database itself refuses, whoever writes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from appointments.models import (
    Allocation,
    Appointment,
    Block,
    PatientLink,
    StatusChange,
    Task,
    TreatmentSeries,
)
from clinic.models import Resource, Site
from patients.models import Patient

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def refused(name: str, write: Callable[[], object]) -> None:
    """`write` must break exactly the constraint of that name."""
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()


@pytest.mark.parametrize("kind", ["provider", "room", "device", "patient"])
@pytest.mark.parametrize("shift", [-60, -5, 0, 5, 60])
def test_no_resource_and_no_patient_is_in_two_places(
    visits: list[Appointment], kind: str, shift: int
) -> None:
    held = visits[0].allocations.get(resource__kind=kind)

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO appointments_allocation"
                " (resource_id, appointment_id, starts_at, ends_at, active)"
                " VALUES (%s, %s, %s, %s, true)",
                [
                    held.resource_id,
                    visits[1].pk,
                    held.starts_at + timedelta(minutes=shift),
                    held.ends_at + timedelta(minutes=shift),
                ],
            )

    refused("allocation_no_overlap", insert)


def test_touching_and_released_allocations_do_not_collide(visits: list[Appointment]) -> None:
    held = visits[0].allocations.get(resource__kind="room")
    Allocation.objects.create(
        resource=held.resource,
        appointment=visits[1],
        starts_at=held.ends_at,
        ends_at=held.ends_at + HOUR,
    )
    Allocation.objects.create(
        resource=held.resource,
        appointment=visits[1],
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        active=False,
    )
    assert held.resource.allocations.filter(active=True).count() == 4


def test_an_allocation_has_a_length_a_resource_and_one_owner(
    visits: list[Appointment], site: Site, room: Resource, now: datetime
) -> None:
    block = Block.objects.create(
        site=site, kind="blocked", starts_at=now, ends_at=now + HOUR, created_at=now
    )

    def write(**fields: object) -> Callable[[], object]:
        values = {"resource": room, "starts_at": now, "ends_at": now + HOUR, **fields}
        return lambda: Allocation.objects.create(**values)

    visit = visits[0]
    refused("allocation_in_order", write(appointment=visit, ends_at=now))
    refused("allocation_one_owner", write())
    refused("allocation_one_owner", write(appointment=visit, block=block))
    refused("resource_id", write(appointment=visit, resource=None))


def test_a_session_has_one_standing_visit(visits: list[Appointment]) -> None:
    refused(
        "appointment_session_once",
        lambda: Appointment.objects.filter(pk=visits[1].pk).update(session=1),
    )


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("appointment_in_order", {"ends_at": datetime.fromisoformat("2020-01-01T00:00Z")}),
        ("appointment_state_known", {"state": "lost"}),
        ("appointment_done_when_done", {"state": "done"}),
        ("appointment_done_when_done", {"done_at": datetime.fromisoformat("2027-03-04T16:00Z")}),
        ("appointment_closed_when_closed", {"state": "cancelled"}),
        (
            "appointment_closed_when_closed",
            {"closed_at": datetime.fromisoformat("2027-03-04T16:00Z")},
        ),
    ],
)
def test_a_visit_is_whole(
    visits: list[Appointment], constraint: str, fields: dict[str, object]
) -> None:
    rows = Appointment.objects.filter(pk=visits[0].pk)
    refused(constraint, lambda: rows.update(**fields))


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("series_sessions", {"sessions": 0}),
        ("series_sessions", {"sessions": 13}),
        ("series_closed_whole", {"state": "ended"}),
    ],
)
def test_a_series_is_whole(
    series: TreatmentSeries, constraint: str, fields: dict[str, object]
) -> None:
    rows = TreatmentSeries.objects.filter(pk=series.pk)
    refused(constraint, lambda: rows.update(**fields))


def test_history_is_never_changed_and_an_undo_names_its_act(
    visits: list[Appointment], now: datetime
) -> None:
    change = visits[0].history.get()
    for write in (
        lambda: StatusChange.objects.filter(pk=change.pk).update(reason="Other"),
        lambda: StatusChange.objects.filter(pk=change.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
    common = {
        "appointment": visits[0],
        "at": now,
        "state_after": "booked",
        "starts_after": visits[0].starts_at,
    }
    refused(
        "status_change_undo_names_its_act",
        lambda: StatusChange.objects.create(move="undo", **common),
    )
    for constraint, fields in (
        ("status_change_knows_the_whole_time", {"starts_before": now}),
        ("status_change_knows_the_whole_time", {"starts_before": now, "ends_before": now}),
        ("status_change_overrides_have_a_reason", {"overrides": ["overlap"]}),
        ("status_change_overrides_have_a_reason", {"override_reason": "Why"}),
        ("status_change_staff_leave_a_cancellation_untold", {"is_untold": True}),
    ):
        refused(
            constraint,
            lambda fields=fields: StatusChange.objects.create(move="move", **common, **fields),  # type: ignore[misc]
        )
    StatusChange.objects.create(move="undo", undoes=change, **common)
    refused(
        "undoes_id",
        lambda: StatusChange.objects.create(move="undo", undoes=change, **common),
    )


def test_a_task_is_closed_with_its_outcome(patient: Patient, site: Site, now: datetime) -> None:
    task = Task.objects.create(
        key="call:1",
        site=site,
        patient=patient,
        kind="call",
        title="Call",
        due_at=now,
        created_at=now,
    )
    refused(
        "task_closed_with_outcome", lambda: Task.objects.filter(pk=task.pk).update(closed_at=now)
    )


def test_a_link_expires_after_it_was_made(patient: Patient, now: datetime) -> None:
    refused(
        "link_expires_later",
        lambda: PatientLink.objects.create(
            token_digest="0" * 64, purpose="care", patient=patient, created_at=now, expires_at=now
        ),
    )
