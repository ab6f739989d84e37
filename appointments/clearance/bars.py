"""The bar: one thing that stands between a patient and an act, with the rule behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from appointments.refusals import Refused
from clinic.retelling import retold


class Act(StrEnum):
    """What may be barred. Arriving never is."""

    BOOK = "book"
    START = "start"


BOTH = frozenset(Act)


class Outcome(StrEnum):
    """From the mildest to the strictest: somebody must decide or complete it; not before a date;
    not at all."""

    REVIEW = "review"
    DEFER = "defer"
    BLOCK = "block"


_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing in the way of `acts`, on every local day of the site, or from `since` on and
    before `until` (the first day that is right).

    `sentence` tells staff what is wrong and what to do; `rule` and `evidence` say what asks for it.
    `stored` is that sentence with its facts (`clinic.retelling`), to be told later too.
    `flag` says it in a few words, where a sentence has no room; empty where another page does.
    `about` is the source's own name for what it is about, such as the id of a question.
    `passes_with` and `decides_with` are capabilities (`clinic.access`): with the first, a written
    reason lets the act through; with the second, a decision lifts the bar beforehand.
    """

    code: str
    acts: frozenset[Act]
    outcome: Outcome
    stored: str
    flag: str = ""
    since: date | None = None
    until: date | None = None
    rule: str = ""
    evidence: tuple[str, ...] = ()
    about: str = ""
    page: str = ""
    passes_with: str = ""
    decides_with: str = ""

    @property
    def sentence(self) -> str:
        return retold(self.stored)

    def bars(self, act: Act, day: date) -> bool:
        return (
            act in self.acts
            and (self.since is None or self.since <= day)
            and (self.until is None or day < self.until)
        )

    def stands_out(self, day: date) -> bool:
        """Whether its flag belongs to a visit on `day`: what somebody must complete also before it
        bars anything."""
        has_begun = self.outcome is Outcome.REVIEW or self.since is None or self.since <= day
        return bool(self.flag) and has_begun and (self.until is None or day < self.until)


class Barred(Refused):
    """Nothing was changed. `bars` are all that stand in the way, the strictest first; `earliest`
    is the first local date on which none does, None when no date is known."""

    code = "barred"

    def __init__(self, bars: Iterable[Bar]) -> None:
        self.bars = strictest_first(bars)
        super().__init__(" ".join(dict.fromkeys(bar.sentence for bar in self.bars)))
        self.overridable = all(bar.passes_with for bar in self.bars)
        ends = [bar.until for bar in self.bars]
        known = [end for end in ends if end is not None]
        self.earliest = max(known) if known and len(known) == len(ends) else None


def strictest_first(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    return tuple(sorted(bars, key=lambda bar: (-_RANK[bar.outcome], bar.code, bar.about)))
