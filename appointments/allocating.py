"""Every write to allocations: the recipe that gives one winner and no deadlock.

Lock the resource rows in order of id, then insert in order of resource and time and let the
exclusion constraint skip what overlaps; a short count is a lost race. An INSERT alone, even in
order, deadlocks: PostgreSQL stores the tuple first and checks afterwards, so that two writers
wait for each other. Refuses to know why a place is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction

from appointments.models import Allocation, Appointment, Block
from clinic.hours import Period
from clinic.models import Resource

EXCLUSION_VIOLATION, DEADLOCK, LOCK_TIMEOUT = "23P01", "40P01", "55P03"

# The id of no visit. NULL would not do: it is not distinct from that of a block.
NO_VISIT = 0


@dataclass(frozen=True, slots=True)
class Held:
    """One resource to be held for one period; `visit` counts the visits of a claim from 0."""

    resource_id: int
    period: Period
    visit: int = 0


class Lost(Exception):
    """Somebody else was faster. Nothing was written."""


@contextmanager
def guarded() -> Iterator[None]:
    """A transaction in which every way of losing a race becomes `Lost`, after the rollback."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            yield
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in (
            EXCLUSION_VIOLATION,
            DEADLOCK,
            LOCK_TIMEOUT,
        ):
            raise Lost from error
        raise


def lock(resources: Iterable[int]) -> None:
    """Lock these resources until the end of the transaction; others wait here, in order."""
    rows = Resource.objects.filter(pk__in=set(resources)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def collisions(wanted: Sequence[Held], without: Appointment | None = None) -> list[Held]:
    """Those of `wanted` that overlap an active allocation, except one of `without`."""
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.number
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])
                 WITH ORDINALITY AS wanted (resource_id, starts_at, ends_at, number)
            WHERE EXISTS (
                SELECT FROM appointments_allocation taken
                WHERE taken.active AND taken.resource_id = wanted.resource_id
                  AND taken.starts_at < wanted.ends_at AND taken.ends_at > wanted.starts_at
                  AND taken.appointment_id IS DISTINCT FROM %s
            )
            ORDER BY wanted.number
            """,
            [*_columns(wanted), without.pk if without else NO_VISIT],
        )
        return [wanted[number - 1] for (number,) in cursor]


def hold(wanted: Sequence[Held], owners: Sequence[Appointment | Block]) -> None:
    """Insert one allocation for each of `wanted`, for the owner of the same place in `owners`.

    Raises:
        Lost: when any of them overlaps; the caller's transaction must be rolled back.
    """
    pairs = sorted(
        zip(wanted, owners, strict=True),
        key=lambda pair: (pair[0].resource_id, pair[0].period.starts_at),
    )
    ordered = [held for held, _ in pairs]
    visits = [owner.pk if isinstance(owner, Appointment) else None for _, owner in pairs]
    blocks = [owner.pk if isinstance(owner, Block) else None for _, owner in pairs]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO appointments_allocation
                   (resource_id, starts_at, ends_at, appointment_id, block_id, active,
                    is_deliberate)
            SELECT wanted.*, true, false
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
                        %s::bigint[])
                 AS wanted (resource_id, starts_at, ends_at, appointment_id, block_id)
            ORDER BY wanted.resource_id, wanted.starts_at
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            [*_columns(ordered), visits, blocks],
        )
        if len(cursor.fetchall()) < len(pairs):
            raise Lost


def release(owner: Appointment | Block) -> list[int]:
    """Give back everything that `owner` holds; the ids of the resources, for an undo."""
    held = Allocation.objects.filter(active=True)
    held = (
        held.filter(appointment=owner)
        if isinstance(owner, Appointment)
        else held.filter(block=owner)
    )
    resources = sorted(held.values_list("resource_id", flat=True))
    held.update(active=False)
    return resources


def resources_of(appointment: Appointment) -> dict[str, int]:
    """What the visit holds: resource ids by kind."""
    held = appointment.allocations.filter(active=True)
    return dict(held.values_list("resource__kind", "resource_id"))


def _columns(held: Sequence[Held]) -> tuple[list[object], list[object], list[object]]:
    return (
        [each.resource_id for each in held],
        [each.period.starts_at for each in held],
        [each.period.ends_at for each in held],
    )
