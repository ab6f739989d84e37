"""Places for visits, wished for and proposed. Values only; instants in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appointments.finding.intervals import Bounds
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.finding.plans import Points
from appointments.models import Appointment
from clinic.models import Resource


@dataclass(frozen=True, slots=True)
class VisitWish:
    """A place to book: `starts_at` in UTC, and who and what is to be held."""

    starts_at: datetime
    provider_id: int
    room_id: int
    device_id: int | None = None

    @property
    def resources(self) -> dict[str, int]:
        """The ids by kind."""
        held = {PROVIDER: self.provider_id, ROOM: self.room_id, DEVICE: self.device_id}
        return {kind: pk for kind, pk in held.items() if pk is not None}


@dataclass(frozen=True, slots=True)
class Place:
    """A free place: instants in UTC, and the resources proposed for it."""

    starts_at: datetime
    ends_at: datetime
    provider: Resource
    room: Resource
    device: Resource | None

    @classmethod
    def of(
        cls,
        starts_at: datetime,
        ends_at: datetime,
        chosen: Mapping[str, int],
        rows: Mapping[int, Resource],
    ) -> Place:
        """A place with the rows of the ids that are `chosen` by kind."""
        device = chosen.get(DEVICE)
        return cls(
            starts_at,
            ends_at,
            rows[chosen[PROVIDER]],
            rows[chosen[ROOM]],
            rows[device] if device is not None else None,
        )

    @property
    def wish(self) -> VisitWish:
        return VisitWish(
            self.starts_at,
            self.provider.pk,
            self.room.pk,
            self.device.pk if self.device else None,
        )


@dataclass(frozen=True, slots=True)
class ProposedVisit:
    """One visit of a proposal. `interval_days` counts local dates since the session before
    (None for the first of a series), `bounds` are the dates that the protocol allows; `points`
    is what it costs in the ranking, and for what."""

    session: int
    place: Place
    interval_days: int | None
    bounds: Bounds
    points: Points
    reasons: tuple[str, ...]

    @property
    def starts_at(self) -> datetime:
        return self.place.starts_at

    @property
    def ends_at(self) -> datetime:
        return self.place.ends_at

    @property
    def provider(self) -> Resource:
        return self.place.provider

    @property
    def room(self) -> Resource:
        return self.place.room

    @property
    def device(self) -> Resource | None:
        return self.place.device

    @property
    def wish(self) -> VisitWish:
        return self.place.wish


@dataclass(frozen=True, slots=True)
class ProposedPlan:
    """One whole plan: `points` in all (fewer are better), and why one might want it."""

    visits: tuple[ProposedVisit, ...]
    points: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What would open a place: `kind` is provider, wishes, interval or waitlist; `day` the local
    date on which the session would then lie, where that is known."""

    kind: str
    sentence: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no proposal: the first session without a place, its dates, what binds
    (provider, room, device, patient; or site, spacing, interval, locked, wishes, past), until
    when, and a sentence."""

    session: int
    bounds: Bounds
    binding: str
    sentence: str
    until: datetime | None = None
    relaxations: tuple[Relaxation, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Either ranked `plans`, the best first, or the `problem` that left none. `unmet` says why no
    plan begins in the free time that was asked for, `shifted` what moved the beginning."""

    plans: tuple[ProposedPlan, ...] = ()
    problem: Problem | None = None
    unmet: str = ""
    shifted: tuple[str, ...] = ()

    @property
    def visits(self) -> tuple[ProposedVisit, ...]:
        """Those of the best plan."""
        return self.plans[0].visits if self.plans else ()


@dataclass(frozen=True, slots=True)
class ReplanLine:
    """One visit of a series that is planned anew: where it is and where it would be."""

    session: int
    appointment: Appointment
    before: Place
    after: Place
    interval_days: int | None
    bounds: Bounds
    reasons: tuple[str, ...]

    @property
    def is_changed(self) -> bool:
        return self.before.wish != self.after.wish or self.before.ends_at != self.after.ends_at


@dataclass(frozen=True, slots=True)
class Replan:
    """A series from its first changed visit on, or the `problem` that leaves no way."""

    lines: tuple[ReplanLine, ...] = ()
    problem: Problem | None = None

    @property
    def changed(self) -> tuple[ReplanLine, ...]:
        return tuple(line for line in self.lines if line.is_changed)


@dataclass(frozen=True, slots=True)
class DayStarts:
    """The offered starts of one local day. When there are none, `sentence` says why, `binding`
    what binds (see Problem) and `until` when that is over, as far as is known."""

    day: date
    places: tuple[Place, ...]
    sentence: str = ""
    binding: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoundStarts:
    """Offered starts between two local dates, both included. When there are none, the same is
    told as of a day (see DayStarts)."""

    first_day: date
    last_day: date
    places: tuple[Place, ...]
    sentence: str = ""
    binding: str = ""
    until: datetime | None = None
