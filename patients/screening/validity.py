"""How long an answer counts, and which questions are due. Pure.

What is asked on the day counts for that day; what is asked again before each visit for two weeks,
and not beyond a treatment; a medical history for a year. Only what is clear runs out into being
asked again: what is wrong stays wrong until it is asked again or its washout is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from clinic.durations import Duration
from clinic.protocols.schema import AskAt
from clinic.wall_time import shifted_day
from patients.screening.answers import Answer, Told, current
from patients.screening.questions import SKIN_TYPE, Question

_LIFE = {
    AskAt.DAY_OF: Duration(days=1),
    AskAt.PRE: Duration(days=14),
    AskAt.CONSULT: Duration(months=12),
}
# At each moment, what was asked at these.
_SO_FAR = {
    AskAt.CONSULT: (AskAt.PRE, AskAt.CONSULT),
    AskAt.PRE: (AskAt.PRE, AskAt.CONSULT),
    AskAt.DAY_OF: (AskAt.DAY_OF, AskAt.PRE, AskAt.CONSULT),
}


def runs_out(
    question: Question,
    answer: Answer,
    *,
    treated_at: datetime | None,
    moment: AskAt = AskAt.DAY_OF,
) -> date:
    """The first local day on which the answer counts no more, asked at `moment`. `treated_at` is
    the end of the patient's last treatment (UTC)."""
    strictest = next((each for each in _SO_FAR[moment] if each in question.ask), AskAt.PRE)
    asked_again = {AskAt.DAY_OF, AskAt.PRE} & set(question.ask)
    if asked_again and treated_at is not None and answer.said_at < treated_at:
        return answer.said_on
    return shifted_day(answer.said_on, _LIFE[strictest])


def lacks_since(
    question: Question,
    told: Told,
    *,
    treated_at: datetime | None,
    moment: AskAt = AskAt.DAY_OF,
) -> date | None:
    """The first local day on which an answer is lacking, from those that count (`current`);
    `date.min` when none was ever given."""
    if not told:
        return None
    return min(
        runs_out(question, answer, treated_at=treated_at, moment=moment) if answer else date.min
        for answer in told.values()
    )


def due(
    questions: Iterable[Question],
    areas: Iterable[str],
    answers: Iterable[Answer],
    *,
    moment: AskAt,
    day: date,
    treated_at: datetime | None,
) -> tuple[Question, ...]:
    """The questions to ask at `moment` about a treatment on the local `day`: at the consult what
    belongs there, before the visit also what was left open, on the day everything that is open."""
    wanted, known = tuple(areas), tuple(answers)
    return tuple(
        question
        for question in questions
        if question.id != SKIN_TYPE and _belongs(question, moment)
        if _is_lacking(question, wanted, known, moment=moment, day=day, treated_at=treated_at)
    )


def _belongs(question: Question, moment: AskAt) -> bool:
    if moment is AskAt.CONSULT:
        return AskAt.CONSULT in question.ask
    return moment is AskAt.DAY_OF or bool({AskAt.PRE, AskAt.CONSULT} & set(question.ask))


def _is_lacking(
    question: Question,
    areas: tuple[str, ...],
    answers: tuple[Answer, ...],
    *,
    moment: AskAt,
    day: date,
    treated_at: datetime | None,
) -> bool:
    told = current(question, areas, answers)
    since = lacks_since(question, told, treated_at=treated_at, moment=moment)
    return since is not None and since <= day
