"""Asking for a review after a good visit, where the site does so. Pure.

Good is a visit that was treated as agreed, of somebody who never had an adverse event here and has
not been discontent since. What speaks against it stays on record as the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from appointments.lifecycle import State
from clinic import hours
from reminders.catalogue import Channel, Kind
from reminders.planning.facts import PatientFacts, SeriesFacts, VisitFacts
from reminders.planning.wish import PROMPT_MINUTE, Wish, about_visit, is_of_age

# By then somebody has asked how they are, and they have had time to say that they are not well.
DAYS = timedelta(days=7)


def wishes(patient: PatientFacts, series: SeriesFacts, visit: VisitFacts) -> Iterator[Wish]:
    """The request for a review of a visit that is done; none before the site's first day of it."""
    site = visit.site
    if visit.state is not State.DONE or visit.done_at is None or visit.is_history:
        return
    day = hours.local(visit.done_at, site.zone).date()
    if site.reviews_from is None or day < site.reviews_from or not is_of_age(patient, day):
        return
    done = hours.format_when(visit.done_at, site.zone, "en")
    due_at = hours.instant(day + DAYS, PROMPT_MINUTE, site.zone)
    yield about_visit(
        series,
        visit,
        Kind.REVIEW_REQUEST,
        Channel.EMAIL,
        due_at,
        (
            f"Session {visit.session} was done on {done}.",
            "Who was well looked after is asked for a review a week later.",
        ),
        skip=_against(patient, visit),
    )


def _against(patient: PatientFacts, visit: VisitFacts) -> str:
    """The reason not to ask; empty when nothing speaks against it."""
    assert visit.done_at is not None
    if patient.had_event:
        return "after_event"
    if any(at >= visit.starts_at for at in patient.discontent_at):
        return "not_content"
    return "cut_short" if visit.treated is not None else ""
