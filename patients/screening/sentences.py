"""What a finding says to staff: what is wrong, until when, and what asks for it. Pure.

What is `to_keep` is stored with its facts, and told later; the rest is told to who reads it now.

Never advises to stop a prescribed medicine: that is the prescriber's word.
"""

from __future__ import annotations

from datetime import date

from clinic.protocols.schema import Outcome, Protocol
from clinic.retelling import Fact, dated, day, either, kept, retold, span, text, together, word
from clinic.saying import gettext, language, ngettext, noop
from clinic.saying_days import format_day
from patients.screening.answers import Answer, Value
from patients.screening.assessing import Decision, Finding, Rule
from patients.screening.questions import MEDICINES, Question

_ANSWERS = {
    Value.YES: noop("yes"),
    Value.NO: noop("no"),
    Value.NEVER: noop("never"),
    Value.UNSURE: noop("not sure"),
}
_OUTCOMES = {
    Outcome.BLOCK: noop("no treatment"),
    Outcome.DEFER: noop("a later day"),
    Outcome.REVIEW: noop("a clinician's decision"),
    Outcome.TASK: noop("a task for staff"),
}
_DECISIONS = (noop("treat all the same"), noop("not treat"))
PRESCRIBER = noop("Ask the prescriber; nobody else tells the patient to change or stop it.")


def sentence(finding: Finding, protocol: Protocol, skin_type: str) -> str:
    """What is in the way, and the way out."""
    return retold(to_keep(finding, protocol, skin_type))


def to_keep(finding: Finding, protocol: Protocol, skin_type: str) -> str:
    """The same, to store; but what is only lacking, which passes, as it is told now."""
    if finding.rule == Rule.AGE:
        return kept(
            "%(protocol)s is for people of %(min_age)s and older.",
            protocol=either(protocol.name.en, protocol.name.es),
            min_age=protocol.applicability.min_age,
        )
    if finding.rule == Rule.LACKING:
        return lacking(len(finding.lacking), finding.since)
    found = (
        kept("Skin type %(skin_type)s:", skin_type=text(skin_type))
        if finding.answer is None
        else _found(finding, finding.answer)
    )
    then = [_decided(finding.decision)] if finding.decision else _consequence(finding)
    return together([found, *then])


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
    if finding.rule in (Rule.AGE, Rule.LACKING):
        return asks_for_it(protocol)
    return retold(rule_to_keep(finding, protocol))


def asks_for_it(protocol: Protocol) -> str:
    return retold(_protocol_asks(protocol))


def _protocol_asks(protocol: Protocol) -> str:
    return kept("%(title)s asks for it.", title=_title(protocol))


def _title(protocol: Protocol) -> Fact:
    name, version = protocol.name, protocol.version
    return either(f"{name.en} {version}", f"{name.es} {version}")


def rule_to_keep(finding: Finding, protocol: Protocol) -> str:
    if finding.rule in (Rule.AGE, Rule.LACKING):
        return _protocol_asks(protocol)
    title = _title(protocol)
    if finding.rule == Rule.SKIN_TYPE or finding.question is None:
        return _skin_rule(protocol, title)
    question = finding.question
    facts = {
        "title": title,
        "asks": either(question.text.en, question.text.es),
        "gives": word(_OUTCOMES[question.outcome]),
    }
    if question.washout is None:
        return kept("%(title)s asks “%(asks)s” and answers with %(gives)s.", **facts)
    return kept(
        "%(title)s asks “%(asks)s” and answers with %(gives)s, %(washout)s after.",
        **facts,
        washout=span(question.washout),
    )


def _skin_rule(protocol: Protocol, title: Fact) -> str:
    policy = protocol.applicability.fitzpatrick
    review, never = text(", ".join(policy.review)), text(", ".join(policy.block))
    if policy.review and policy.block:
        return kept(
            "%(title)s on skin types: review for %(review)s; never for %(never)s.",
            title=title,
            review=review,
            never=never,
        )
    if policy.block:
        return kept("%(title)s on skin types: never for %(never)s.", title=title, never=never)
    return kept("%(title)s on skin types: review for %(review)s.", title=title, review=review)


