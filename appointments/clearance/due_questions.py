"""Which questions are to be asked now for which visits. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from appointments.clearance.screening import screened_of
from appointments.clearance.treatments import treatment_of
from appointments.models import Appointment
from clinic.protocols.schema import AskAt
from clinic.wall_time import local
from patients.models import ScreeningMoment
from patients.screening import validity
from patients.screening.assessing import Screened
from patients.screening.questions import Question, questions_of


def moment_of(visit: Appointment, now: datetime) -> ScreeningMoment:
    """On the day of a visit everything is asked that is open; before it what belongs there."""
    zone = visit.site.zone
    is_today = local(visit.starts_at, zone).date() == local(now, zone).date()
    return ScreeningMoment.DAY_OF if is_today else ScreeningMoment.PRE


def of_visits(visits: Sequence[Appointment], *, now: datetime) -> dict[int, Sequence[Question]]:
    """By visit, the questions that were not answered for it, or not lately enough; a constant
    number of queries. The visits are loaded as `treatment_of` asks."""
    found = screened_of([treatment_of(visit) for visit in visits])
    return {
        visit.pk: of_screened(visit, screened, now=now)
        for visit, screened in zip(visits, found, strict=True)
    }


def of_screened(visit: Appointment, screened: Screened, *, now: datetime) -> Sequence[Question]:
    """The same of one visit, of whose patient so much is known."""
    zone = visit.site.zone
    day = max(local(at, zone).date() for at in (visit.starts_at, now))
    return of_day(screened, day, AskAt(moment_of(visit, now)))


def of_day(screened: Screened, day: date, moment: AskAt = AskAt.PRE) -> Sequence[Question]:
    """What is to be asked at `moment` about a treatment on a local day."""
    return validity.due(
        questions_of(screened.protocol),
        screened.areas,
        screened.answers,
        moment=moment,
        day=day,
        treated_at=screened.treated_at,
    )
