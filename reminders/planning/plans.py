"""The whole plan of a patient, and what must change in the ledger for it. Pure.

`plan` and `diff` serve production, the preview of a booking, the timeline and the tests alike:
there is one truth about what will be sent and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from reminders import spreading
from reminders.catalogue import OFFERS, MessageState
from reminders.planning import (
    birthdays,
    choices,
    clashes,
    fallback,
    filling_in,
    freezing,
    offers,
    recalls,
    reviews,
    steps,
    visits,
)
from reminders.planning.facts import PatientFacts
from reminders.planning.merging import Wanted, caught_up, merged
from reminders.planning.wish import TaskWish, Wish


@dataclass(frozen=True, slots=True)
class Plan:
    messages: tuple[Wanted, ...]
    tasks: tuple[TaskWish, ...]


class Stored(NamedTuple):
    """A message of the ledger that no dispatcher has taken up: scheduled, skipped by the plan
    or withdrawn."""

    id: int
    key: str
    state: MessageState
    due_at: datetime
    expires_at: datetime
    waits_for: str
    reason: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What makes the ledger equal to the plan; messages that were taken up are never in it."""

    add: tuple[Wanted, ...]
    change: tuple[tuple[Stored, Wanted], ...]
    withdraw: tuple[Stored, ...]

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.withdraw)


def plan(patient: PatientFacts) -> Plan:
    """Every message and task that the patient's visits and offers call for, not yet said.

    Says nothing to the deceased. Independent of the time now.
    """
    if patient.is_deceased:
        return Plan((), ())
    of_series = [
        wish
        for series in patient.series
        for wish in (
            *(wish for visit in series.visits for wish in visits.wishes(series, visit)),
            *(wish for visit in series.visits for wish in reviews.wishes(patient, series, visit)),
            *filling_in.wishes(patient, series),
            *steps.wishes(patient, series),
            *recalls.wishes(patient, series),
        )
    ]
    of_offers = [wish for invitation in patient.invitations for wish in offers.wishes(invitation)]
    wished = choices.by_the_chosen_channel(
        patient, [*of_series, *of_offers, *birthdays.wishes(patient)]
    )
    wished = fallback.with_emails(wished, patient.unheard)
    wished = freezing.held_back(patient, choices.skipped(patient, wished))
    tasks = [task for series in patient.series for task in steps.task_wishes(series)]
    wished, clash_tasks = clashes.held_back(patient, wished, tasks)
    tasks += [task for series in patient.series for task in visits.task_wishes(series)]
    wished = [wish for wish in wished if wish.item not in patient.spoken]
    apart = choices.set_apart(patient, wished)
    messages = _spread(merged(_caught_up(apart.rest, patient)), patient)
    return Plan((*apart.messages, *messages), (*tasks, *clash_tasks))


def undecided(patient: PatientFacts) -> frozenset[tuple[str, str]]:
    """The (anchor, step) of advice that contradicts that of another treatment: no page shows it
    until staff have decided."""
    wishes = [wish for series in patient.series for wish in steps.wishes(patient, series)]
    tasks = [task for series in patient.series for task in steps.task_wishes(series)]
    marked, _ = clashes.held_back(patient, wishes, tasks)
    return frozenset(
        (wish.item.anchor, wish.step) for wish in marked if wish.skip == clashes.CLASHING
    )


def diff(wanted: Iterable[Wanted], stored: Iterable[Stored]) -> Changes:
    """What to add, change and withdraw so that the ledger says what the plan wants.

    A withdrawn message that is wanted again comes back under its key.
    """
    known = {message.key: message for message in stored}
    wishes = {message.key: message for message in wanted}
    return Changes(
        add=tuple(message for key, message in wishes.items() if key not in known),
        change=tuple(
            (known[key], message)
            for key, message in wishes.items()
            if key in known and known[key] != _as_stored(message, known[key].id)
        ),
        withdraw=tuple(
            message
            for key, message in known.items()
            if key not in wishes and message.state is not MessageState.WITHDRAWN
        ),
    )


def _as_stored(message: Wanted, id: int) -> Stored:
    """How the ledger would hold `message`."""
    return Stored(
        id=id,
        key=message.key,
        state=MessageState.SKIPPED if message.skip else MessageState.SCHEDULED,
        due_at=message.due_at,
        expires_at=message.expires_at,
        waits_for=message.waits_for,
        reason=message.skip,
        why=message.why,
    )


def _caught_up(wishes: Sequence[Wish], patient: PatientFacts) -> Sequence[Wish]:
    """What was late falls due with what else was, unless its site was not live yet: catching up
    must not bring back what was never to be said."""
    if patient.catch_up_at is None:
        return wishes
    sites = {visit.site for series in patient.series for visit in series.visits}
    live_from = {site.id: site.live_from for site in sites}

    def was_never_to_be_said(wish: Wish) -> bool:
        live = live_from.get(wish.site_id)
        return live is not None and wish.due_at < live

    return [
        wish if was_never_to_be_said(wish) else caught_up(wish, patient.catch_up_at)
        for wish in wishes
    ]


def _spread(messages: Iterable[Wanted], patient: PatientFacts) -> Iterator[Wanted]:
    """What falls due for many at once leaves a little later, each patient's at its own second.
    Notices go at once; so does what catches up, or it would seem late anew."""
    sites = {visit.site for series in patient.series for visit in series.visits}
    lags = {site.id: spreading.lag(patient.id, over=site.spread) for site in sites}
    for message in messages:
        by = lags.get(message.site_id, timedelta())
        at_once = message.priority == 0 or message.kind in OFFERS
        held = message.skip or message.waits_for or message.due_at == patient.catch_up_at
        if not by or at_once or held:
            yield message
            continue
        due_at = spreading.later(message.due_at, by, before=message.expires_at)
        why = message.why if due_at == message.due_at else (*message.why, spreading.in_words(by))
        yield message._replace(due_at=due_at, why=why)
