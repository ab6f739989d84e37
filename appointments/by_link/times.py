"""The times that a patient may choose from: free, far enough ahead, and right for the treatment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from appointments import clearance, proposing
from appointments.by_link import choosing
from appointments.by_link.choosing import Choice
from appointments.by_link.refusals import NotByLink, Why
from appointments.by_link.windows import Window, window
from appointments.clearance import Act, Treatment, treatment_of
from appointments.lifecycle import TO_COME, UNDER_WAY, State
from appointments.models import Appointment, Hold, SchedulingSettings
from appointments.proposing import standing
from clinic.models import Site
from clinic.protocols import loading as protocols
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class Times:
    """The free `starts` (on the clock of the site, in order) of the days of `window`."""

    window: Window
    starts: tuple[datetime, ...]

    def on(self, day: date) -> list[datetime]:
        return [at for at in self.starts if at.date() == day]

    def days(self) -> dict[date, int]:
        """How many times each day has, of those that have any."""
        counts: dict[date, int] = {}
        for at in self.starts:
            counts[at.date()] = counts.get(at.date(), 0) + 1
        return counts

    def first(self, *, like: datetime, near: date, most: int = 3) -> list[Choice]:
        """A few that suit, before all others those with which the later visits stay."""
        staying = [at for at in self.starts if self.window.rest_stays(at.date())]
        found = choosing.choices(staying, like=like, near=near, most=most)
        if len(found) < most:
            others = [at for at in self.starts if not self.window.rest_stays(at.date())]
            found += choosing.choices(others, like=like, near=near, most=most - len(found))
        return sorted(found, key=lambda choice: choice.at)


def notice_of(site: Site) -> timedelta:
    """How far ahead a patient may change a visit, and how far ahead lies what they may take."""
    return timedelta(hours=SchedulingSettings.of(site).notice_hours)


def require_to_come(visit: Appointment, *, now: datetime) -> None:
    """Raises NotByLink for a visit that is cancelled, has begun or is over."""
    if visit.state == State.CANCELLED:
        raise NotByLink(Why.CANCELLED)
    if visit.state in UNDER_WAY:
        raise NotByLink(Why.UNDER_WAY)
    if visit.state not in TO_COME or visit.starts_at <= now:
        raise NotByLink(Why.OVER)


def require_movable(visit: Appointment, *, now: datetime) -> None:
    """Raises NotByLink for a visit that a patient cannot move by themselves, or not any more."""
    require_to_come(visit, now=now)
    if visit.is_locked:
        raise NotByLink(Why.LOCKED)
    if visit.starts_at < now + notice_of(visit.site):
        raise NotByLink(Why.NOTICE)


def window_of(visit: Appointment, *, now: datetime) -> Window:
    """The days on which the treatment allows the visit. Raises NotByLink when none is left."""
    series, zone = visit.series, visit.site.zone
    found = window(
        visit.session,
        standing.days_of(series, {}),
        protocols.get(visit.protocol_version).series.interval,
        not_before=local(now + notice_of(visit.site), zone).date(),
    )
    if found is None:
        raise NotByLink(Why.NO_DATE)
    return found


def to_move(visit: Appointment, *, now: datetime, day: date | None = None) -> Times:
    """The times to which the visit may be moved, of one `day` or of all that are allowed.

    Raises NotByLink when it cannot be moved, or the day is none of those.
    """
    require_movable(visit, now=now)
    series = visit.series
    found = window_of(visit, now=now)
    if day is not None and day not in found:
        raise NotByLink(Why.NOT_ALLOWED)
    starts = proposing.starts_between(
        patient=series.patient,
        site=visit.site,
        version=visit.protocol_version,
        areas=series.areas,
        first_day=day or found.earliest,
        last_day=day or found.latest,
        now=now,
        without=[visit.pk],
        holding=Hold.objects.own_of(series.patient),
        series=series,
        body=visit.body,
    )
    on = local(visit.starts_at, visit.site.zone).date()
    ahead = _ahead(starts, visit.site, now)
    right = _not_barred(ahead, treatment_of(visit), now=now, present=on)
    return Times(found, tuple(at for at in right if at != visit.starts_at))


def to_book(treatment: Treatment, found: Window, *, now: datetime) -> Times:
    """The times at which a visit may be booked on the days of `found`."""
    starts = proposing.starts_between(
        patient=treatment.patient,
        site=treatment.site,
        version=treatment.version,
        areas=treatment.areas,
        first_day=found.earliest,
        last_day=found.latest,
        now=now,
    )
    ahead = _ahead(starts, treatment.site, now)
    return Times(found, tuple(_not_barred(ahead, treatment, now=now)))


def _ahead(starts: Iterable[datetime], site: Site, now: datetime) -> list[datetime]:
    earliest = now + notice_of(site)
    return [local(at, site.zone) for at in starts if at >= earliest]


def _not_barred(
    starts: Sequence[datetime],
    treatment: Treatment,
    *,
    now: datetime,
    present: date | None = None,
) -> list[datetime]:
    """Those on days on which nothing bars booking that does not bar the `present` day too."""
    (bars,) = clearance.standing([treatment], now=now, acts=frozenset({Act.BOOK}))
    counting = [bar for bar in bars if present is None or not bar.bars(Act.BOOK, present)]
    return [at for at in starts if not any(bar.bars(Act.BOOK, at.date()) for bar in counting)]
