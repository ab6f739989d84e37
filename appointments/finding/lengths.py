"""Which length a visit may be given by hand. Pure."""

from __future__ import annotations

from appointments.finding.ticks import TICK_SECONDS, ticks
from appointments.refusals import WrongLength
from clinic.saying import gettext

MINUTES_A_TICK = TICK_SECONDS // 60
# With set-up and clean-up nothing is held for longer than a day.
MOST_MINUTES = 12 * 60


def wished(minutes: int, *, present: int) -> int:
    """The ticks of `minutes`, for a visit of `present` ticks.

    Raises WrongLength for less than five minutes, more than twelve hours, no full five minutes,
    and for the length that it has.
    """
    if not MINUTES_A_TICK <= minutes <= MOST_MINUTES:
        raise WrongLength(
            gettext("A visit lasts from 5 minutes to 12 hours. Choose a length in between.")
        )
    if minutes % MINUTES_A_TICK:
        less = minutes - minutes % MINUTES_A_TICK
        near = {"less": less, "more": less + MINUTES_A_TICK}
        raise WrongLength(
            gettext("A visit lasts full five minutes. Choose %(less)s or %(more)s minutes.") % near
        )
    if ticks(minutes) == present:
        raise WrongLength(
            gettext("This visit is %(minutes)s minutes long already.") % {"minutes": minutes}
        )
    return ticks(minutes)
