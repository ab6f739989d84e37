"""How late messages are, by the database's own clock: a doorbell every second, as beat rings it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from django.db import connection

from benchmarks import engine_load
from benchmarks.engine_load import CONNECTIONS, accepted_by
from benchmarks.figures import Figure
from benchmarks.house import House
from clinic.models import Site
from patients.models import Patient
from reminders.ledger import claiming

GROUP = "engine"
TICK = 1.0
SECONDS = (5, 15)
P99 = """
SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - due_at))
  FROM reminders_message
"""


def figures(
    built: House, patients: Sequence[Patient], *, capacity: float, lines: int, seconds: float
) -> Iterator[Figure]:
    """The lateness of messages that fall due one after the other, at half of what is sent a second
    when all is due, for some seconds and for more. They are of the kind that goes out at any hour.
    """
    name = f"lateness of {capacity / 2:,.0f} messages/s (half load)"
    lasting = partial(_lateness, built, patients, capacity=capacity, lines=lines, seconds=seconds)
    late = {}
    for length in SECONDS:
        late[length] = lasting(length=length)
        yield Figure(GROUP, f"{name} for {length} s, p99", late[length], "s", TICK + 2 * seconds, 1)
    few, many = SECONDS
    yield Figure(GROUP, f"{name} for {many} s, against {few} s", late[many], "s", late[few])


def _lateness(
    built: House,
    patients: Sequence[Patient],
    *,
    capacity: float,
    lines: int,
    seconds: float,
    length: int,
) -> float:
    from benchmarks.engine_worker import ring

    number = int(capacity / 2 * length)
    now = claiming.database_now()
    Site.objects.filter(pk=built.site.pk).update(live_from=now - timedelta(days=1))
    engine_load.emptied()
    engine_load.fill(
        built,
        patients,
        number,
        due=now + timedelta(seconds=TICK),
        priority=0,
        apart=timedelta(seconds=2 / capacity),
    )
    for _ in range(length * 2):
        for _ in range(CONNECTIONS):
            ring.apply_async((), {"lines": lines, "seconds": seconds}, queue="bench")
        time.sleep(TICK)
        if engine_load.count("accepted") == number:
            break
    accepted_by(number)
    with connection.cursor() as cursor:
        cursor.execute(P99)
        return float(cursor.fetchone()[0])
