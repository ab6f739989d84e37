"""Which conditions of a protocol's steps hold, by the answers. Pure.

A step says `applies_if = "screening.hsv"` or `"not_prescribed"`; what nobody has asked about is
neither true nor false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from clinic.protocols.schema import Outcome, SkinType
from patients.screening.answers import current
from patients.screening.assessing import DARKER, Finding, Rule, Screened
from patients.screening.questions import ANTICOAGULANT, SKIN_TYPE, questions_of

NOT_PRESCRIBED = "not_prescribed"


def conditions(screened: Screened) -> Mapping[str, bool]:
    """By `applies_if`, whether it holds; unknown ones are left out."""
    known: dict[str, bool] = {}
    for question in questions_of(screened.protocol):
        told = current(question, screened.areas, screened.answers).values()
        if any(answer is not None and not answer.is_clear for answer in told):
            known[f"screening.{question.id}"] = True
        elif told and all(answer is not None for answer in told):
            known[f"screening.{question.id}"] = False
    if screened.skin_type:
        known[f"screening.{SKIN_TYPE}"] = SkinType(screened.skin_type) in DARKER
    # Who takes a prescribed blood thinner hears nothing of leaving out pain killers: any answer
    # but a clear one is the prescriber's business, whichever protocol asked.
    wrong = [each for each in screened.answers if each.question == ANTICOAGULANT]
    latest = max(wrong, key=lambda each: (each.said_at, each.id), default=None)
    if latest is not None:
        known[NOT_PRESCRIBED] = latest.is_clear
    return known


def holding(findings: Iterable[Finding], day: date) -> tuple[Finding, ...]:
    """What of this, as long as it stands, leaves no sense in preparing for a treatment on `day`."""
    strict = (Outcome.DEFER, Outcome.BLOCK)
    return tuple(
        finding
        for finding in findings
        if finding.outcome in strict and finding.rule != Rule.AGE and finding.stands_on(day)
    )
