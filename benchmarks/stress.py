"""The same on a calendar of stress: 200,000 visits of ten minutes in one year."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import calendars, house, planning
from benchmarks.figures import Figure

GROUP = "stress"


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    built = house.build()
    version = house.version_of(built, calendars.S2.session, calendars.S2.buffer)
    step("a year of ten-minute visits")
    made = calendars.fill(built, calendars.S2)
    [patient] = house.patients(built, 1)
    step(f"{made:,} visits ahead")
    yield from planning.figures(step, GROUP, built, version, patient, most_starts=3, most_plans=2)
