"""Years of bookings for a clinic: the calendars that planning is measured on.

S1 is realistic: about 200,000 visits, 5.9 years of them past and some 17,900 in the year ahead, of
45 minutes with buffers. S2 is stress: all 200,000 in the year ahead, of ten minutes. Rows are
written by COPY with a block as their owner; the queries that are measured treat all owners alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
from django.db import connection

from appointments.models import Allocation, Block, BlockKind
from benchmarks.house import CLOSES, NOW, OPENS, House
from clinic.models import ProviderHours, Resource, ResourceKind
from clinic.wall_time import instant

YEAR = 365
Row = tuple[int, datetime, datetime]
Pools = dict[str, list[int]]
# By provider and weekday, stretches in minutes of the wall clock.
Shifts = dict[tuple[int, int], list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Slots of `slot` minutes with visits of `session` minutes and `buffer` before and after; in
    a slot each working provider is taken with the probability `taken`, with a room, and mostly a
    device."""

    slot: int
    session: int
    buffer: int
    taken: float


S1 = Calendar(slot=60, session=45, buffer=5, taken=0.47)
S2 = Calendar(slot=10, session=10, buffer=0, taken=0.86)


COPY = """
COPY appointments_allocation (resource_id, starts_at, ends_at, active, block_id) FROM STDIN
"""


HISTORY = """
INSERT INTO appointments_allocation (resource_id, starts_at, ends_at, active, block_id)
SELECT resource_id, starts_at - back * interval '364 days', ends_at - back * interval '364 days',
       true, block_id
  FROM appointments_allocation, generate_series(1, %(copies)s) back
 WHERE starts_at >= %(now)s AND starts_at < %(now)s + interval '364 days'
   AND resource_id <= %(last)s
 ORDER BY starts_at DESC
 LIMIT %(rows)s
"""
GUARD = "allocation_no_overlap"


def fill(house: House, calendar: Calendar, *, days: int = YEAR) -> int:
    """Book the days from NOW on; how many visits that made."""
    block = Block.objects.create(
        site=house.site,
        kind=BlockKind.BLOCKED,
        starts_at=NOW - timedelta(days=1),
        ends_at=NOW + timedelta(days=days + 1),
        created_at=NOW,
    )
    visits = 0
    # Read before the copy begins: it has the connection to itself.
    pools, shifts = _pools(house), _shifts(house)
    first = NOW.date() + timedelta(days=1)
    with connection.cursor() as cursor, cursor.copy(COPY) as rows:
        for made in _visits(house.site.zone, calendar, pools, shifts, first, days):
            visits += 1
            for resource, starts_at, ends_at in made:
                rows.write_row((resource, starts_at, ends_at, True, block.pk))
    settle()
    return visits


def history(house: House, visits: int, *, beside: int) -> None:
    """Copy the year ahead into the past until there are about so many past visits; `beside` is
    how many there are in the year ahead."""
    ahead = Allocation.objects.filter(starts_at__gte=NOW)
    last = Resource.objects.filter(site=house.site).order_by("-pk").values_list("pk", flat=True)[0]
    asked = {
        "copies": -(-visits // beside),
        "now": NOW,
        "last": last,
        "rows": round(visits * ahead.count() / beside),
    }
    with as_owner() as owner:
        # Checked one by one, millions of rows would take minutes; the guard is built anew at once.
        [(guard,)] = owner.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [GUARD]
        ).fetchall()
        owner.execute(f"ALTER TABLE appointments_allocation DROP CONSTRAINT {GUARD}")
        owner.execute(HISTORY, asked)
        owner.execute(f"ALTER TABLE appointments_allocation ADD CONSTRAINT {GUARD} {guard}")
    settle()


def settle() -> None:
    """What the database does by itself after a while: statistics, and pages known as visible."""
    with as_owner() as owner:
        owner.execute("VACUUM (ANALYZE)")


def as_owner() -> psycopg.Connection[Any]:
    """A connection as the role that owns the tables, which commits each statement."""
    params = connection.get_connection_params() | {"user": "afterglow"}
    return psycopg.connect(**params, autocommit=True)


def _visits(
    zone: str, calendar: Calendar, pools: Pools, shifts: Shifts, first: date, days: int
) -> Iterator[list[Row]]:
    random = Random(7)
    for number in range(days):
        day = first + timedelta(days=number)
        midnight = instant(day, 0, zone)
        for slot in range(OPENS, CLOSES - calendar.slot + 1, calendar.slot):
            # Nothing lies in the hours of a change of the clock, so minutes may be added.
            starts_at = midnight + timedelta(minutes=slot)
            ends_at = starts_at + timedelta(minutes=calendar.session + 2 * calendar.buffer)
            working = [
                provider
                for provider in pools[ResourceKind.PROVIDER]
                if any(
                    starts <= slot and slot + calendar.slot <= ends
                    for starts, ends in shifts.get((provider, day.weekday()), ())
                )
            ]
            yield from _slot(random, calendar, pools, working, starts_at, ends_at)


def _slot(
    random: Random,
    calendar: Calendar,
    pools: Pools,
    working: list[int],
    starts_at: datetime,
    ends_at: datetime,
) -> Iterator[list[Row]]:
    rooms, devices = list(pools[ResourceKind.ROOM]), list(pools[ResourceKind.DEVICE])
    random.shuffle(rooms)
    random.shuffle(devices)
    for provider in working:
        if random.random() < calendar.taken and rooms:
            held = [provider, rooms.pop()]
            if devices and random.random() < 0.7:
                held.append(devices.pop())
            yield [(resource, starts_at, ends_at) for resource in held]


def _shifts(house: House) -> Shifts:
    shifts: Shifts = {}
    for hours in ProviderHours.objects.filter(site=house.site):
        shifts.setdefault((hours.provider_id, hours.weekday), []).append((hours.starts, hours.ends))
    return shifts


def _pools(house: House) -> Pools:
    pools: Pools = {}
    for resource in Resource.objects.filter(site=house.site).order_by("pk"):
        pools.setdefault(resource.kind, []).append(resource.pk)
    return pools
