"""What a finding says to staff: what is wrong, until when, and what asks for it. Pure.

Never advises to stop a prescribed medicine: that is the prescriber's word.
"""

from __future__ import annotations

from datetime import date

from clinic.durations import in_words
from clinic.hours import format_day
from clinic.protocols.schema import Outcome, Protocol
from patients.screening.answers import Answer, Value
from patients.screening.assessing import Finding, Rule
from patients.screening.questions import MEDICINES, Question

PRESCRIBER = "Ask the prescriber; nobody else tells the patient to change or stop it."


def sentence(finding: Finding, protocol: Protocol, skin_type: str) -> str:
    """What is in the way, and the way out."""
    if finding.rule == Rule.AGE:
        return f"{protocol.name.en} is for people of {protocol.applicability.min_age} and older."
    if finding.rule == Rule.LACKING:
        return _lacking(finding)
    said = f"Skin type {skin_type}" if finding.answer is None else _told(finding)
    if finding.decision is not None:
        word = "treat all the same" if finding.decision.proceeds else "not treat"
        by, on = finding.decision.by, format_day(finding.decision.on)
        return f"{said}. {by} decided on {on} to {word}: {finding.decision.reason}"
    return f"{said}: {_consequence(finding)}"


def rule(finding: Finding, protocol: Protocol) -> str:
    """What asks for it, in one line."""
    title = f"{protocol.name.en} {protocol.version}"
    if finding.rule in (Rule.AGE, Rule.LACKING):
        return f"{title} asks for it."
    if finding.rule == Rule.SKIN_TYPE or finding.question is None:
        policy = protocol.applicability.fitzpatrick
        parts = [
            f"{name} for {', '.join(skins)}"
            for name, skins in (("review", policy.review), ("never", policy.block))
            if skins
        ]
        return f"{title} on skin types: {'; '.join(parts)}."
    washout = finding.question.washout
    wait = f", {in_words(washout, 'en')} after" if washout else ""
    asks, gives = finding.question.text.en, finding.question.outcome
    return f"{title} asks “{asks}” and answers with {gives}{wait}."


def evidence(finding: Finding, protocol: Protocol) -> tuple[str, ...]:
    """The sources behind the rule, with their grades."""
    cited = finding.question.evidence if finding.question else ()
    sources = (protocol.evidence[each] for each in cited if each in protocol.evidence)
    return tuple(f"{source.title} (grade {source.grade})." for source in sources)


def said(answer: Answer) -> str:
    """An answer in words."""
    if answer.value is Value.DATE and answer.day is not None:
        last = day_and_year(answer.day)
        return f"{format_day(answer.begins)} to {last}" if answer.begins else last
    words = {Value.YES: "yes", Value.NO: "no", Value.NEVER: "never", Value.UNSURE: "not sure"}
    return words[answer.value]


def day_and_year(day: date) -> str:
    return f"{format_day(day)} {day.year}"


def _told(finding: Finding) -> str:
    assert finding.question is not None
    assert finding.answer is not None
    return f"“{finding.question.text.en}” – {said(finding.answer)}"


def _consequence(finding: Finding) -> str:
    if finding.outcome is Outcome.BLOCK:
        if finding.until is None:
            return f"this treatment is not given. {_medicine(finding.question)}".strip()
        return f"this treatment is not given before {_first_day(finding)}."
    if finding.outcome is Outcome.DEFER:
        if finding.until is None:
            return "not now. Ask again later, or let a clinician decide."
        return f"not before {_first_day(finding)}. Move the visit, or let a clinician decide."
    if finding.outcome is Outcome.TASK:
        return _medicine(finding.question) or "the clinician should know."
    until = "" if finding.until is None else f" The first day without it is {_first_day(finding)}."
    medicine = _medicine(finding.question)
    return f"a clinician decides before treatment.{until}{' ' if medicine else ''}{medicine}"


def _medicine(question: Question | None) -> str:
    return PRESCRIBER if question is not None and question.id in MEDICINES else ""


def _first_day(finding: Finding) -> str:
    assert finding.until is not None
    return day_and_year(finding.until)


def _lacking(finding: Finding) -> str:
    if not finding.lacking:
        return "The skin type is not written down. Look at the skin and enter it."
    count = len(finding.lacking)
    what = "1 screening question is" if count == 1 else f"{count} screening questions are"
    if finding.since is None:
        return f"{what} not answered. Ask the patient."
    return f"{what} to be asked again from {format_day(finding.since)} on."
