"""On which line of a TOML text a place such as `steps[3].text` stands. Pure.

Follows headers, keys, and values that go on over several lines; what it cannot follow is laid to
the nearest place around it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

_LISTED = re.compile(r"\[\[\s*([^\]]+?)\s*\]\]")
_HEADER = re.compile(r"\[\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""((?:[\w.-]+|"[^"]*"|'[^']*'|\s*\.\s*)+?)\s*=""")
_QUOTES = re.compile(r"[\"']")
_TRIPLE = ('"""', "'''")


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, on which each place begins."""
    found: dict[str, int] = {}
    entries: Counter[str] = Counter()
    section, going_on = "", _GoingOn()
    for number, line in enumerate(text.splitlines(), 1):
        if going_on:
            going_on.read(line)
            continue
        stripped = line.strip()
        if listed := _LISTED.match(stripped):
            name = _within(listed[1], entries)
            section = f"{name}[{entries[name]}]"
            entries[name] += 1
            found.setdefault(name, number)
            found[section] = number
        elif header := _HEADER.match(stripped):
            section = _within(header[1], entries)
            found.setdefault(section, number)
        elif key := _KEY.match(stripped):
            name = _plain(key[1])
            found.setdefault(f"{section}.{name}" if section else name, number)
            going_on.read(stripped[key.end() :])
    return found


def line_of(place: str, lines: Mapping[str, int]) -> int | None:
    """The line of a place, else of the nearest one around it; None for the text as a whole."""
    while place and place not in lines:
        end = max(place.rfind("."), place.rfind("["))
        place = place[: max(end, 0)]
    return lines.get(place)


def has_remarks(text: str) -> bool:
    """Whether somebody wrote remarks beside the values, which a form does not keep."""
    going_on = _GoingOn()
    return any(going_on.read(line) for line in text.splitlines())


def _within(name: str, entries: Counter[str]) -> str:
    """A header below a list of tables is about its last entry."""
    path = ""
    *around, last = _plain(name).split(".")
    for part in around:
        path = f"{path}.{part}" if path else part
        path = f"{path}[{entries[path] - 1}]" if entries[path] else path
    return f"{path}.{last}" if path else last


def _plain(name: str) -> str:
    return ".".join(part.strip() for part in _QUOTES.sub("", name).split("."))


class _GoingOn:
    """Whether a value is still open at the end of a line: in a list, a table or a long text."""

    def __init__(self) -> None:
        self.depth = 0
        self.long = ""

    def __bool__(self) -> bool:
        return bool(self.depth or self.long)

    def read(self, line: str) -> bool:
        """Follow one more line; whether a remark ends it."""
        at = 0
        while at < len(line):
            if self.long:
                end = line.find(self.long, at)
                if end < 0:
                    return False
                at, self.long = end + 3, ""
            elif line.startswith(_TRIPLE, at):
                at, self.long = at + 3, line[at : at + 3]
            elif line[at] in "\"'":
                at = _after_text(line, at)
            elif line[at] == "#":
                return True
            else:
                self.depth += (line[at] in "[{") - (line[at] in "]}")
                at += 1
        self.depth = max(self.depth, 0)
        return False


def _after_text(line: str, at: int) -> int:
    """Behind the text on one line that begins at `at`."""
    quote, at = line[at], at + 1
    while at < len(line) and line[at] != quote:
        at += 2 if line[at] == "\\" and quote == '"' else 1
    return at + 1
