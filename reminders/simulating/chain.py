"""One clinic of the chain after the other, each by itself, so that several are played at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from clinic import wall_time
from clinic.protocols import reading
from clinic.protocols.schema import Protocol
from reminders.simulating import imagining
from reminders.simulating.counting import Counts
from reminders.simulating.playing import play


def of_clinic(
    number: int, *, library: Path, first: date, days: int, visits: int, seed: int
) -> Counts:
    """What the clinic of this number sends from `first` on, for `days` local days.

    `visits` is how many patients it sees on a working day, `library` the protocols' directory.
    """
    counts = Counts()
    zone = imagining.site(number).zone
    begins = wall_time.instant(first, 0, zone)
    ends = wall_time.instant(first + timedelta(days=days), 0, zone)
    for household in imagining.households(
        number, protocols=_protocols(library), first=first, days=days, visits=visits, seed=seed
    ):
        counts.add(play(household, begins=begins, ends=ends))
    return counts


@cache
def _protocols(library: Path) -> Sequence[Protocol]:
    return [
        reading.read(file.read_text(encoding="utf-8"), filename=file.name)
        for file in sorted(library.glob("*.toml"))
    ]
