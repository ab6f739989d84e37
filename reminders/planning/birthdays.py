"""A greeting on birthdays, of patients who were treated in the two years before. Pure.

Planning does not look at the clock: which birthdays are greeted follows from the visits.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from appointments.lifecycle import State
from clinic import wall_time
from clinic.retelling import day as local_day
from clinic.retelling import kept, text
from clinic.saying import noop
from reminders.catalogue import CATALOGUE, Channel, Kind
from reminders.planning.facts import Item, PatientFacts, VisitFacts
from reminders.planning.wish import PROMPT_MINUTE, Wish, ended_at, is_of_age

AFTER_A_VISIT = timedelta(days=730)


def wishes(patient: PatientFacts) -> Iterator[Wish]:
    """One greeting for each birthday, by the site of the latest visit before it."""
    if patient.birth_date is None:
        return
    greeted: dict[date, VisitFacts] = {}
    done = (visit for each in patient.series for visit in each.visits if visit.state is State.DONE)
    for visit in sorted(done, key=lambda visit: (ended_at(visit), visit.id)):
        seen_on = wall_time.local(ended_at(visit), visit.site.zone).date()
        for day in _birthdays(patient.birth_date, seen_on):
            greeted[day] = visit
    for day, visit in greeted.items():
        since = visit.site.birthdays_from
        if since is not None and day >= since and is_of_age(patient, day):
            yield _greeting(patient, visit, day)


def birthday_in(year: int, born: date) -> date:
    """The birthday of a year; who was born on 29 February has it on the 28th of other years."""
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _birthdays(born: date, seen_on: date) -> Iterator[date]:
    for year in range(seen_on.year, seen_on.year + 4):
        day = birthday_in(year, born)
        if seen_on < day <= seen_on + AFTER_A_VISIT:
            yield day


def _greeting(patient: PatientFacts, visit: VisitFacts, day: date) -> Wish:
    assert patient.birth_date is not None
    zones = patient.zones or (visit.site.zone,)
    due_at = max(wall_time.instant(day, PROMPT_MINUTE, zone) for zone in zones)
    life = CATALOGUE[Kind.BIRTHDAY].life
    assert life is not None
    leaped = (
        (noop("Born on 29 February: in other years it is said on the 28th."),)
        if day.day != patient.birth_date.day
        else ()
    )
    return Wish(
        item=Item(f"patient:{patient.id}", day.year, Kind.BIRTHDAY, Channel.EMAIL),
        kind=Kind.BIRTHDAY,
        series_id=None,
        session=0,
        site_id=visit.site.id,
        due_at=due_at,
        expires_at=due_at + life,
        why=(
            kept("The patient's birthday is on %(day)s.", day=local_day(day)),
            *leaped,
            kept(
                "%(site)s greets patients for two years after a visit.", site=text(visit.site.name)
            ),
        ),
    )
