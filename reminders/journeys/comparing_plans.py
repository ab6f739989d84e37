"""What patients would hear otherwise if some facts were others. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic.protocols.schema import Protocol
from patients.models import Patient
from reminders.journeys.gathering import facts_of
from reminders.planning.facts import Item, PatientFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import plan
from reminders.wording.lettering import Reader, Sender, letter

# Gathered at once, with nothing locked: another number than that of patients planned together.
_BATCH = 25
# So many patients are planned twice within a page's patience.
MOST_PATIENTS = 200


@dataclass(frozen=True, slots=True)
class Effect:
    """Of the `patients` whom it may concern, `looked_at` were planned both ways; of these `touched`
    would get other messages: so many more, other (at another time, or with other words on it or
    its page) and fewer. What the plan leaves unsaid is no message."""

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
        batch = looked_at[start : start + _BATCH]
        known = facts_of(batch)
        others = otherwise(known)
        languages = dict(Patient.objects.filter(pk__in=batch).values_list("pk", "language"))
        for patient, facts in known.items():
            more, other, fewer = _differing(facts, others[patient], languages[patient], now)
            touched += bool(more or other or fewer)
            added, changed, gone = added + more, changed + other, gone + fewer
    return Effect(len(patients), len(looked_at), touched, added, changed, gone)


def _differing(
    facts: PatientFacts, others: PatientFacts, language: str, now: datetime
) -> tuple[int, int, int]:
    """How many messages are new, other and gone. One that says some of what another one said is
    that one, changed."""
    before, after = _to_come(facts, now), _to_come(others, now)
    old = {item: key for key in before.keys() - after.keys() for item in before[key].items}
    new = [after[key] for key in after.keys() - before.keys()]
    became = {key for each in new for key in [_former(each, old)] if key}
    added = sum(1 for each in new if not _former(each, old))
    is_worded_alike = _protocols(facts) == _protocols(others)
    changed = sum(
        1
        for key in before.keys() & after.keys()
        if _noticed(before[key], now) != _noticed(after[key], now)
        or (
            not is_worded_alike
            and _words(before[key], facts, language) != _words(after[key], others, language)
        )
    )
    return added, changed + len(became), len(before.keys() - after.keys() - became)


def _former(message: Wanted, old: Mapping[Item, str]) -> str:
    """The key of the message that said some of what this one says, and is no more."""
    return next((old[item] for item in message.items if item in old), "")


def _to_come(facts: PatientFacts, now: datetime) -> dict[str, Wanted]:
    """What patients get of the plan from `now` on, by key."""
    return {
        each.key: each for each in plan(facts).messages if each.expires_at > now and not each.skip
    }


def _noticed(message: Wanted, now: datetime) -> tuple[object, ...]:
    """What patients notice of it besides its words. What is overdue and still of use leaves at
    once."""
    return max(message.due_at, now), message.expires_at, message.steps


def _protocols(facts: PatientFacts) -> list[Protocol]:
    return [series.protocol_of(visit) for series in facts.series for visit in series.visits]


_NOBODY = Sender(clinic_name="", sms_name="", phone="", address="")


def _words(message: Wanted, facts: PatientFacts, language: str) -> tuple[object, ...]:
    """What it says of the treatment, itself or on the page that it leads to."""
    said = letter(
        kind=message.kind,
        channel=message.channel,
        items=message.items,
        patient=facts,
        reader=Reader(first_name="", language=language, detail=True),
        sender=_NOBODY,
    )
    return said.steps, said.treatment, said.warnings
