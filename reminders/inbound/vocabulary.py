"""The words that replies are read by, in every language at once: people write in either. Pure.

They stand in words/*.toml, which clinicians own; this only puts them together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from reminders.inbound.normalising import tokens
from reminders.inbound.patterns import Pattern, compiled

LANGUAGES = ("en", "es")
Phrases = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`whole` are the phrases that count only when they and `fillers` are the whole message (or,
    for those of "keyword", a whole clause); `patterns` count wherever they stand. Both by label.

    `negations` deny the symptom before which they stand, with nothing but `bridges` between.
    A symptom within a phrase of `harmless` is none ("burn calories").
    In `slips` one letter may be wrong, unless the word is one of the `ordinary`, such as "never".
    """

    whole: Mapping[str, Phrases]
    patterns: Mapping[str, tuple[Pattern, ...]]
    harmless: tuple[Pattern, ...]
    fillers: Phrases
    negations: frozenset[str]
    bridges: frozenset[str]
    either: frozenset[str]
    slips: frozenset[str]
    ordinary: frozenset[str]
    spellings: Mapping[str, str]
    keywords: frozenset[str]


@cache
def vocabulary() -> Vocabulary:
    """Read once a process."""
    files = [_read(language) for language in LANGUAGES]
    groups: dict[str, str] = {}
    for file in files:
        for name, words in file["groups"].items():
            groups[name] = "|".join(filter(None, (groups.get(name), words)))
    spellings = {word: plain for file in files for word, plain in file["spellings"].items()}

    def listed(table: str, key: str) -> list[str]:
        return [line for file in files for line in file.get(table, {}).get(key, ())]

    def phrases(lines: Iterable[str]) -> Phrases:
        """Longest first, so that "see you then" is not read as "see you"."""
        folded = {tokens(line, spellings={}, keywords=()) for line in lines}
        return tuple(sorted(folded, key=lambda phrase: (-len(phrase), phrase)))

    tables = {name for file in files for name in file if "phrases" in file[name]}
    wholes = {name for file in files for name in file if "whole" in file[name]}
    return Vocabulary(
        whole={name: phrases(listed(name, "whole")) for name in wholes},
        patterns={
            name: tuple(compiled(line, groups) for line in listed(name, "phrases"))
            for name in tables - {"harmless"}
        },
        harmless=tuple(compiled(line, groups) for line in listed("harmless", "phrases")),
        fillers=phrases(listed("fillers", "words")),
        negations=frozenset(listed("negation", "words")),
        bridges=frozenset(listed("negation", "bridges")),
        either=frozenset(listed("negation", "either")),
        slips=frozenset(listed("slips", "words")),
        ordinary=frozenset(listed("ordinary", "words")),
        spellings=spellings,
        keywords=frozenset(listed("keyword", "whole")),
    )


def _read(language: str) -> dict[str, Any]:
    file = resources.files("reminders.inbound") / "words" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
