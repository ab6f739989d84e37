"""What a protocol asks before a treatment, one question at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256

from clinic.durations import Duration
from clinic.protocols.schema import (
    AskAt,
    Outcome,
    Protocol,
    Reach,
    Screening,
    SkinType,
    Text,
    Trigger,
)

# Questions whose answer is a medicine that somebody prescribes, or may. Nobody but the prescriber
# says whether it is stopped.
MEDICINES = frozenset({"bleeding", "photosensitiser", "isotretinoin"})
ANTICOAGULANT = "bleeding"
# It is written down of the patient, by staff, and not asked.
SKIN_TYPE = "skin_type"
# The protocol's policy on skin types says the same of the type that is on record.
_OF_THE_POLICY = {
    "skin_type_iv": {SkinType.IV},
    "skin_type_dark": {SkinType.V, SkinType.VI},
}
# Exposure to the sun can be planned as well as past: then it has a first and a last day.
_SUN = frozenset({"tan", "sunburn"})
PLANNED = "_planned"
_CHAINED = frozenset(each + suffix for each in _SUN for suffix in ("", PLANNED))
_IN_THE_SUN = Text(
    en="Will you be in strong sun or on a sunbed before your visit, such as on a holiday?",
    es="¿Va a estar al sol fuerte o en un solárium antes de su cita, por ejemplo de vacaciones?",
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `is_planned` asks for days to come, first and last; any other within a washout
    for the last day past."""

    id: str
    text: Text
    trigger: Trigger
    outcome: Outcome
    scope: Reach
    ask: tuple[AskAt, ...]
    washout: Duration | None
    evidence: tuple[str, ...]
    is_planned: bool = False
    # A digest of what is asked: an answer clears only the question that was asked.
    wording: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        asked = f"{self.trigger}\n{self.scope}\n{self.text.en}\n{self.text.es}"
        object.__setattr__(self, "wording", sha256(asked.encode()).hexdigest()[:16])

    @property
    def asks_for_a_day(self) -> bool:
        return self.trigger is Trigger.WITHIN_WASHOUT


@lru_cache(maxsize=256)
def questions_of(protocol: Protocol) -> tuple[Question, ...]:
    """Every question of a protocol in its order; those about the sun are asked of the past and of
    what is planned, and nobody is asked what the policy decides by the skin type on record."""
    policy = protocol.applicability.fitzpatrick
    decided = {*policy.review, *policy.block}
    return tuple(
        question
        for rule in protocol.screening
        if not (rule.id in _OF_THE_POLICY and _OF_THE_POLICY[rule.id] <= decided)
        for question in _questions(rule)
    )


def chained(question: Question, protocol: Protocol, beside: Iterable[Protocol]) -> Question:
    """A question about the sun with the longest washout of all treatments that are under way in
    the same place, where the protocol's policy says that the strictest counts."""
    if not (question.washout and question.id in _CHAINED and _takes_the_strictest(protocol)):
        return question
    same = (
        other.washout
        for each in beside
        for other in questions_of(each)
        if other.id == question.id and other.washout
    )
    longest = max([question.washout, *same], key=lambda washout: washout.approximate_seconds)
    return replace(question, washout=longest)


def _takes_the_strictest(protocol: Protocol) -> bool:
    return any(
        policy.topic == "sun.tanning.chained" and policy.choice.startswith("strictest")
        for policy in protocol.policy
    )


def _questions(rule: Screening) -> Iterable[Question]:
    yield _question(rule)
    if rule.id in _SUN and rule.trigger is Trigger.WITHIN_WASHOUT:
        yield _question(rule, id=f"{rule.id}{PLANNED}", text=_IN_THE_SUN, is_planned=True)


def _question(
    rule: Screening, *, id: str = "", text: Text | None = None, is_planned: bool = False
) -> Question:
    return Question(
        id=id or rule.id,
        text=text or rule.question,
        trigger=rule.trigger,
        outcome=rule.outcome,
        scope=rule.scope,
        ask=rule.ask,
        washout=rule.washout,
        evidence=rule.evidence,
        is_planned=is_planned,
    )
