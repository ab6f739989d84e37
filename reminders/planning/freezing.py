"""What is held back while an adverse event is open. Pure.

Whoever has a burn is asked how it is, and told of their visits and their care; they are not asked
for a photo of their progress, not invited to come again and not wished a happy birthday.
"""

from __future__ import annotations

from clinic.protocols.areas import overlap
from reminders.catalogue import Kind, Purpose
from reminders.planning.facts import PatientFacts
from reminders.planning.wish import Wish

HELD_BACK = "adverse_event"


def held_back(patient: PatientFacts, wishes: list[Wish]) -> list[Wish]:
    """The wishes, with promotion and photos of the areas of an open event marked as skipped."""
    if not patient.events:
        return wishes
    frozen = {
        series.id
        for series in patient.series
        for event in patient.events
        if not event.areas or overlap(event.areas, series.areas)
    }
    return [
        wish._replace(skip=HELD_BACK)
        if (wish.series_id is None or wish.series_id in frozen) and _can_wait(wish)
        else wish
        for wish in wishes
    ]


def _can_wait(wish: Wish) -> bool:
    return not wish.skip and (
        wish.purpose is Purpose.MARKETING
        or wish.kind is Kind.PROGRESS_MILESTONE
        or "photos" in wish.needs
    )
