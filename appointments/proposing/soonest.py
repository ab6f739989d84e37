"""The first free place for a visit on some days, in facts that were loaded for many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from appointments.finding.availability import Openings
from appointments.proposing.loading import Loaded
from appointments.proposing.places import Place
from appointments.proposing.starts import places_for

# So many days are looked at in one go: mostly one of the first has room.
_AT_ONCE = timedelta(days=7)
_ONE_DAY = timedelta(days=1)


def first_place(
    loaded: Loaded,
    *,
    first_day: date,
    last_day: date,
    usual: Mapping[str, int],
    allowed: Callable[[date], bool],
) -> Place | None:
    """The first offered start from `first_day` to `last_day` (local dates, both included, within
    those of the facts) on an `allowed` day, with the `usual` resources where they are free."""
    while first_day <= last_day:
        until = min(first_day + _AT_ONCE - _ONE_DAY, last_day)
        openings = Openings(replace(loaded.facts, first_day=first_day, last_day=until))
        for position in np.flatnonzero(openings.feasible):
            if allowed(openings.days.date_of(openings.day_of[position])):
                return next(places_for(loaded, openings, np.array([position]), usual))
        first_day = until + _ONE_DAY
    return None
