"""What patients would hear otherwise if some facts were others. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reminders.journeys.gathering import facts_of
from reminders.planning.facts import PatientFacts
from reminders.planning.plans import plan

_BATCH = 25
# So many patients are planned twice within a page's patience.
MOST_PATIENTS = 200


@dataclass(frozen=True, slots=True)
class Effect:
    """Of the `patients` whom it may concern, `looked_at` were planned both ways; of these `touched`
    would get other messages: so many more, other and fewer."""

    patients: int
    looked_at: int
    touched: int
    added: int
    changed: int
    gone: int

    @property
    def messages(self) -> int:
        return self.added + self.changed + self.gone


def effect(
    patients: Sequence[int],
    otherwise: Callable[[Mapping[int, PatientFacts]], Mapping[int, PatientFacts]],
    *,
    now: datetime,
    most: int = MOST_PATIENTS,
) -> Effect:
    """What the plans of these patients (ids), of whom the first `most` are looked at, would hold
    otherwise from `now` on if their facts, by id, were as `otherwise` gives them."""
    looked_at = patients[:most]
    touched = added = changed = gone = 0
    for start in range(0, len(looked_at), _BATCH):
        known = facts_of(looked_at[start : start + _BATCH])
        others = otherwise(known)
        for patient, facts in known.items():
            before, after = _to_come(facts, now), _to_come(others[patient], now)
            new, old = after.keys() - before.keys(), before.keys() - after.keys()
            differing = {key for key in before.keys() & after.keys() if before[key] != after[key]}
            touched += bool(new or old or differing)
            added, changed, gone = added + len(new), changed + len(differing), gone + len(old)
    return Effect(len(patients), len(looked_at), touched, added, changed, gone)


def _to_come(facts: PatientFacts, now: datetime) -> dict[str, tuple[object, ...]]:
    """What patients would notice of the messages that the plan holds from `now` on, by key. What is
    overdue and still of use leaves at once."""
    return {
        each.key: (max(each.due_at, now), each.expires_at, each.steps, each.skip)
        for each in plan(facts).messages
        if each.expires_at > now
    }
