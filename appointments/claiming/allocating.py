"""Every write to allocations: the recipe that gives one winner and no deadlock.

Lock the resource rows, patients first and then in order of id; insert in order of resource and
time and let the exclusion constraint skip what overlaps; a short count is a lost race. An INSERT
alone, even in order, deadlocks: PostgreSQL stores the tuple first and checks afterwards, so that
two writers wait for each other. Refuses to know why a place is wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction

from appointments.claiming import freed_time
from appointments.models import Allocation, Appointment, Block, Hold
from clinic import statements
from clinic.periods import Period

EXCLUSION_VIOLATION, DEADLOCK, LOCK_TIMEOUT = "23P01", "40P01", "55P03"

Owner = Appointment | Block | Hold

# The id of no row. NULL would not do: it is not distinct from that of another kind of owner.
NO_VISIT = NO_HOLD = 0


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
            statements.run("SET LOCAL lock_timeout = '3s'", [])
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
    """Lock these resources until the end of the transaction; others wait here, in order.

    Patients come before all others, so that who has locked the patient may look what is held for
    them, and then lock the rest.
    """
    statements.run(
        """
        SELECT FROM clinic_resource WHERE id = ANY(%s::bigint[])
        ORDER BY kind <> 'patient', id FOR NO KEY UPDATE
        """,
        [statements.array(set(resources))],
    )


@dataclass(frozen=True, slots=True)
class Collision:
    """One of the wanted, and the owner of an active allocation that it overlaps."""

    held: Held
    visit_id: int | None = None
    block_id: int | None = None
    hold_id: int | None = None


def collisions(
    wanted: Sequence[Held],
    *,
    now: datetime,
    without: Collection[Appointment] = (),
    holding: Hold | None = None,
) -> list[Collision]:
    """What `wanted` overlaps, in its order. Holds that ran out at `now` are nobody's any more;
    neither the visits `without` nor the hold `holding` are in the way. The place of a visit is
    nobody's to have again, though, where a block stands over it."""
    found = _overlapped(wanted, now, without, holding)
    return [collision for collision, expired in found if expired is None]


def clear_the_way(
    wanted: Sequence[Held],
    *,
    now: datetime,
    without: Collection[Appointment] = (),
    holding: Hold | None = None,
) -> list[Collision]:
    """Clear away what `wanted` overlaps of holds that ran out at `now`: the exclusion constraint
    reads no clock. What is left in the way, as `collisions` says.

    Call it under the locks of the wanted resources.
    """
    found = _overlapped(wanted, now, without, holding)
    gone = [expired for _, expired in found if expired is not None]
    if gone:
        Allocation.objects.filter(pk__in=gone).delete()
    return [collision for collision, expired in found if expired is None]


def _overlapped(
    wanted: Sequence[Held],
    now: datetime,
    without: Collection[Appointment],
    holding: Hold | None,
) -> list[tuple[Collision, int | None]]:
    """What `wanted` overlaps, and the id of the allocation where its hold ran out at `now`."""
    if not wanted:
        return []
    # None lasts longer than a day, so that the index need not be read from its beginning. The
    # limit, more than fit into a day, makes the planner look once into the index for each of
    # the wanted: it guesses too many rows between two times that it does not know.
    found = statements.rows(
        """
        WITH wanted AS (
            SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[])
                WITH ORDINALITY AS wanted (resource_id, starts_at, ends_at, number)
        )
        SELECT number, appointment_id, block_id, hold_id, expired FROM (
            SELECT wanted.number, taken.*
            FROM wanted CROSS JOIN LATERAL (
                SELECT taken.starts_at, appointment_id, block_id, hold_id,
                       CASE WHEN taken.expires_at <= %s THEN taken.id END AS expired
                FROM appointments_allocation taken
                WHERE taken.active AND taken.resource_id = wanted.resource_id
                  AND taken.starts_at > wanted.starts_at - interval '1 day'
                  AND taken.starts_at < wanted.ends_at AND taken.ends_at > wanted.starts_at
                  AND coalesce(taken.appointment_id, 0) <> ALL(%s::bigint[])
                  AND taken.hold_id IS DISTINCT FROM %s
                ORDER BY taken.starts_at LIMIT 300
            ) taken
            UNION
            SELECT wanted.number, block.starts_at, NULL, block.id, NULL, NULL
            FROM wanted
            JOIN appointments_block_resources over USING (resource_id)
            JOIN appointments_block block ON block.id = over.block_id
            WHERE block.released_at IS NULL
              AND block.starts_at < wanted.ends_at AND block.ends_at > wanted.starts_at
        ) taken
        ORDER BY number, starts_at
        """,
        [
            *_columns(wanted),
            now,
            statements.array(visit.pk for visit in without),
            holding.pk if holding else NO_HOLD,
        ],
    )
    return [(Collision(wanted[number - 1], *owners), expired) for number, *owners, expired in found]


