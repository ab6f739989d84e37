"""What follows from the answers for one treatment: clear, a task, review, defer or block. Pure.

The outcome never depends on the order of answers, and one more contraindication never makes it
milder. Which day is meant is left open: a finding says from when until when it stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from clinic.durations import Duration
from clinic.protocols.schema import Outcome, Protocol, SkinType, Trigger
from clinic.wall_time import shifted_day
from patients.screening import validity
from patients.screening.answers import Answer, Told, Value, current
from patients.screening.questions import SKIN_TYPE, Question, chained, questions_of

STRICTNESS = (Outcome.TASK, Outcome.REVIEW, Outcome.DEFER, Outcome.BLOCK)
DARKER = frozenset({SkinType.IV, SkinType.V, SkinType.VI})


class Rule(StrEnum):
    """What asks for a finding besides a question of the protocol."""

    SKIN_TYPE = "fitzpatrick"
    AGE = "min_age"
    LACKING = "lacking"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to treat in spite of exactly these `answers` (ids) and this skin type, by one rule
    of one protocol. `by` is a name, `on` a local day."""

    id: int
    protocol: str
    rule: str
    answers: frozenset[int]
    skin_type: str
    proceeds: bool
    reason: str
    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Screened:
    """One treatment and what is known of the patient. `treated_at` is when their last treatment
    ended (UTC), `beside` the protocols of other treatments that are under way in the same place."""

    protocol: Protocol
    areas: tuple[str, ...]
    answers: tuple[Answer, ...]
    birth_date: date
    skin_type: str = ""
    decisions: tuple[Decision, ...] = ()
    treated_at: datetime | None = None
    beside: tuple[Protocol, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, which stands on every local day `since` and before `until`.

    `rule` is the id of a question or a `Rule`; `question` and `answer` (the one that tells most)
    are there in the first case. `answers` are the ids that a decision has to cover. With a
    decision to treat it stands no more; with one against it is a block.
    """

    rule: str
    outcome: Outcome
    since: date | None = None
    until: date | None = None
    question: Question | None = None
    answer: Answer | None = None
    answers: frozenset[int] = frozenset()
    lacking: tuple[Question, ...] = ()
    decision: Decision | None = None

    @property
    def is_lifted(self) -> bool:
        return self.decision is not None and self.decision.proceeds

    @property
    def may_be_decided(self) -> bool:
        """What a protocol blocks is nobody's to decide, and what is lacking is asked."""
        if self.decision is not None:
            return True
        return self.outcome in (Outcome.REVIEW, Outcome.DEFER) and self.rule != Rule.LACKING

    @property
    def digest(self) -> str:
        """Which finding it is, until it is answered anew or decided: 16 hex digits."""
        decided = self.decision.id if self.decision else 0
        about = f"{self.rule} {sorted(self.answers)} {decided}"
        return sha256(about.encode()).hexdigest()[:16]

    def stands_on(self, day: date) -> bool:
        if self.is_lifted:
            return False
        after = self.since is None or self.since <= day
        return after and (self.until is None or day < self.until)


def assess(screened: Screened) -> tuple[Finding, ...]:
    """Everything found, in the order of the protocol; nothing means clear."""
    of_answers = (
        _of_told(screened)
        if screened.answers
        else _of_untold(screened.protocol, screened.areas, screened.skin_type)
    )
    found = (*_of_patient(screened), *of_answers)
    return tuple(_decided(finding, screened) for finding in found)


def outcome_on(findings: Sequence[Finding], day: date) -> Outcome | None:
    """The strictest outcome that stands on a day; None is clear."""
    standing = [finding.outcome for finding in findings if finding.stands_on(day)]
    return max(standing, key=STRICTNESS.index, default=None)


# --- The patient ----------------------------------------------------------------------------------


def _of_patient(screened: Screened) -> Iterator[Finding]:
    applicability = screened.protocol.applicability
    old_enough = shifted_day(screened.birth_date, Duration(months=12 * applicability.min_age))
    if old_enough.day != screened.birth_date.day:  # born on 29 February
        old_enough += timedelta(days=1)
    yield Finding(Rule.AGE, Outcome.BLOCK, until=old_enough)
    policy = applicability.fitzpatrick
    if not screened.skin_type:
        return
    skin = SkinType(screened.skin_type)
    if skin in policy.block:
        yield Finding(Rule.SKIN_TYPE, Outcome.BLOCK)
    elif skin in policy.review:
        yield Finding(Rule.SKIN_TYPE, Outcome.REVIEW)


def depends_on_skin_type(protocol: Protocol) -> bool:
    """Whether the protocol treats skin types differently, so that it must be known."""
    policy = protocol.applicability.fitzpatrick
    asked = any(rule.id == SKIN_TYPE for rule in protocol.screening)
    return bool(policy.review or policy.block or asked)


# --- The answers ----------------------------------------------------------------------------------


def _of_told(screened: Screened) -> tuple[Finding, ...]:
    """What is wrong, then what is lacking."""
    by_question: dict[str, list[Answer]] = defaultdict(list)
    for answer in screened.answers:
        by_question[answer.question].append(answer)
    told = [
        (question, current(question, screened.areas, by_question[question.id]))
        for question in questions_of(screened.protocol)
    ]
    return (*_of_answers(screened, told), *_lacking(screened, told))


@lru_cache(maxsize=256)
def _of_untold(protocol: Protocol, areas: tuple[str, ...], skin_type: str) -> tuple[Finding, ...]:
    """The same of everybody whom nobody has asked, however old they are."""
    return _of_told(Screened(protocol, areas, (), date.min, skin_type))


def _of_answers(screened: Screened, told: Iterable[tuple[Question, Told]]) -> Iterator[Finding]:
    for asked, answered in told:
        if asked.id == SKIN_TYPE and screened.skin_type:
            if SkinType(screened.skin_type) in DARKER:
                yield Finding(asked.id, asked.outcome, question=asked)
            continue
        wrong = {
            answer.id: answer for answer in answered.values() if answer and not answer.is_clear
        }
        if not wrong:
            continue
        question = chained(asked, screened.protocol, screened.beside)
        by_outcome: dict[int, list[Answer]] = defaultdict(list)
        for answer in wrong.values():
            by_outcome[_outcome(question, answer)].append(answer)
        for rank, answers in sorted(by_outcome.items(), reverse=True):
            yield _of_question(question, STRICTNESS[rank], answers)


def _of_question(question: Question, outcome: Outcome, wrong: Sequence[Answer]) -> Finding:
    """One finding for all areas: the answer that holds back longest tells."""
    spans = {answer: _span(question, answer) for answer in wrong}
    longest = max(wrong, key=lambda answer: (spans[answer][1] or date.max, answer.id))
    begins = [since for since, _ in spans.values() if since is not None]
    return Finding(
        question.id,
        outcome,
        since=min(begins) if len(begins) == len(wrong) else None,
        until=spans[longest][1],
        question=question,
        answer=longest,
        answers=frozenset(each.id for each in wrong),
    )


def _outcome(question: Question, answer: Answer) -> int:
    """How strict it is: whoever is unsure is looked at by somebody, and not turned away."""
    full = STRICTNESS.index(question.outcome)
    if answer.value is Value.UNSURE:
        return min(full, STRICTNESS.index(Outcome.REVIEW))
    return full


def _span(question: Question, answer: Answer) -> tuple[date | None, date | None]:
    """The first local day that an answer holds back, and the first that it does not."""
    if answer.value is Value.DATE:
        assert answer.day is not None
        washout = question.washout or Duration()
        return answer.begins, shifted_day(answer.day, washout)
    passes = question.trigger is Trigger.YES and question.outcome is not Outcome.BLOCK
    if passes and question.washout and answer.value is Value.YES:
        return None, shifted_day(answer.said_on, question.washout)
    return None, None


# --- What is lacking ------------------------------------------------------------------------------


def _lacking(screened: Screened, told: Iterable[tuple[Question, Told]]) -> Iterator[Finding]:
    """The questions without an answer that counts, together by the day from which on."""
    by_day: dict[date, list[Question]] = defaultdict(list)
    for question, answered in told:
        if question.id == SKIN_TYPE:
            continue
        since = validity.lacks_since(question, answered, treated_at=screened.treated_at)
        if since is not None:
            by_day[since].append(question)
    for since, questions in sorted(by_day.items()):
        yield Finding(
            Rule.LACKING,
            Outcome.REVIEW,
            since=None if since == date.min else since,
            lacking=tuple(questions),
        )
    if depends_on_skin_type(screened.protocol) and not screened.skin_type:
        yield Finding(Rule.LACKING, Outcome.REVIEW)


# --- Decisions ------------------------------------------------------------------------------------


def _decided(finding: Finding, screened: Screened) -> Finding:
    """The finding with the latest decision that covers it. A decision is about exactly what was
    known: another answer asks for another one."""
    if not finding.may_be_decided:
        return finding
    covering = [
        each
        for each in screened.decisions
        if (each.protocol, each.rule) == (screened.protocol.id, finding.rule)
        and each.answers == finding.answers
        and each.skin_type == _skin_type_for(finding, screened)
    ]
    if not covering:
        return finding
    decision = max(covering, key=lambda each: each.id)
    strictest = finding.outcome if decision.proceeds else Outcome.BLOCK
    ends = finding.until if decision.proceeds else None
    begins = finding.since if decision.proceeds else None
    return Finding(
        finding.rule,
        strictest,
        begins,
        ends,
        finding.question,
        finding.answer,
        finding.answers,
        finding.lacking,
        decision,
    )


def _skin_type_for(finding: Finding, screened: Screened) -> str:
    """The skin type that a decision is about; empty where it is about answers."""
    return "" if finding.answers else screened.skin_type


def covers(finding: Finding, screened: Screened) -> tuple[frozenset[int], str]:
    """What a decision on a finding is about: the answers, and the skin type where that counts."""
    return finding.answers, _skin_type_for(finding, screened)
