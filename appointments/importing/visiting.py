"""What becomes of each visit of a file: new, known and unchanged, or changed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appointments.importing.deciding import NOTHING_CHANGED, Outcome, digest
from clinic.retelling import kept
from clinic.retelling import text as quoted
from clinic.saying import noop

# Time makes done of booked, and a publication another version.
_DERIVED = frozenset({"state", "version", "minutes"})


@dataclass(frozen=True, slots=True)
class Told:
    """A visit as a row tells it."""

    number: int
    key: str
    series_key: str
    starts_at: datetime
    values: Mapping[str, Any]

    @property
    def said(self) -> str:
        """The digest of what the file says of it, without what follows from the day of reading."""
        told = {name: value for name, value in self.values.items() if name not in _DERIVED}
        return digest(json.dumps([self.starts_at.isoformat(), told], sort_keys=True))

    @property
    def is_to_come(self) -> bool:
        return bool(self.values["state"] == "booked")


@dataclass(frozen=True, slots=True)
class KnownVisit:
    """A visit that a file brought before. `appointment` is None while it waits for a place;
    `is_untouched` while it is to come and nobody has done anything to it since."""

    said: str
    appointment: int | None = None
    is_untouched: bool = False
    is_history: bool = False


@dataclass(frozen=True, slots=True)
class VisitDecision:
    """`writes` when there is something to write: history at once, what is to come once it is
    placed. `appointment` is the one to be placed anew."""

    outcome: Outcome
    sentence: str = ""
    writes: bool = False
    appointment: int | None = None


def decide(
    visits: Sequence[Told], known: Mapping[str, KnownVisit], *, is_deceased: bool
) -> dict[int, VisitDecision]:
    """By row, what becomes of the visits of one patient. Order makes no difference."""
    found: dict[int, VisitDecision] = {}
    first: dict[str, Told] = {}
    ordered = sorted(visits, key=lambda visit: visit.number)
    differing = _differing(ordered)
    series = _series(ordered)
    for visit in ordered:
        earlier = first.setdefault(visit.key, visit)
        if visit.key in differing:
            found[visit.number] = VisitDecision(
                Outcome.CONFLICT,
                kept(
                    "Rows %(rows)s tell different things about one visit. Correct one.",
                    rows=quoted(differing[visit.key]),
                ),
            )
        elif earlier is not visit:
            found[visit.number] = VisitDecision(
                Outcome.SKIP, kept("The same visit as in row %(row)s.", row=earlier.number)
            )
        elif visit.values["version"] != series[visit.series_key].values["version"]:
            found[visit.number] = VisitDecision(
                Outcome.ERROR,
                kept(
                    "Its series begins with another treatment in row %(row)s. Give it another"
                    " series.",
                    row=series[visit.series_key].number,
                ),
            )
        elif visit.key in known:
            found[visit.number] = _again(visit, known[visit.key])
        elif is_deceased and visit.is_to_come:
            found[visit.number] = VisitDecision(
                Outcome.ERROR, noop("This patient has died, so nothing can be booked.")
            )
        else:
            found[visit.number] = VisitDecision(Outcome.CREATE, writes=True)
    return found


def _differing(visits: Sequence[Told]) -> dict[str, str]:
    """The rows, in words, of visits that several rows tell of in different ways."""
    rows: dict[str, list[Told]] = {}
    for visit in visits:
        rows.setdefault(visit.key, []).append(visit)
    return {
        key: ", ".join(str(each.number) for each in several[:4])
        for key, several in rows.items()
        if len({each.said for each in several}) > 1
    }


def _series(visits: Sequence[Told]) -> dict[str, Told]:
    """The first visit in time of each series."""
    found: dict[str, Told] = {}
    for visit in sorted(visits, key=lambda each: (each.starts_at, each.key)):
        found.setdefault(visit.series_key, visit)
    return found


def _again(visit: Told, known: KnownVisit) -> VisitDecision:
    if known.said == visit.said:
        waits = known.appointment is None
        said = noop("It still needs a place; the task says so.") if waits else NOTHING_CHANGED
        return VisitDecision(Outcome.SKIP, said)
    if known.appointment is None and visit.is_to_come:
        return VisitDecision(Outcome.UPDATE, writes=True)
    if known.is_history:
        said = noop(
            "The visit is part of the record here. Correct it by hand; the file's was not taken."
        )
        return VisitDecision(Outcome.CONFLICT, said)
    if not known.is_untouched:
        said = noop("Staff changed this visit since, so theirs was kept.")
        return VisitDecision(Outcome.CONFLICT, said)
    if not visit.is_to_come:
        said = noop(
            "The visit is in the diary here. Cancel or complete it there; nothing was changed."
        )
        return VisitDecision(Outcome.CONFLICT, said)
    return VisitDecision(Outcome.UPDATE, writes=True, appointment=known.appointment)
