"""Proposes places: whole series, the free starts of a day, a series planned anew.

Loads facts, calls the pure planner, gives back rows. Nothing is held by a proposal: `booking`
checks again, and the database decides.
"""

from appointments.proposing.ripple import replan
from appointments.proposing.series import propose_next, propose_series
from appointments.proposing.starts import (
    free_starts,
    nearest_starts,
    place_at,
    search_starts,
    starts_between,
)

__all__ = [
    "free_starts",
    "nearest_starts",
    "place_at",
    "propose_next",
    "propose_series",
    "replan",
    "search_starts",
    "starts_between",
]
