"""Clearing away what time alone has ended: claims of dead workers, holds and offers that ran out,
entries of the wait-list that were overtaken.

Started every few seconds. Refuses to be needed: what waits to be cleared is already in nobody's
way.
"""

from __future__ import annotations

from datetime import datetime

from appointments.claiming import holding
from appointments.waitlist import offering, overtaken
from reminders.sending import dispatch


def tidy(*, now: datetime) -> None:
    """Clear away what ended before `now`, the database's clock."""
    dispatch.tidy(now=now)
    offering.expire(now=now)
    holding.expire(now=now)
    overtaken.tidy(now=now)
