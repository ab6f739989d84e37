"""One version of the words of a kind in a language: its phrases, its digest, and which is in force.

A version is read from its *sources*, the phrases in the notation of `phrases.py` by their names.
A phrase for several visits that is empty says the same as the one for one visit. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from reminders.catalogue import Kind
from reminders.wording.texts import SOURCES, Wording, read_wording

Sources = Mapping[str, str]

PHRASES = (
    *("sms", "sms_several", "subject", "subject_several"),
    *("opening", "opening_several", "closing"),
)
# Without these there is nothing to send.
NEEDED = ("sms", "subject", "opening")
_LINE_BREAK = re.compile(r"[^\S ]*[\r\n]+\s*")


@dataclass(frozen=True, slots=True)
class Version:
    """Words that can be rendered. `stored` is the id of the row that holds them, `label` how people
    call it; None and empty when they are the words that come with the product."""

    wording: Wording
    digest: str
    stored: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Wordings:
    """The words in force at one site: what staff published, else what comes with the product."""

    published: Mapping[tuple[str, str], Version] = field(default_factory=dict)

    def of(self, kind: Kind, language: str) -> Version:
        """The words of `kind` in `language`; KeyError when there is no such language."""
        return self.published.get((kind, language)) or shipped(kind, language)


SHIPPED = Wordings()


def version(sources: Sources, *, stored: int | None = None, label: str = "") -> Version:
    """The version with these phrases; PhraseError when one cannot be read."""
    key = tuple(sources.get(name, "") for name in PHRASES)
    return Version(_read(key), digest(sources), stored, label)


@cache
def shipped(kind: Kind, language: str) -> Version:
    """The words that come with the product."""
    return version(SOURCES[language][kind])


def tidied(sources: Sources) -> dict[str, str]:
    """Every phrase, on one line each and without characters that nobody sees."""
    return {name: _tidied(sources.get(name, "")) for name in PHRASES}


def digest(sources: Sources) -> str:
    """A fingerprint (SHA-256, hexadecimal) that is the same exactly when the phrases are."""
    written = json.dumps([sources.get(name, "") for name in PHRASES], ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _read(phrases: tuple[str, ...]) -> Wording:
    """Kept by its content: every window of the dispatcher reads the same few."""
    return read_wording({name: text for name, text in zip(PHRASES, phrases, strict=True) if text})


def _tidied(text: str) -> str:
    one_line = _LINE_BREAK.sub(" ", text)
    return "".join(char for char in one_line if char.isprintable()).strip()
