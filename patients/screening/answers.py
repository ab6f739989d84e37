"""Answers, and which of them tells about a question now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from clinic.protocols.areas import parts_of
from clinic.protocols.schema import Reach, Trigger
from patients.screening.questions import Question


class Value(StrEnum):
    """A yes or no; a day, or never; or unsure, which somebody has to look into."""

    YES = "yes"
    NO = "no"
    DATE = "date"
    NEVER = "never"
    UNSURE = "unsure"


CLEAR = frozenset({Value.NO, Value.NEVER})
# What says no to a question.
NO_TO = {Trigger.YES: Value.NO, Trigger.WITHIN_WASHOUT: Value.NEVER}
FITTING = {
    Trigger.YES: (Value.NO, Value.YES, Value.UNSURE),
    Trigger.WITHIN_WASHOUT: (Value.NEVER, Value.DATE, Value.UNSURE),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered to one question; `day` and `begins` as in `Answer`. `together` when it was
    said in one word with others."""

    value: Value
    day: date | None = None
    begins: date | None = None
    together: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a patient said. `area` is empty for the whole body. `day` is the last day of what was
    asked about, `begins` the first of what is planned; `said_on` the local day of the site on
    which it was said. `wording` tells which question was asked (`Question.wording`)."""

    id: int
    question: str
    wording: str
    area: str
    value: Value
    said_at: datetime
    said_on: date
    day: date | None = None
    begins: date | None = None
    together: bool = False

    @property
    def is_clear(self) -> bool:
        return self.value in CLEAR


# The latest answer to one question by area ("" for the whole body).
Told = Mapping[str, Answer | None]


def current(question: Question, areas: Iterable[str], answers: Iterable[Answer]) -> Told:
    """The latest answer that tells about a question for each of `areas`; one under "" when it is
    about the whole body, None where there is none."""
    places = tuple(areas) if question.scope is Reach.AREA else ("",)
    of_it = [answer for answer in answers if answer.question == question.id]
    of_it.sort(key=_said, reverse=True)
    return {place: _latest(question, place, of_it) for place in places}


def _said(answer: Answer) -> tuple[datetime, int]:
    return answer.said_at, answer.id


def _latest(question: Question, area: str, newest_first: Sequence[Answer]) -> Answer | None:
    return next((each for each in newest_first if _tells(each, question, area)), None)


def _tells(answer: Answer, question: Question, area: str) -> bool:
    """What is wrong counts wherever the areas touch, whoever asked; what is clear only for the
    very question that was asked, about the whole of the area."""
    if answer.value not in FITTING[question.trigger]:
        return False
    if question.scope is Reach.SYSTEMIC or not answer.area:
        return not answer.is_clear or answer.wording == question.wording
    there, here = parts_of(answer.area), parts_of(area)
    if answer.is_clear:
        return answer.wording == question.wording and here <= there
    return not here.isdisjoint(there)
