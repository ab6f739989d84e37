"""What becomes of a person in a file: the same rule as at the front desk, in one pure function.

Whoever was brought over before is known by their key; else the same names and birth date are the
same patient, and whoever may be another one is for staff to decide. What staff wrote since is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

# What is told of each value where rows or people differ.
LABELS = {
    "given": "given name", "family": "family name", "preferred": "preferred name",
    "birth_date": "birth date", "phone": "mobile number", "email": "e-mail address",
    "language": "language", "zone": "time zone", "notes": "notes",
    "care_sms": "agreement to care messages by text",
    "care_email": "agreement to care messages by e-mail",
    "marketing_sms": "agreement to offers by text",
    "marketing_email": "agreement to offers by e-mail",
    "photos": "agreement to photos", "phi_detail": "agreement to treatment detail in e-mail",
}  # fmt: skip


class Outcome(StrEnum):
    """What becomes of a row. `place`: a visit to come that has no place yet, and is a task."""

    CREATE = "create"
    MATCH = "match"
    UPDATE = "update"
    SKIP = "skip"
    PLACE = "place"
    CONFLICT = "conflict"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a file, from all of their rows. `alike` are rows of others who may be the same
    person, `numbered` whether the former system has a number for this one and for them."""

    key: str
    rows: tuple[int, ...]
    values: Mapping[str, str]
    clash: str = ""
    decision: str = ""
    alike: tuple[int, ...] = ()
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A patient here as they are now. `last` are the digests of what a file said of them before,
    None when none did."""

    id: int
    values: Mapping[str, str]
    last: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Who the person may be: `known` for sure, else those with the `same` names and birth date,
    else those `possible`, by the rule of the front desk; `chosen` is whom staff named."""

    known: Known | None = None
    chosen: Known | None = None
    same: Sequence[Known] = ()
    possible: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`changes` are the values to be written, of a new patient all of them."""

    outcome: Outcome
    sentence: str = ""
    patient: int | None = None
    changes: Mapping[str, str] = field(default_factory=dict)


def gathered(
    key: str, rows: Iterable[tuple[int, Mapping[str, str], str]], alike: Iterable[int] = ()
) -> Person:
    """The person of some rows: (number, values, decision), in any order."""
    ordered = sorted(rows, key=lambda row: row[0])
    values: dict[str, str] = {}
    owner: dict[str, int] = {}
    clash = ""
    for number, told, _ in ordered:
        for name, value in told.items():
            if values.setdefault(name, value) != value and not clash:
                said = LABELS.get(name, name)
                clash = (
                    f"Rows {owner[name]} and {number} name one patient and differ in the {said}."
                )
            owner.setdefault(name, number)
    decisions = sorted({decision for *_, decision in ordered if decision})
    if len(decisions) > 1:
        clash = clash or "The rows of this patient hold different decisions."
    return Person(
        key=key,
        rows=tuple(number for number, *_ in ordered),
        values=values,
        clash=clash,
        decision=decisions[0] if decisions else "",
        alike=tuple(sorted(alike)),
        numbered="outside" in values,
    )


def decide(person: Person, facts: Facts) -> Decision:
    """What becomes of `person`. Order of rows and of people makes no difference."""
    if person.clash:
        return Decision(Outcome.CONFLICT, f"{person.clash} Correct one of them.")
    if facts.known is not None and facts.known.values.get("erased"):
        return Decision(Outcome.ERROR, "This patient’s record was erased here. Leave the row out.")
    if facts.known is not None:
        return _again(person, facts.known)
    if facts.chosen is not None:
        return _first(person, facts.chosen)
    if person.decision.startswith("#"):
        return Decision(Outcome.ERROR, f"There is no patient {person.decision} at your sites.")
    if not {"given", "family", "birth_date"} <= person.values.keys():
        number = person.values.get("outside", "")
        said = f"No patient with the number “{number}” was brought over yet."
        return Decision(Outcome.ERROR, f"{said} Import the patients first.")
    return _new(person, facts)


def _new(person: Person, facts: Facts) -> Decision:
    """Somebody whom no file and no staff named before."""
    if person.decision != "new":
        if len(facts.same) == 1:
            return _first(person, facts.same[0])
        if facts.same or facts.possible:
            found = [each.id for each in facts.same] or list(facts.possible)
            return Decision(Outcome.CONFLICT, _may_be(f"patient {_listed(found)}"))
        if person.alike and not person.numbered:
            return Decision(Outcome.CONFLICT, _may_be(f"the one in row {_listed(person.alike)}"))
    said = ""
    if person.alike and person.decision != "new":
        said = f"Maybe the same person as in row {_listed(person.alike)}; their numbers differ."
    return Decision(Outcome.CREATE, said, changes=_told(person.values))


def remembered(person: Person, facts: Facts, decision: Decision) -> dict[str, str]:
    """What is kept of what files said: enough to see a change, and nothing of the values. What was
    kept as staff have it stays as it was, so that the next run says so again."""
    known = facts.known
    if known is None:
        return {name: digest(value) for name, value in _told(person.values).items()}
    said = dict(known.last or {})
    for name, value in _told(person.values).items():
        if name in decision.changes or known.values.get(name, "") == value:
            said[name] = digest(value)
    return said


def digest(value: str) -> str:
    """So short that it says whether a value changed, and is of no other use."""
    return blake2b(value.encode(), digest_size=6).hexdigest() if value else ""


def _told(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name != "outside"}


def _again(person: Person, known: Known) -> Decision:
    """Somebody whom an earlier file brought: change what it changed and nobody here did since."""
    last = known.last or {}
    changes, kept = {}, []
    for name, value in _told(person.values).items():
        if name == "consented_on":
            continue
        now = known.values.get(name, "")
        if digest(value) == last.get(name) or value == now:
            continue
        if digest(now) == last.get(name, ""):
            changes[name] = value
        else:
            kept.append(name)
    said = []
    if changes:
        said.append(f"Changes the {_named(changes)}.")
    if kept:
        said.append(f"Staff changed the {_named(kept)} since, so that was kept.")
    if kept and not changes:
        return Decision(Outcome.CONFLICT, " ".join(said), known.id)
    outcome = Outcome.UPDATE if changes else Outcome.SKIP
    return Decision(outcome, " ".join(said) or "Nothing changed.", known.id, changes)


def _first(person: Person, known: Known) -> Decision:
    """Somebody who is a patient here already: what is empty is filled, and nothing else."""
    told = _told(person.values)
    empty = {n: v for n, v in told.items() if n != "consented_on" and not known.values.get(n)}
    kept = [
        name
        for name, value in told.items()
        if name != "consented_on" and known.values.get(name) not in (None, "", value)
    ]
    said = [f"Is patient #{known.id}."]
    if empty:
        said.append(f"Adds the {_named(empty)}.")
    if kept:
        said.append(f"Keeps the {_named(kept)} that is here.")
    return Decision(Outcome.MATCH, " ".join(said), known.id, empty)


def _may_be(whom: str) -> str:
    return (
        f"May be {whom}: the birth date or the number is the same, and a name. Write “new” as the"
        " decision for another person, or the number of the patient."
    )


def _named(names: Iterable[str]) -> str:
    return ", ".join(LABELS[name] for name in LABELS if name in set(names))


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return f"{shown} …" if len(numbers) > 5 else shown