def evidence(finding: Finding, protocol: Protocol) -> tuple[str, ...]:
    """The sources behind the rule, with their grades."""
    return tuple(map(retold, evidence_to_keep(finding, protocol)))


def evidence_to_keep(finding: Finding, protocol: Protocol) -> tuple[str, ...]:
    cited = finding.question.evidence if finding.question else ()
    sources = (protocol.evidence[each] for each in cited if each in protocol.evidence)
    return tuple(
        kept("%(title)s (grade %(grade)s).", title=text(each.title), grade=text(each.grade))
        for each in sources
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
    return gettext(_ANSWERS[answer.value])


def leads_to(finding: Finding) -> str:
    """What comes of an answer, without saying it again."""
    if finding.decision is not None:
        return retold(_decided(finding.decision))
    told = retold(together(_consequence(finding)))
    return told[:1].upper() + told[1:]


def _decided(decision: Decision) -> str:
    """Who decided what, when and why."""
    return kept(
        "%(by)s decided on %(on)s to %(word)s: %(reason)s",
        by=text(decision.by),
        on=day(decision.on),
        word=word(_DECISIONS[0] if decision.proceeds else _DECISIONS[1]),
        reason=text(decision.reason),
    )


def who_and_when(answer: Answer, by: str) -> str:
    """Who wrote it down (`by` is empty for the patient) and when; and how it was asked."""
    who = by or gettext("the patient")
    together = gettext("asked together with others")
    parts = [who, day_and_year(answer.said_on), *([together] if answer.together else [])]
    return ", ".join(parts)


def day_and_year(day: date) -> str:
    return format_day(day, language(), year=True)


def _found(finding: Finding, answer: Answer) -> str:
    assert finding.question is not None
    question = either(finding.question.text.en, finding.question.text.es)
    if answer.value is not Value.DATE or answer.day is None:
        about = word(_ANSWERS[answer.value])
        return kept("“%(question)s” – %(answer)s:", question=question, answer=about)
    if answer.begins is None:
        return kept("“%(question)s” – %(answer)s:", question=question, answer=dated(answer.day))
    return kept(
        "“%(question)s” – %(begins)s to %(last)s:",
        question=question,
        begins=day(answer.begins),
        last=dated(answer.day),
    )


def _consequence(finding: Finding) -> list[str]:
    """The sentences that follow, each to store; the first goes on from what was found."""
    medicine = _medicine(finding.question)
    first = dated(finding.until) if finding.until is not None else None
    if finding.outcome is Outcome.BLOCK:
        if first is None:
            return [noop("this treatment is not given."), *medicine]
        return [kept("this treatment is not given before %(finding)s.", finding=first)]
    if finding.outcome is Outcome.DEFER:
        if first is None:
            return [noop("not now. Ask again later, or let a clinician decide.")]
        return [
            kept(
                "not before %(finding)s. Move the visit, or let a clinician decide.", finding=first
            )
        ]
    if finding.outcome is Outcome.TASK:
        return medicine or [noop("the clinician should know.")]
    until = [kept("The first day without it is %(day)s.", day=first)] if first is not None else []
    return [noop("a clinician decides before treatment."), *until, *medicine]


def _medicine(question: Question | None) -> list[str]:
    return [PRESCRIBER] if question is not None and question.id in MEDICINES else []


def lacking(count: int, since: date | None) -> str:
    """That so many questions have no answer, or none that counts from a local day on; or, of
    none, that the skin type is not written down."""
    if not count:
        return gettext("The skin type is not written down. Look at the skin and enter it.")
    if since is None:
        return ngettext(
            "%(count)s screening question is not answered. Ask the patient.",
            "%(count)s screening questions are not answered. Ask the patient.",
            count,
        ) % {"count": count}
    return ngettext(
        "%(count)s screening question is to be asked again from %(day)s on.",
        "%(count)s screening questions are to be asked again from %(day)s on.",
        count,
    ) % {"count": count, "day": format_day(since, language())}
