"""Sentences that are stored and told later, each to its reader in their language. Pure.

What is stored is one text: the message as it stands in the catalogue of words, and after it the
facts it is about, each with its name and the sign of its kind. A text without facts is its own
message, so what was stored before sentences kept their facts reads as it did, in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NewType

from clinic import saying_days, saying_times
from clinic.durations import Duration, in_words, parse
from clinic.saying import gettext, language, ngettext

Fact = NewType("Fact", str)

# Before each fact, between the parts of one, and between the sentences of the same text.
_FACT, _PART, _NEXT = "\x1f", "\x1d", "\x1e"
_SIGNS = dict.fromkeys(map(ord, (_FACT, _PART, _NEXT)), " ")
_TEXT, _MOMENT, _DAY, _DATED, _SPAN, _COUNTED, _WORD, _EITHER = "=@/*~#!|"
# A place of a message; no width is understood, so that no text can ask for a very long one.
_PLACE = re.compile(r"%(?:\((\w+)\)s|%)")


def kept(message: str, /, **facts: Fact | int) -> str:
    """A sentence to store: a `message` with named places, and what stands in them."""
    return message + "".join(
        [
            f"{_FACT}{name}{_TEXT}{fact}" if isinstance(fact, int) else f"{_FACT}{name}{fact}"
            for name, fact in facts.items()
        ]
    )


def text(as_it_is: str) -> Fact:
    """A name, or whatever else is the same in every language."""
    return Fact(_TEXT + _clean(as_it_is))


def moment(at: datetime, zone: str) -> Fact:
    """An instant (UTC) on the clock of `zone`; told with its year when that is another than the
    reader's."""
    return Fact(f"{_MOMENT}{int(at.timestamp())}{_PART}{zone}")


def day(on: date) -> Fact:
    """A local date, told with its year as a moment is."""
    return Fact(f"{_DAY}{on.isoformat()}")


def dated(on: date) -> Fact:
    """A local date, always told with its year."""
    return Fact(f"{_DATED}{on.isoformat()}")


def span(duration: Duration) -> Fact:
    """A duration, told in words."""
    return Fact(f"{_SPAN}{duration}")


def counted(one: str, many: str, count: int) -> Fact:
    """A message that says how many, `%(count)s` of them."""
    return Fact(f"{_COUNTED}{_clean(one)}{_PART}{_clean(many)}{_PART}{count}")


def word(*messages: str) -> Fact:
    """Words of the catalogue, told with commas between them."""
    return Fact(_WORD + _PART.join(map(_clean, messages)))


def either(en: str, es: str) -> Fact:
    """A text that exists in both languages."""
    return Fact(f"{_EITHER}{_clean(en)}{_PART}{_clean(es)}") if en != es else text(en)


def together(sentences: Iterable[str], *, most: int | None = None) -> str:
    """Several sentences to store as one text, of which there is room for `most` characters.

    A first one that is longer is stored as it is told now, and cut.
    """
    stored = ""
    for each in filter(None, sentences):
        longer = f"{stored}{_NEXT}{each}" if stored else each
        if most is not None and len(longer) > most:
            return stored or retold(each)[:most]
        stored = longer
    return stored


def retold(stored: str) -> str:
    """What is stored, in the language of who reads it, as far as its words are in the catalogue."""
    return " ".join(_retold(each) for each in stored.split(_NEXT) if each)


def anew(value: Any) -> Any:
    """A value of JSON with every sentence in it that has facts, or others beside it, retold."""
    if isinstance(value, str):
        return retold(value) if _FACT in value or _NEXT in value else value
    if isinstance(value, list):
        return [anew(each) for each in value]
    if isinstance(value, dict):
        return {key: anew(each) for key, each in value.items()}
    return value


def _retold(sentence: str) -> str:
    """What cannot be read, such as a text of somebody who wrote our signs, is told without them."""
    message, *facts = sentence.split(_FACT)
    if not facts:
        return gettext(message)
    try:
        return _filled(gettext(message), dict([_told(fact) for fact in facts]))
    except (ArithmeticError, LookupError, OSError, StopIteration, TypeError, ValueError):
        return sentence.translate(_SIGNS)


def _filled(message: str, facts: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: facts[place[1]] if place[1] else "%", message)


def _clean(words: str) -> str:
    return words if words.isprintable() else words.translate(_SIGNS)


def _told(fact: str) -> tuple[str, str]:
    """The name of a fact, and what is said of it."""
    at = next(at for at, sign in enumerate(fact) if not (sign.isalnum() or sign == "_"))
    name, kind, parts = fact[:at], fact[at], fact[at + 1 :].split(_PART)
    match kind, parts:
        case "@", [seconds, zone]:
            instant = datetime.fromtimestamp(int(seconds), UTC)
            return name, saying_times.format_when(instant, zone, language())
        case "/", [on]:
            return name, saying_days.format_day(date.fromisoformat(on), language())
        case "*", [on]:
            return name, saying_days.format_day(date.fromisoformat(on), language(), year=True)
        case "~", [duration]:
            return name, in_words(parse(duration), language())
        case "#", [one, many, count]:
            return name, _filled(ngettext(one, many, int(count)), {"count": count})
        case "!", messages:
            return name, ", ".join(map(gettext, messages))
        case "|", [en, es]:
            return name, es if language() == "es" else en
    return name, parts[0]
