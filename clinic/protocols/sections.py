"""The sections in which a protocol is filled in, and which part of its document each one writes.

Pure. A section is one record of the document, or a list of rows; a table whose keys are ids (areas,
sources) is a list of rows as well, each with its key as `id`. A document may be wrong in any way.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from clinic.protocols import schema
from clinic.protocols.schema import Protocol

KEY = "id"
Part = dict[str, Any]


class Rows(StrEnum):
    """How a section stands in the document: one record, a list of tables, a table of tables."""

    NONE = "none"
    LISTED = "listed"
    KEYED = "keyed"


@dataclass(frozen=True, slots=True)
class Section:
    """`of` is the class of its record or of each row, `path` where that stands ("" for the
    protocol itself), `only` the fields of it that are filled in here; `is_plain` when a plain
    service has it, too."""

    slug: str
    of: type[Any]
    path: str
    only: tuple[str, ...] = ()
    rows: Rows = Rows.NONE
    is_plain: bool = False

    @property
    def has_rows(self) -> bool:
        return self.rows is not Rows.NONE


SECTIONS = (
    Section("series", schema.Series, "series"),
    Section("resources", schema.Resources, "resources", is_plain=True),
    Section(
        "who", schema.Applicability, "applicability", ("min_age", "fitzpatrick"), is_plain=True
    ),
    Section("areas", schema.Area, "applicability.areas", rows=Rows.KEYED, is_plain=True),
    Section("screening", schema.Screening, "screening", rows=Rows.LISTED),
    Section("steps", schema.Step, "steps", rows=Rows.LISTED),
    Section("log", schema.LogField, "session_log", rows=Rows.LISTED),
    Section("warnings", schema.WarningSign, "warnings", rows=Rows.LISTED),
    Section("spacing", schema.Spacing, "spacing", rows=Rows.LISTED),
    Section("products", schema.Product, "products", rows=Rows.LISTED),
    Section("policy", schema.Policy, "policy", rows=Rows.LISTED),
    Section("sources", schema.Evidence, "evidence", rows=Rows.KEYED),
    Section(
        "about",
        Protocol,
        "",
        ("version", "name", "code", "modality", "disclaimer", "review", "inferences"),
        is_plain=True,
    ),
)
BY_SLUG = {section.slug: section for section in SECTIONS}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a place of the document is filled in: `rest` is its path within the record, or within
    the row of that number."""

    section: Section
    row: int | None
    rest: str


def record(document: Mapping[str, Any], section: Section) -> Part:
    """The record of a section without rows."""
    return _table(_at(document, section.path))


def rows(document: Mapping[str, Any], section: Section) -> list[Part]:
    """The rows of a section, in their order."""
    found = _at(document, section.path)
    if section.rows is Rows.KEYED:
        return [{KEY: key, **_table(each)} for key, each in _table(found).items()]
    return [_table(each) for each in found] if isinstance(found, list) else []


def with_record(document: Mapping[str, Any], section: Section, part: Part) -> Part:
    """The document with another record there; fields that the section leaves alone are kept."""
    whole = record(document, section)
    alone = {
        name: each for name, each in whole.items() if section.only and name not in section.only
    }
    return _with(document, section.path, alone | part) if section.path else _in_order(alone | part)


def with_rows(document: Mapping[str, Any], section: Section, given: Sequence[Part]) -> Part:
    """The document with these rows; none leaves out a list that may be left out."""
    if section.rows is Rows.KEYED:
        table = {str(row[KEY]): {k: v for k, v in row.items() if k != KEY} for row in given}
        return _with(document, section.path, table)
    return _with(document, section.path, list(given))


def digest(part: object) -> str:
    """What tells whether a part is still what somebody saw."""
    text = json.dumps(part, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def spot(place: str, document: Mapping[str, Any]) -> Spot | None:
    """Where a place such as `steps[3].before` is filled in; None for what has no form."""
    found = None
    for section in SECTIONS:
        rest = _below(place, section.path)
        if rest is None or not _is_its_own(section, rest):
            continue
        if found is None or len(section.path) > len(found.section.path):
            found = Spot(section, *_row(section, rest, document))
    return found


def place(section: Section, row: int | None, given: Sequence[Part]) -> str:
    """The place of a section, or of its row of this number among those that are given."""
    if row is None:
        return section.path
    if section.rows is Rows.KEYED:
        return f"{section.path}.{given[row][KEY]}" if row < len(given) else f"{section.path}."
    return f"{section.path}[{row}]"


def _is_its_own(section: Section, rest: str) -> bool:
    """A record of which only some fields are filled in here has no say in the others."""
    name = re.split(r"[.\[]", rest, maxsplit=1)[0]
    return not section.only or name == "" or name in section.only


def _row(section: Section, rest: str, document: Mapping[str, Any]) -> tuple[int | None, str]:
    if section.rows is Rows.LISTED:
        if found := re.match(r"\[(\d+)\]\.?", rest):
            return int(found[1]), rest[found.end() :]
    elif section.rows is Rows.KEYED:
        for number, each in enumerate(rows(document, section)):
            below = _below(rest, each[KEY])
            if below is not None:
                return number, below or KEY
    return None, rest


def _below(place: str, path: str) -> str | None:
    """The rest of a place that lies at or below a path."""
    if path == "" or place == path:
        return place[len(path) :]
    if not place.startswith(path):
        return None
    rest = place[len(path) :]
    if rest.startswith("."):
        return rest[1:]
    return rest if rest.startswith("[") else None


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for name in path.split(".") if path else ():
        found = _table(found).get(name)
    return found


def _with(table: Mapping[str, Any], path: str, value: Any) -> Part:
    name, _, rest = path.partition(".")
    inner = _with(_table(table.get(name)), rest, value) if rest else value
    made = {**table, name: inner}
    if inner == []:
        del made[name]
    return _in_order(made) if name in {each.name for each in fields(Protocol)} else made


def _in_order(document: Part) -> Part:
    known = [each.name for each in fields(Protocol) if each.name in document]
    return {name: document[name] for name in (*known, *document)}


def _table(value: Any) -> Part:
    return dict(value) if isinstance(value, Mapping) else {}
