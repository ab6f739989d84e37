"""The questions as fields of a page without script, and what was answered in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from patients.screening.answers import FITTING, Said, Value
from patients.screening.questions import Question

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "yes": "Yes",
        "no": "No",
        "never": "Never",
        "date": "Yes, the last day was",
        "unsure": "I am not sure",
        "not_planned": "No",
        "planned": "Yes, from the first to the last day",
        "first": "First day",
        "last": "Last day",
        "choose": "Choose an answer.",
        "day": "Give the day, or choose another answer.",
        "which": "A day stands here too: choose the answer that goes with it, or clear it.",
    },
    "es": {
        "yes": "Sí",
        "no": "No",
        "never": "Nunca",
        "date": "Sí, el último día fue",
        "unsure": "No lo sé",
        "not_planned": "No",
        "planned": "Sí, del primer al último día",
        "first": "Primer día",
        "last": "Último día",
        "choose": "Elija una respuesta.",
        "day": "Indique el día o elija otra respuesta.",
        "which": "Aquí también hay un día: elija la respuesta que le corresponde o borre el día.",
    },
}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(slots=True)
class Field:
    """One question with what was typed; `problem` says what to mend, in the reader's language."""

    question: Question
    text: str
    options: Sequence[Option]
    words: Mapping[str, str]
    day: str = ""
    begins: str = ""
    problem: str = ""

    @property
    def name(self) -> str:
        return f"q_{self.question.id}"

    @property
    def days(self) -> Sequence[tuple[str, str, str]]:
        """The names, labels and contents of its fields for days."""
        last = (f"{self.name}_day", self.words["last"], self.day)
        if self.question.is_planned:
            return (f"{self.name}_begins", self.words["first"], self.begins), last
        return (last,) if self.question.asks_for_a_day else ()


def fields(questions: Iterable[Question], data: Mapping[str, str], *, language: str) -> list[Field]:
    """The questions in "en" or "es" with the answers in `data`, where there are some."""
    return [_field(question, data, language) for question in questions]


def said_in(
    asked: Iterable[Field], data: Mapping[str, str], *, complete: bool
) -> tuple[dict[str, Said], bool]:
    """What was answered, and whether it may be taken as it is. With `complete` nothing may be
    left open; the fields get their problems."""
    said: dict[str, Said] = {}
    is_right = True
    for field in asked:
        value = data.get(field.name, "") or (Value.DATE if field.day else "")
        if field.days and (field.day or field.begins) and value not in ("", Value.DATE):
            field.problem, is_right = field.words["which"], False
            continue
        if value not in FITTING[field.question.trigger]:
            if complete or value:
                field.problem, is_right = field.words["choose"], False
            continue
        last, first = _day(field.day), _day(field.begins)
        if value == Value.DATE and (last is None or (field.begins and first is None)):
            field.problem, is_right = field.words["day"], False
            continue
        dated = value == Value.DATE
        said[field.question.id] = Said(
            Value(value), last if dated else None, first if dated else None
        )
    return said, is_right


def _field(question: Question, data: Mapping[str, str], language: str) -> Field:
    words = WORDS[language]
    name = f"q_{question.id}"
    return Field(
        question=question,
        text=question.text.get(language),
        options=[
            Option(value, _label(question, value, words), data.get(name) == value)
            for value in FITTING[question.trigger]
        ],
        words=words,
        day=data.get(f"{name}_day", ""),
        begins=data.get(f"{name}_begins", ""),
    )


def _label(question: Question, value: Value, words: Mapping[str, str]) -> str:
    if question.is_planned:
        return words[{Value.NEVER: "not_planned", Value.DATE: "planned"}.get(value, value)]
    return words[value]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
