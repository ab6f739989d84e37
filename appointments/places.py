"""Places for visits, wished for and proposed. Values only; instants in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from appointments.intervals import Bounds
from clinic.models import Resource


@dataclass(frozen=True, slots=True)
class VisitWish:
    """A place to book: `starts_at` in UTC, and who and what is to be held."""

    starts_at: datetime
    provider_id: int
    room_id: int
    device_id: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A free place: instants in UTC, and the resources proposed for it."""

    starts_at: datetime
    ends_at: datetime
    provider: Resource
    room: Resource
    device: Resource | None

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
    (None for the first of a series), `bounds` are the dates that the protocol allows."""

    session: int
    place: Place
    interval_days: int | None
    bounds: Bounds
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
class Problem:
    """Why there is no proposal: the first session without a place, its dates, the kind of
    resource that binds (provider, room, device, patient; or site, spacing, interval, past), and a
    sentence."""

    session: int
    bounds: Bounds
    binding: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Either `visits`, or the `problem` that left none."""

    visits: tuple[ProposedVisit, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class DayStarts:
    """The offered starts of one local day; when there are none, `sentence` says why."""

    day: date
    places: tuple[Place, ...]
    sentence: str = ""
