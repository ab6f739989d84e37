"""Asking for a review after a visit, where the site does so. Pure.

Everybody is asked alike, whatever they said of it: to ask only who is content is what review sites
forbid (Google's policy on selective solicitation) and what misleads readers (FTC, 16 CFR part 465).
An open adverse event holds the request back with all promotion (`freezing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from appointments.lifecycle import State
from clinic import wall_time
from clinic.retelling import kept, moment
from clinic.saying import noop
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
    day = wall_time.local(visit.done_at, site.zone).date()
    if site.reviews_from is None or day < site.reviews_from or not is_of_age(patient, day):
        return
    due_at = wall_time.instant(day + DAYS, PROMPT_MINUTE, site.zone)
    yield about_visit(
        series,
        visit,
        Kind.REVIEW_REQUEST,
        Channel.EMAIL,
        due_at,
        (
            kept(
                "Session %(session)s was done on %(when)s.",
                session=visit.session,
                when=moment(visit.done_at, site.zone),
            ),
            noop("Everybody who was treated is asked for a review a week later."),
        ),
    )
