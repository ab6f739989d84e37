"""What was answered for one treatment: how long each answer counts, what it bars. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from patients.screening import validity
from patients.screening.answers import Answer, current
from patients.screening.assessing import Finding, Screened, assess
from patients.screening.questions import SKIN_TYPE, Question, questions_of


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer that tells about a question now, for one `area` ("": the whole body).

    `counts_until` is the first local day on which it is asked again; None while it stands until
    then, as whatever is wrong does. `finding` is what it leads to, if anything.
    """

    question: Question
    area: str
    answer: Answer
    counts_until: date | None
    finding: Finding | None


def answered(screened: Screened) -> tuple[Answered, ...]:
    """Every answer that tells about the treatment, in the protocol's order; each once."""
    by_answer = {
        pk: finding for finding in assess(screened) for pk in finding.answers if finding.answers
    }
    return tuple(_answered(screened, by_answer))


def _answered(screened: Screened, by_answer: dict[int, Finding]) -> Iterator[Answered]:
    for question in questions_of(screened.protocol):
        if question.id == SKIN_TYPE:
            continue
        told = current(question, screened.areas, screened.answers)
        seen: set[int] = set()
        for area, answer in told.items():
            if answer is None or answer.id in seen:
                continue
            seen.add(answer.id)
            ends = None
            if answer.is_clear:
                ends = validity.runs_out(question, answer, treated_at=screened.treated_at)
            yield Answered(question, area, answer, ends, by_answer.get(answer.id))
