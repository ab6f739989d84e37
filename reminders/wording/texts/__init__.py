"""The templates of every message kind in every language, read once when first imported.

`en.toml` and `es.toml` hold the words, `frame.html` the page around an e-mail. A file with a
kind or value that is not known, or without one that is needed, stops the import. Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from reminders.catalogue import Kind
from reminders.wording.phrases import Phrase, PhraseError, parse

_HERE = Path(__file__).parent
_SEVERAL = ("sms", "subject", "opening")

SMS_VALUES = frozenset(
    {
        *("sms_name", "first_name", "when", "previous_when", "phone"),
        *("care_url", "steps_url", "more_url", "until", "text"),
    }
)
EMAIL_VALUES = frozenset({"first_name", "clinic_name", "when", "phone", "count", "until", "text"})
WORD_VALUES = EMAIL_VALUES | {"session", "sessions", "previous_when"}


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one kind. The `several` forms speak of more than one visit."""

    sms: Phrase
    subject: Phrase
    opening: Phrase
    closing: Phrase
    sms_several: Phrase
    subject_several: Phrase
    opening_several: Phrase


@dataclass(frozen=True, slots=True)
class Language:
    """`words` are what messages of different kinds share."""

    words: Mapping[str, Phrase]
    kinds: Mapping[Kind, Wording]


def read_wording(sources: Mapping[str, str], place: str = "") -> Wording:
    """The words with these phrases by their names; PhraseError when one cannot be read.

    A `several` form that is left out is the same as the one for one visit.
    """
    whole = {f"{key}_several": sources[key] for key in _SEVERAL} | {"closing": ""} | dict(sources)
    return Wording(
        **{
            key: _checked(
                source, SMS_VALUES if key.startswith("sms") else EMAIL_VALUES, f"{place}.{key}"
            )
            for key, source in whole.items()
        }
    )


def _document(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((_HERE / f"{name}.toml").read_text(encoding="utf-8"))


def _language(name: str, document: Mapping[str, Mapping[str, str]]) -> Language:
    words = {
        key: _checked(source, WORD_VALUES, f"{name}.toml: words.{key}")
        for key, source in document["words"].items()
    }
    kinds = {
        Kind(kind): read_wording(table, f"{name}.toml: {kind}")
        for kind, table in document.items()
        if kind != "words"
    }
    if lacking := [kind for kind in Kind if kind not in kinds]:
        raise PhraseError(f"{name}.toml: {lacking[0]} has no words.")
    return Language(words, kinds)


def _checked(source: str, known: frozenset[str], place: str) -> Phrase:
    phrase = parse(source)
    if strange := sorted(phrase.names - known):
        raise PhraseError(f"{place}: no value is called “{strange[0]}”.")
    return phrase


# language → kind (or "words") → phrase → text, as written in the files.
SOURCES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    name: _document(name) for name in ("en", "es")
}
LANGUAGES: Mapping[str, Language] = {
    name: _language(name, document) for name, document in SOURCES.items()
}
FRAME = Template((_HERE / "frame.html").read_text(encoding="utf-8"))
