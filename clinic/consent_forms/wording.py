"""The words of a consent form: read, checked and sealed with a digest. Pure.

A body is plain text: `## ` begins a heading, `- ` a point of a list, an empty line a paragraph.
The same blocks make the page that is signed and the sheet that is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from clinic.durations import DurationError, parse
from clinic.printing import Bullets, Heading, Paragraph
from clinic.saying import gettext, noop

LANGUAGES = {"en": noop("English"), "es": noop("Spanish")}
LONGEST_TITLE, LONGEST_BODY = 120, 20_000

Blocks = tuple[Heading | Paragraph | Bullets, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A title and a body in one language."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps words from being kept: the field, and a sentence that says what to do."""

    field: str
    sentence: str


def cleaned(words: Words) -> Words:
    """As they are kept: lines without spaces at their ends, one kind of line end."""
    lines = words.body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    body = "\n".join(line.rstrip() for line in lines).strip("\n")
    return Words(" ".join(words.title.split()), body)


def problems(words: Mapping[str, Words], valid_for: str) -> list[Problem]:
    """What is wrong with `words` (by language) or with how long a signature counts."""
    found = []
    for language, name in LANGUAGES.items():
        title, body = words[language].title, words[language].body
        if not title:
            found.append(
                Problem(
                    f"title_{language}",
                    gettext("Write the title in %(name)s.") % {"name": gettext(name)},
                )
            )
        if len(title) > LONGEST_TITLE:
            found.append(
                Problem(
                    f"title_{language}",
                    gettext("Write at most %(longest_title)s characters.")
                    % {"longest_title": LONGEST_TITLE},
                )
            )
        if not body:
            found.append(
                Problem(
                    f"body_{language}",
                    gettext("Write the words in %(name)s.") % {"name": gettext(name)},
                )
            )
        if len(body) > LONGEST_BODY:
            found.append(
                Problem(
                    f"body_{language}",
                    gettext("Write at most %(longest_body)s characters.")
                    % {"longest_body": LONGEST_BODY},
                )
            )
        if any(not (each.isprintable() or each == "\n") for each in title + body):
            found.append(
                Problem(f"body_{language}", gettext("Take out the signs that cannot be printed."))
            )
    if valid_for:
        try:
            if not parse(valid_for):
                raise DurationError(valid_for)
        except DurationError:
            found.append(
                Problem(
                    "valid_for",
                    gettext("Write how long a signature counts, such as 12 months, or nothing."),
                )
            )
    return found


def digest(words: Words) -> str:
    """SHA-256 (hex) of the words in one language."""
    return _sealed([words.title, words.body])


def digest_of_all(words: Mapping[str, Words], valid_for: str) -> str:
    """SHA-256 (hex) of everything that an edition says."""
    return _sealed(
        [*([each, words[each].title, words[each].body] for each in sorted(words)), valid_for]
    )


def blocks(body: str) -> Blocks:
    """The body as headings, paragraphs and lists, in order."""
    found: list[Heading | Paragraph | Bullets] = []
    lines: list[str] = []
    points: list[str] = []

    def close() -> None:
        if points:
            found.append(Bullets(tuple(points)))
        if lines:
            found.append(Paragraph("\n".join(lines)))
        points.clear()
        lines.clear()

    for line in body.split("\n"):
        if line.startswith("## "):
            close()
            found.append(Heading(line[3:].strip()))
        elif line.startswith("- "):
            if lines:
                close()
            points.append(line[2:].strip())
        elif not line.strip():
            close()
        else:
            if points:
                close()
            lines.append(line)
    close()
    return tuple(found)


def _sealed(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
