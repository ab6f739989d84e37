"""What becomes of a person in a file: the same rule as at the front desk, in one pure function.

Whoever was brought over before is known by their key; else the same names and birth date are the
same patient, and whoever may be another one is for staff to decide. What staff wrote since is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

from clinic.retelling import Fact, kept, together, word
from clinic.retelling import text as quoted
from clinic.saying import noop

# What is told of each value where rows or people differ.
LABELS = {
    "given": noop("given name"),
    "family": noop("family name"),
    "preferred": noop("preferred name"),
    "birth_date": noop("birth date"),
    "phone": noop("mobile number"),
    "email": noop("e-mail address"),
    "language": noop("language"),
    "zone": noop("time zone"),
    "notes": noop("notes"),
    "care_sms": noop("agreement to care messages by text"),
    "care_email": noop("agreement to care messages by e-mail"),
    "marketing_sms": noop("agreement to offers by text"),
    "marketing_email": noop("agreement to offers by e-mail"),
    "photos": noop("agreement to photos"),
    "phi_detail": noop("agreement to treatment detail in e-mail"),
}


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
                clash = kept(
                    "Rows %(one)s and %(other)s name one patient and differ in the %(field)s.",
                    one=owner[name],
                    other=number,
                    field=word(LABELS.get(name, name)),
                )
            owner.setdefault(name, number)
    decisions = sorted({decision for *_, decision in ordered if decision})
    if len(decisions) > 1:
        clash = clash or noop("The rows of this patient hold different decisions.")
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
        said = together((person.clash, noop("Correct one of them.")))
        return Decision(Outcome.CONFLICT, said)
    if facts.known is not None and facts.known.values.get("erased"):
        said = noop("This patient’s record was erased here. Leave the row out.")
        return Decision(Outcome.ERROR, said)
    if facts.known is not None:
        return _again(person, facts.known)
    if facts.chosen is not None:
        return _first(person, facts.chosen)
    if person.decision.startswith("#"):
        said = kept("There is no patient %(number)s at your sites.", number=quoted(person.decision))
        return Decision(Outcome.ERROR, said)
    if not {"given", "family", "birth_date"} <= person.values.keys():
        number = person.values.get("outside", "")
        said = kept(
            "No patient with the number “%(number)s” was brought over yet. Import the patients"
            " first.",
            number=quoted(number),
        )
        return Decision(Outcome.ERROR, said)
    return _new(person, facts)


def _new(person: Person, facts: Facts) -> Decision:
    """Somebody whom no file and no staff named before."""
    if person.decision != "new":
        if len(facts.same) == 1:
            return _first(person, facts.same[0])
        if facts.same or facts.possible:
            found = [each.id for each in facts.same] or list(facts.possible)
            is_there = kept("May be patient %(patients)s.", patients=_listed(found))
            return Decision(Outcome.CONFLICT, together((is_there, _MAY_BE)))
        if person.alike and not person.numbered:
            is_told = kept("May be the one in row %(rows)s.", rows=_listed(person.alike))
            return Decision(Outcome.CONFLICT, together((is_told, _MAY_BE)))
    said = ""
    if person.alike and person.decision != "new":
        said = kept(
            "Maybe the same person as in row %(rows)s; their numbers differ.",
            rows=_listed(person.alike),
        )
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
    changes, staff_has = {}, []
    for name, value in _told(person.values).items():
        if name == "consented_on":
            continue
        now = known.values.get(name, "")
        if digest(value) == last.get(name) or value == now:
            continue
        if digest(now) == last.get(name, ""):
            changes[name] = value
        else:
            staff_has.append(name)
    said = []
    if changes:
        said.append(kept("Changes the %(fields)s.", fields=_named(changes)))
    if staff_has:
        said.append(
            kept("Staff changed the %(fields)s since, so that was kept.", fields=_named(staff_has))
        )
    if staff_has and not changes:
        return Decision(Outcome.CONFLICT, together(said), known.id)
    outcome = Outcome.UPDATE if changes else Outcome.SKIP
    return Decision(outcome, together(said) or NOTHING_CHANGED, known.id, changes)


def _first(person: Person, known: Known) -> Decision:
    """Somebody who is a patient here already: what is empty is filled, and nothing else."""
    told = _told(person.values)
    empty = {n: v for n, v in told.items() if n != "consented_on" and not known.values.get(n)}
    differs = [
        name
        for name, value in told.items()
        if name != "consented_on" and known.values.get(name) not in (None, "", value)
    ]
    said = [kept("Is patient #%(patient)s.", patient=known.id)]
    if empty:
        said.append(kept("Adds the %(fields)s.", fields=_named(empty)))
    if differs:
        said.append(kept("Keeps the %(fields)s that is here.", fields=_named(differs)))
    return Decision(Outcome.MATCH, together(said), known.id, empty)


NOTHING_CHANGED = noop("Nothing changed.")
_MAY_BE = noop(
    "The birth date or the number is the same, and a name. Write “new” as the decision for another"
    " person, or the number of the patient."
)


def _named(names: Iterable[str]) -> Fact:
    return word(*(LABELS[name] for name in LABELS if name in set(names)))


def _listed(numbers: Sequence[int]) -> Fact:
    shown = ", ".join(str(number) for number in numbers[:5])
    return quoted(f"{shown} …" if len(numbers) > 5 else shown)
