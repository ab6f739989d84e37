"""What the linter has to say about a text: what, where, and how to mend it. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """An error keeps a text from being published, a warning asks for a tick, a note for nothing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`phrase` is the field it is about (empty: the text as a whole), `found` the stretch of it
    that is meant, if one is. `code` is for programs and stable; `what` and `mend` are sentences."""

    code: str
    level: Level
    phrase: str
    what: str
    mend: str
    found: str = ""

    @property
    def key(self) -> str:
        """The name under which a warning is accepted: the same words in another field, or other
        words in the same one, are another warning."""
        return ":".join(part for part in (self.code, self.phrase, self.found.casefold()) if part)


def error(code: str, phrase: str, what: str, mend: str, found: str = "") -> Finding:
    """A finding that keeps a text from being published."""
    return Finding(code, Level.ERROR, phrase, what, mend, found)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep a text from being published."""
    return [each for each in findings if each.level is Level.ERROR]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Those that somebody has to accept by name."""
    return [each for each in findings if each.level is Level.WARNING]
