"""On which days a patient may put a visit, and which later ones stay then. Pure, in local dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from appointments.finding.intervals import DAY, bounds, bounds_between
from clinic.protocols.schema import Interval

# How far ahead a visit may be put that nothing else bounds.
FARTHEST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Window:
    """The days that the treatment allows, both included. Between `stays_from` and `stays_until`
    the later visits of the series keep their times; on other days they move along."""

    earliest: date
    latest: date
    stays_from: date
    stays_until: date

    def __contains__(self, day: date) -> bool:
        return self.earliest <= day <= self.latest

    def rest_stays(self, day: date) -> bool:
        return self.stays_from <= day <= self.stays_until


def window(
    session: int, days: Sequence[tuple[int, date]], interval: Interval | None, *, not_before: date
) -> Window | None:
    """Where a session may lie that is one of `days`, (session, local date) of the series in order;
    None when no day from `not_before` on is left."""
    previous = max((each for each in days if each[0] < session), default=None)
    following = min((each for each in days if each[0] > session), default=None)
    earliest, latest = not_before, not_before + FARTHEST
    if previous is not None:
        earliest = max(earliest, previous[1] + DAY)
    if previous is not None and interval is not None:
        due = bounds(previous[1], interval)
        earliest = max(earliest, due.earliest)
        # A session that was left out in between accounts for a longer gap.
        latest = previous[1] + (due.latest - previous[1]) * (session - previous[0])
    if earliest > latest:
        return None
    stays_from, stays_until = earliest, latest
    if following is not None:
        stays_until = min(stays_until, following[1] - DAY)
    if following is not None and interval is not None:
        rest = bounds_between(None, following[1], interval)
        steps = following[0] - session
        stays_from = max(stays_from, following[1] - (following[1] - rest.earliest) * steps)
        stays_until = min(stays_until, rest.latest)
    return Window(earliest, latest, stays_from, stays_until)
