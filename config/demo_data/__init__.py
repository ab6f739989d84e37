"""A believable clinic, built by the domain's own functions with the time of then.

The same seed and the same moment give the same clinic. It is built in one transaction, so that it
is there whole or not at all, and never beside data that is not its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from django.db import transaction

from clinic.models import Site, Staff
from config.demo_data import (
    arrivals,
    consents,
    house,
    journeys,
    ledger,
    people,
    records,
    replies,
    screening,
    waiting,
)
from config.demo_data.diary import Diary
from config.demo_data.lives import Lives

DEFAULT_SEED = 7
_BEFORE_THE_FIRST_VISIT = timedelta(weeks=3)

Progress = Callable[[str, float], None]


class Foreign(Exception):
    """The database holds a clinic that is not the demo's; nothing was written."""


def is_built() -> bool:
    """Whether the demo's clinic is there, whatever visitors added to it. Raises Foreign when
    another one is."""
    if Site.objects.filter(slug__in=house.SITES).exists():
        return True
    if Site.objects.exists():
        raise Foreign("This database holds a clinic of its own. Demo data is for an empty one.")
    if Staff.objects.exists():
        raise Foreign("This database holds staff of its own. Demo data is for an empty one.")
    return False


@transaction.atomic
def build(
    *,
    now: datetime,
    seed: int = DEFAULT_SEED,
    count: int = people.COUNT,
    weeks_back: int = journeys.WEEKS_BACK,
    progress: Progress = lambda what, share: None,
) -> None:
    """Build the clinic as it stands at `now` (UTC), with `count` patients and the visits of
    `weeks_back`. `progress` is told what is being done and which share of all is."""
    now = now.replace(microsecond=0)
    since = now - timedelta(weeks=weeks_back) - _BEFORE_THE_FIRST_VISIT
    dice = Random(seed)
    progress("Opening two sites", 0)
    built = house.furnish(since=since, now=now)
    house.absences(built, since=since, now=now)
    consents.publish_forms(lead=built.staff["lead"], since=since)
    records.phrases(built, now=since)
    replies.rota(built, now=now)
    imagined = people.imagine(dice, today=now.date(), count=count)
    courses = journeys.imagine(built, imagined, Diary(built), dice, now=now, weeks_back=weeks_back)
    progress("Registering patients", 0.05)
    patients = {
        person.number: people.register(
            person,
            site=built.places[person.home].site,
            by=built.front_desk(person.home),
            now=since - timedelta(hours=dice.randint(1, 9000)),
        )
        for person in imagined
    }
    acts = Lives(built, patients, dice, now=now).of(courses)
    sending = ledger.Ledger(
        dice, landline_patients=[patients[n].pk for n in people.LANDLINE], now=now
    )
    moments = list(ledger.rounds(since, now))
    for number, at in enumerate(moments):
        # Visits are told of in the evening, all at once: planning is what takes long.
        waits = at.time() == ledger.MORNING and at != now
        for act in (each for each in acts if each.at <= at and not (waits and each.in_clinic)):
            act.do(act.at)
        acts = [each for each in acts if each.at > at or (waits and each.in_clinic)]
        if at == moments[-2]:
            screening.ask(now=at, of_visits_after=now + timedelta(days=1))
            consents.sign(built, patients, now=at)
        if at == now:
            replies.come_in(
                built, patients, imagined, lambda moment: sending.round(now=moment), now=now
            )
        sending.round(now=at)
        if at < now - timedelta(hours=30):
            ledger.close_tasks(built, now=at)
        progress("Living through the weeks", 0.15 + 0.75 * (number + 1) / len(moments))
    progress("Telling the times", 0.9)
    ledger.tell_the_times(dice)
    arrivals.just_now(built, patients, imagined, dice, now=now)
    waiting.wait(built, now=now)
    progress("Done", 1)