def hold(
    wanted: Sequence[Held],
    owners: Sequence[Owner],
    *,
    deliberate: Collection[Held] = (),
) -> None:
    """Insert one allocation for each of `wanted`, for the owner of the same place in `owners`.

    Those in `deliberate` are put over other visits on purpose.

    Raises:
        Lost: when any other overlaps; the caller's transaction must be rolled back.
    """
    pairs = sorted(
        zip(wanted, owners, strict=True),
        key=lambda pair: (pair[0].resource_id, pair[0].period.starts_at),
    )
    ordered = [held for held, _ in pairs]

    def ids(kind: type[Owner]) -> str:
        return statements.array(owner.pk if isinstance(owner, kind) else None for _, owner in pairs)

    written = statements.rows(
        """
        INSERT INTO appointments_allocation
               (resource_id, starts_at, ends_at, appointment_id, block_id, hold_id,
                expires_at, active, is_deliberate)
        SELECT resource_id, starts_at, ends_at, appointment_id, block_id, hold_id,
               expires_at, true, is_deliberate
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
                    %s::bigint[], %s::bigint[], %s::timestamptz[], %s::boolean[])
             AS wanted (resource_id, starts_at, ends_at, appointment_id, block_id, hold_id,
                        expires_at, is_deliberate)
        ORDER BY resource_id, starts_at
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        [
            *_columns(ordered),
            ids(Appointment),
            ids(Block),
            ids(Hold),
            statements.array(
                owner.expires_at if isinstance(owner, Hold) else None for _, owner in pairs
            ),
            statements.array(held in deliberate for held in ordered),
        ],
    )
    if len(written) < len(pairs):
        raise Lost


def release(owner: Appointment | Block) -> list[int]:
    """Give back everything that `owner` holds; the ids of the resources, for an undo.

    What lies under a standing block is the block's from then on, in the same transaction.
    """
    held = owner.allocations.filter(active=True)
    # Under the locks, because a block that is being made or released decides whose the time is.
    lock(_may_hold(owner))
    freed = [
        (resource, Period(starts_at, ends_at))
        for resource, starts_at, ends_at in held.values_list("resource_id", "starts_at", "ends_at")
    ]
    held.update(active=False)
    to_blocks(freed)
    return sorted(resource for resource, _ in freed)


def to_blocks(freed: Sequence[tuple[int, Period]]) -> None:
    """Hold for the standing blocks what of the freed time, (resource, period), is theirs."""
    due = freed_time.taken_by_blocks(freed)
    if due:
        hold([Held(resource, piece) for resource, piece, _ in due], [block for *_, block in due])


def _may_hold(owner: Appointment | Block) -> Iterable[int]:
    """The resources that `owner` holds, or may come to hold while it waits for their locks."""
    if isinstance(owner, Block):
        return owner.resources.values_list("pk", flat=True)
    return owner.allocations.filter(active=True).values_list("resource_id", flat=True)


def let_go(hold: Hold, *, now: datetime) -> bool:
    """Give back what a hold keeps, under the locks of its resources; whether it stood until now.

    Nothing reads what was held once, so the rows go.
    """
    released = statements.rows(
        """
        WITH gone AS (DELETE FROM appointments_allocation WHERE hold_id = %(hold)s)
        UPDATE appointments_hold SET released_at = %(now)s
        WHERE id = %(hold)s AND released_at IS NULL RETURNING id
        """,
        {"hold": hold.pk, "now": now},
    )
    return bool(released)


def held_by(*owners: Appointment | Hold) -> list[int]:
    """The ids of the resources that any of these holds."""
    found = statements.rows(
        """
        SELECT DISTINCT resource_id FROM appointments_allocation
        WHERE active AND (appointment_id = ANY (%s::bigint[]) OR hold_id = ANY (%s::bigint[]))
        """,
        [
            statements.array(owner.pk for owner in owners if isinstance(owner, kind))
            for kind in (Appointment, Hold)
        ],
    )
    return [resource for (resource,) in found]


def _columns(held: Sequence[Held]) -> tuple[str, str, str]:
    return (
        statements.array(each.resource_id for each in held),
        statements.array(each.period.starts_at for each in held),
        statements.array(each.period.ends_at for each in held),
    )
