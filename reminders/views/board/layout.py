"""Where everything of a column of the board lies, in rows of five minutes from its first row.

Pure: takes periods, gives rows; knows no rows of the database and no clock but `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from appointments.finding import ticks
from clinic.periods import Period, intersect, subtract
from clinic.wall_time import instant, local

HOUR = 12
# A gap that no visit fits into is no offer; 24 px high, it is also the least target.
LEAST_GAP = 3 * ticks.TICK
_LEAST_HOURS = 8
_MORNING = 9


class Kind(StrEnum):
    OFF = "off"
    GAP = "gap"
    BUFFER = "buffer"
    BLOCK = "block"
    HOLD = "hold"
    VISIT = "visit"
    START = "start"


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of one local day: tick `first` (inclusive) to `last` (exclusive)."""

    first: int
    last: int
    zone: str

    @property
    def rows(self) -> int:
        return self.last - self.first

    @property
    def starts_at(self) -> datetime:
        return ticks.at(self.first)

    @property
    def period(self) -> Period:
        return Period(ticks.at(self.first), ticks.at(self.last))

    def row(self, at: datetime) -> int:
        """The row that holds `at`, from 0; what lies outside is drawn at the edge."""
        return min(max(ticks.floor(at) - self.first, 0), self.rows)

    def place_of(self, at: datetime) -> str:
        """The classes of the row that holds `at`."""
        hour, minute = divmod(self.row(at), HOUR)
        return f"h{hour} m{minute}"

    def hours(self) -> list[tuple[int, str]]:
        """Each row at which a local hour begins, with its words: the clock of a day on which it
        is changed skips an hour, or reads one twice."""
        starts = range(self.first, self.last, HOUR)
        return [(tick - self.first, f"{local(ticks.at(tick), self.zone):%H:%M}") for tick in starts]


@dataclass(frozen=True, slots=True)
class Busy:
    """A time in which a resource is held by `owner`; `body` is the part of it that is the visit
    itself, the rest is set-up and clean-up."""

    kind: Kind
    held: Period
    body: Period
    owner: Any


@dataclass(frozen=True, slots=True)
class Item:
    """A thing at rows `first` to `last` (exclusive), in lane `lane` of `lanes` side by side."""

    kind: Kind
    first: int
    last: int
    period: Period
    owner: Any = None
    lane: int = 0
    lanes: int = 1

    @property
    def is_bare(self) -> bool:
        """Whether nothing is said in it: its look tells."""
        return self.kind in (Kind.OFF, Kind.BUFFER)

    @property
    def classes(self) -> str:
        """Its place, for a stylesheet that may not take numbers from the page."""
        place = (
            f"h{self.first // HOUR} m{self.first % HOUR} eh{self.last // HOUR} em{self.last % HOUR}"
        )
        return place if self.lanes == 1 else f"{place} lane{self.lane} of{min(self.lanes, 4)}"


def hours_shown(zone: str, periods: Iterable[Period]) -> tuple[int, int]:
    """The local hours, whole, from the first to the last in which anything of one day or several
    lies; eight at least."""
    ends = [(local(each.starts_at, zone), local(each.ends_at, zone)) for each in periods]
    first = min((start.hour for start, _ in ends), default=_MORNING)
    last = max((_until(start, end) for start, end in ends), default=_MORNING)
    last = max(last, min(first + _LEAST_HOURS, 24))
    return min(first, last - _LEAST_HOURS), last


def _until(start: datetime, end: datetime) -> int:
    """The whole hour, up to 24, at which a period of one local day is over."""
    if end.date() > start.date():
        return 24
    return end.hour + (end.minute > 0 or end.second > 0)


def grid_of(day: date, hours: tuple[int, int], zone: str) -> Grid:
    """The rows of a local day from one whole hour to another."""
    first, last = hours
    begins, ends = instant(day, first * 60, zone), instant(day, last * 60, zone)
    return Grid(ticks.floor(begins), ticks.ceil(ends), zone)


def lay_out(
    grid: Grid, busy: Sequence[Busy], working: Sequence[Period], *, now: datetime
) -> list[Item]:
    """What one column shows, in order of time: hours off, free gaps to come, buffers, and what
    holds the resource, side by side where it overlaps."""
    whole = [grid.period]
    off = subtract(whole, working)
    to_come = [Period(_up(now), grid.period.ends_at)] if now < grid.period.ends_at else []
    free = subtract(intersect(working, whole), (each.held for each in busy))
    gaps = [gap for gap in intersect(free, to_come) if gap.ends_at - gap.starts_at >= LEAST_GAP]
    buffers = subtract(
        (part for each in busy for part in subtract([each.held], [each.body])),
        (each.body for each in busy),
    )
    items = [
        *(_item(grid, Kind.OFF, each) for each in off),
        *(_item(grid, Kind.GAP, each) for each in gaps),
        *(_item(grid, Kind.BUFFER, each) for each in intersect(buffers, whole)),
        *_lanes([_item(grid, each.kind, each.body, each.owner) for each in busy]),
    ]
    return sorted(
        (each for each in items if each.first < each.last),
        key=lambda each: (each.first, each.kind != Kind.OFF, each.lane),
    )


def _up(at: datetime) -> datetime:
    return ticks.at(ticks.ceil(at))


def _item(grid: Grid, kind: Kind, period: Period, owner: Any = None) -> Item:
    return Item(
        kind,
        grid.row(period.starts_at),
        min(ticks.ceil(period.ends_at) - grid.first, grid.rows),
        period,
        owner,
    )


def _lanes(items: Iterable[Item]) -> list[Item]:
    """The items side by side where they overlap, in as few lanes as hold them."""
    placed: list[Item] = []
    bundle: list[tuple[Item, int]] = []  # overlapping each other, at least in a chain; their lanes
    ends: list[int] = []  # of each lane of the bundle
    for item in sorted(items, key=lambda each: (each.first, each.last)):
        if bundle and item.first >= max(ends):
            placed += _side_by_side(bundle, len(ends))
            bundle, ends = [], []
        free = [lane for lane, end in enumerate(ends) if end <= item.first]
        lane = free[0] if free else len(ends)
        ends[lane : lane + 1] = [item.last]
        bundle.append((item, lane))
    return placed + _side_by_side(bundle, len(ends))


def _side_by_side(bundle: Sequence[tuple[Item, int]], lanes: int) -> list[Item]:
    if lanes == 1:
        return [item for item, _ in bundle]
    return [replace(item, lane=lane, lanes=lanes) for item, lane in bundle]
