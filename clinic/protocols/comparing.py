"""What is different between two versions of a protocol, value by value, or two texts. Pure.

Values are those of the stored documents, so that no field is forgotten; rows of a list are told
apart by their id, so that one that is moved is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from clinic.durations import DurationError, in_words, parse
from clinic.saying import gettext, language, noop

# What every version differs in, and what is said elsewhere.
_LEFT_OUT = frozenset({"version", "evidence", "inferences", "disclaimer"})
_YES, _NO = noop("yes"), noop("no")
# Several times what the longest protocol of the library has.
MOST_LINES = 10_000
_ID = ("id", "category", "topic", "other")


Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`before` is empty for what is new, `after` for what is gone. `part` is the first word of the
    path ("steps"), `name` the row within it ("pre.sun"), `field` the value ("before")."""

    part: str
    name: str
    field: str
    before: str
    after: str


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Every value in which `new` differs from `old`, in the order in which they stand."""
    was, now = dict(_values((), old)), dict(_values((), new))
    return [
        Difference(*_named(path), _told(path, was, now), _told(path, now, was))
        for path in dict.fromkeys((*was, *now))
        if path[0] not in _LEFT_OUT and was.get(path) != now.get(path)
    ]


@dataclass(frozen=True, slots=True)
class Apart:
    """Lines that stand in one text from its `line` (from 1) on, and what stands there in another;
    either may be none."""

    line: int
    mine: str
    theirs: str


def lines_apart(mine: str, theirs: str) -> list[Apart]:
    """Where two texts differ, in the order of the first. Texts of more than `MOST_LINES` are told
    apart as a whole: to find each line costs the square of their number."""
    one, other = mine.splitlines(), theirs.splitlines()
    if max(len(one), len(other)) > MOST_LINES:
        return [Apart(1, "\n".join(one), "\n".join(other))] if one != other else []
    matched = SequenceMatcher(None, one, other)
    return [
        Apart(first + 1, "\n".join(one[first:last]), "\n".join(other[start:end]))
        for tag, first, last, start, end in matched.get_opcodes()
        if tag != "equal"
    ]


def _told(path: Path, own: Mapping[Path, str], other: Mapping[Path, str]) -> str:
    """The value at `path`. A document leaves out what is not so, which is a no as long as the row
    itself is there."""
    was_so = path not in own and other.get(path) == gettext(_YES)
    if was_so and any(each[:-1] == path[:-1] for each in own):
        return gettext(_NO)
    return own.get(path, "")


def _named(path: Path) -> tuple[str, str, str]:
    part, *rest = path
    if not rest:
        return part, "", ""
    *names, field = rest
    return part, " ".join(names), field


def _values(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values((*path, name), inner)
    elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        for number, row in enumerate(value):
            name = next((str(row[key]) for key in _ID if key in row), str(number + 1))
            yield from _values((*path, name), {k: v for k, v in row.items() if k not in _ID})
    elif value not in (None, [], ""):
        yield path, _said(value)


def _said(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return gettext(_YES if value else _NO)
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, str) and value.startswith("P"):
        try:
            return in_words(parse(value), language())
        except DurationError:
            return value
    return str(value)
