"""What is asked of the planner of series, and what it answers. Values only.

Days are local dates of the site, instants are UTC, resources are ids by kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from appointments.finding.intervals import Bounds
from clinic.protocols.schema import Interval
from clinic.wall_time import MINUTES_A_DAY

EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Preference:
    """What the patient would like: weekdays (0 = Monday) and a time of day [earliest, latest]
    of the start, in minutes of the site's wall clock. Wishes, unless `strict`."""

    weekdays: frozenset[int] = EVERY_DAY
    earliest: int = 0
    latest: int = MINUTES_A_DAY
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Weights:
    """What a plan costs, in points; the names and defaults are those of `SchedulingSettings`."""

    early: float = 1.5
    late: float = 1.0
    other_provider: float = 15.0
    other_weekday: float = 6.0
    off_time: float = 1.0
    most_off_time: float = 8.0
    finish: float = 0.05
    device_load: float = 3.0
    idle_gap: float = 2.0
    usable_minutes: int = 30
    unchanged: float = 1000.0


@dataclass(frozen=True, slots=True)
class Stay:
    """The place that a visit has: local day, start in UTC and resources by kind."""

    day: date
    starts_at: datetime
    resources: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Session:
    """One visit to plan. One that is `fixed` keeps its place; `present` is where it stands now
    and stays if it can."""

    number: int
    fixed: Stay | None = None
    present: Stay | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A series to plan: its sessions in order, the first one within `window`, and the visit
    `before` it if there is one, to go on with."""

    sessions: tuple[Session, ...]
    window: Bounds
    interval: Interval | None
    preference: Preference = Preference()
    weights: Weights = Weights()
    before: Stay | None = None

    @classmethod
    def new(cls, count: int, window: Bounds, interval: Interval | None, **more: object) -> Wish:
        """A whole new series of `count` sessions."""
        numbers = tuple(Session(number) for number in range(1, count + 1))
        return cls(numbers, window, interval, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Points:
    """What one visit of a plan costs, and for what."""

    date: float = 0.0
    provider: float = 0.0
    weekday: float = 0.0
    time: float = 0.0
    gap: float = 0.0
    load: float = 0.0
    finish: float = 0.0
    moved: float = 0.0

    @property
    def total(self) -> float:
        return float(sum(asdict(self).values()))


@dataclass(frozen=True, slots=True)
class Planned:
    """One visit of a plan; instants in UTC. `bounds` are the dates that the visit before allows;
    `points` what it costs and for what."""

    session: int
    day: date
    starts_at: datetime
    ends_at: datetime
    resources: Mapping[str, int]
    bounds: Bounds
    points: Points
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan. `reasons` say in words what it is good for."""

    visits: tuple[Planned, ...]
    reasons: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return sum(visit.points.total for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Impossible:
    """The first session that finds no place, its dates, and what binds there: a kind of resource,
    or what `Openings.why_none` says. `until` is when that kind has somebody again; `beyond` the
    first day after the dates that has a place, and by how many days it exceeds the longest
    interval."""

    session: int
    bounds: Bounds
    binding: str
    until: datetime | None = None
    beyond: tuple[date, int] | None = None
