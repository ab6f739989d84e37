"""Whether planning slows down as a clinic grows old: the same year ahead, more and more past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from appointments import proposing
from appointments.models import Allocation
from benchmarks import calendars, house
from benchmarks.figures import Figure, milliseconds, p50
from benchmarks.house import NOW

GROUP = "growth"
PAST = (1_000, 10_000, 100_000, 1_000_000)
TIMES = 30
MOST = 1.3


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    built = house.build()
    version = house.version_of(built, calendars.S1.session, calendars.S1.buffer)
    ahead = calendars.fill(built, calendars.S1)
    [patient] = house.patients(built, 1)

    def plan() -> None:
        proposing.propose_series(
            patient=patient,
            site=built.site,
            version=version,
            areas=["face"],
            sessions=6,
            now=NOW,
            first_from=NOW.date() + timedelta(days=7),
        )

    least = 0.0
    for visits in PAST:
        step(f"{visits:,} past visits")
        Allocation.objects.filter(starts_at__lt=NOW).delete()
        calendars.history(built, visits, beside=ahead)
        plan()
        taken = p50(milliseconds(plan, times=TIMES))
        least = least or taken
        yield Figure(GROUP, f"a plan beside {visits:,} past visits, p50", taken, "ms", least, MOST)
