"""What a finding says to staff: what is wrong, until when, and what asks for it. Pure.

Never advises to stop a prescribed medicine: that is the prescriber's word.
"""

from __future__ import annotations

from datetime import date

from clinic.durations import in_words
from clinic.hours import format_day
from clinic.protocols.schema import Outcome, Protocol
from clinic.saying import gettext, language, ngettext, noop
from patients.screening.answers import Answer, Value
from patients.screening.assessing import Finding, Rule
from patients.screening.questions import MEDICINES, Question

PRESCRIBER = noop("Ask the prescriber; nobody else tells the patient to change or stop it.")


def sentence(finding: Finding, protocol: Protocol, skin_type: str) -> str:
    """What is in the way, and the way out."""
    if finding.rule == Rule.AGE:
        return gettext("%(protocol)s is for people of %(min_age)s and older.") % {
            "protocol": protocol.name.get(language()),
            "min_age": protocol.applicability.min_age,
        }
    if finding.rule == Rule.LACKING:
        return _lacking(finding)
    said = (
        gettext("Skin type %(skin_type)s") % {"skin_type": skin_type}
        if finding.answer is None
        else _told(finding)
    )
    if finding.decision is not None:
        return f"{said}. {sentence_of_decision(finding)}"
    return f"{said}: {_consequence(finding)}"


def flag(finding: Finding) -> str:
    """What is found in a few words, without what was answered: others may look on."""
    if finding.rule == Rule.AGE:
        return gettext("too young")
    if finding.outcome is Outcome.BLOCK:
        return gettext("not to be treated")
    if finding.outcome is Outcome.DEFER and finding.until is not None:
        return gettext("not before %(day)s") % {"day": format_day(finding.until, language())}
    return gettext("not now") if finding.outcome is Outcome.DEFER else gettext("to be decided on")


def rule(finding: Finding, protocol: Protocol) -> str:
    """What asks for it, in one line."""
    title = f"{protocol.name.get(language())} {protocol.version}"
    if finding.rule in (Rule.AGE, Rule.LACKING):
        return gettext("%(title)s asks for it.") % {"title": title}
    if finding.rule == Rule.SKIN_TYPE or finding.question is None:
        policy = protocol.applicability.fitzpatrick
        parts = [
            gettext("%(name)s for %(skins)s") % {"name": name, "skins": ", ".join(skins)}
            for name, skins in (("review", policy.review), ("never", policy.block))
            if skins
        ]
        return gettext("%(title)s on skin types: %(parts)s.") % {
            "title": title,
            "parts": "; ".join(parts),
        }
    washout = finding.question.washout
    wait = (
        gettext(", %(washout)s after") % {"washout": in_words(washout, language())}
        if washout
        else ""
    )
    asks, gives = finding.question.text.get(language()), finding.question.outcome
    return gettext("%(title)s asks “%(asks)s” and answers with %(gives)s%(wait)s.") % {
        "title": title,
        "asks": asks,
        "gives": gives,
        "wait": wait,
    }


def evidence(finding: Finding, protocol: Protocol) -> tuple[str, ...]:
    """The sources behind the rule, with their grades."""
    cited = finding.question.evidence if finding.question else ()
    sources = (protocol.evidence[each] for each in cited if each in protocol.evidence)
    return tuple(
        gettext("%(title)s (grade %(grade)s).") % {"title": source.title, "grade": source.grade}
        for source in sources
    )


def said(answer: Answer) -> str:
    """An answer in words."""
    if answer.value is Value.DATE and answer.day is not None:
        last = day_and_year(answer.day)
        return (
            gettext("%(begins)s to %(last)s")
            % {"begins": format_day(answer.begins, language()), "last": last}
            if answer.begins
            else last
        )
    words = {
        Value.YES: gettext("yes"),
        Value.NO: gettext("no"),
        Value.NEVER: gettext("never"),
        Value.UNSURE: gettext("not sure"),
    }
    return words[answer.value]


def leads_to(finding: Finding) -> str:
    """What comes of an answer, without saying it again."""
    if finding.decision is not None:
        return sentence_of_decision(finding)
    return _consequence(finding)[:1].upper() + _consequence(finding)[1:]


def sentence_of_decision(finding: Finding) -> str:
    """Who decided what, when and why."""
    assert finding.decision is not None
    word = gettext("treat all the same") if finding.decision.proceeds else gettext("not treat")
    return gettext("%(by)s decided on %(on)s to %(word)s: %(reason)s") % {
        "by": finding.decision.by,
        "on": format_day(finding.decision.on, language()),
        "word": word,
        "reason": finding.decision.reason,
    }


def who_and_when(answer: Answer, by: str) -> str:
    """Who wrote it down (`by` is empty for the patient) and when; and how it was asked."""
    who = by or gettext("the patient")
    together = gettext("asked together with others")
    parts = [who, day_and_year(answer.said_on), *([together] if answer.together else [])]
    return ", ".join(parts)


def day_and_year(day: date) -> str:
    return format_day(day, language(), year=True)


def _told(finding: Finding) -> str:
    assert finding.question is not None
    assert finding.answer is not None
    return f"“{finding.question.text.get(language())}” – {said(finding.answer)}"


def _consequence(finding: Finding) -> str:
    if finding.outcome is Outcome.BLOCK:
        if finding.until is None:
            return (
                gettext("this treatment is not given.") + " " + _medicine(finding.question)
            ).strip()
        return gettext("this treatment is not given before %(finding)s.") % {
            "finding": _first_day(finding)
        }
    if finding.outcome is Outcome.DEFER:
        if finding.until is None:
            return gettext("not now. Ask again later, or let a clinician decide.")
        return gettext("not before %(finding)s. Move the visit, or let a clinician decide.") % {
            "finding": _first_day(finding)
        }
    if finding.outcome is Outcome.TASK:
        return _medicine(finding.question) or gettext("the clinician should know.")
    until = (
        ""
        if finding.until is None
        else gettext("The first day without it is %(day)s.") % {"day": _first_day(finding)}
    )
    medicine = _medicine(finding.question)
    return " ".join(
        part for part in (gettext("a clinician decides before treatment."), until, medicine) if part
    )


def _medicine(question: Question | None) -> str:
    return gettext(PRESCRIBER) if question is not None and question.id in MEDICINES else ""


def _first_day(finding: Finding) -> str:
    assert finding.until is not None
    return day_and_year(finding.until)


def _lacking(finding: Finding) -> str:
    if not finding.lacking:
        return gettext("The skin type is not written down. Look at the skin and enter it.")
    count = len(finding.lacking)
    if finding.since is None:
        return ngettext(
            "%(count)s screening question is not answered. Ask the patient.",
            "%(count)s screening questions are not answered. Ask the patient.",
            count,
        ) % {"count": count}
    return ngettext(
        "%(count)s screening question is to be asked again from %(day)s on.",
        "%(count)s screening questions are to be asked again from %(day)s on.",
        count,
    ) % {"count": count, "day": format_day(finding.since, language())}
