"""What points at a row of a protocol follows it when its name changes. Pure.

`inferences` names rows, steps name questions, and nearly everything names sources. Of a row that is
taken out only the inferences go: the rest is said to point at nothing, for somebody to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic.protocols.references import NAMED_BY
from clinic.protocols.sections import KEY, Part, Rows, Section


def name_of(section: Section, row: Mapping[str, Any]) -> str:
    """What a row is called where others point at it."""
    return str(row.get(KEY if section.rows is Rows.KEYED else NAMED_BY.get(section.path, KEY), ""))


def renamed(document: Part, section: Section, old: str, new: str) -> Part:
    """The document with what pointed at the row `old` pointing at `new`, or, for the inferences,
    at nothing when that is empty."""
    if not old or old == new:
        return document
    made = {**document, "inferences": _inferences(document, section, old, new)}
    if not made["inferences"]:
        del made["inferences"]
    if new and section.slug == "screening":
        made = _conditions(made, f"screening.{old}", f"screening.{new}")
    if new and section.slug == "sources":
        made = {
            name: each if name == section.path else _sources(each, old, new)
            for name, each in made.items()
        }
    return made


def _inferences(document: Part, section: Section, old: str, new: str) -> list[Any]:
    given = document.get("inferences")
    listed = given if isinstance(given, list) else []
    was, becomes = _place(section, old), _place(section, new)
    return [
        becomes + each[len(was) :] if _is_at(each, was) else each
        for each in listed
        if new or not _is_at(each, was)
    ]


def _place(section: Section, name: str) -> str:
    keyed = section.rows is Rows.KEYED
    return f"{section.path}.{name}" if keyed else f"{section.path}[{name}]"


def _is_at(given: Any, place: str) -> bool:
    if not isinstance(given, str) or not given.startswith(place):
        return False
    return given[len(place) : len(place) + 1] in ("", ".", "[")


def _conditions(document: Part, old: str, new: str) -> Part:
    steps = document.get("steps")
    if not isinstance(steps, list):
        return document
    followed = [
        {**step, "applies_if": new}
        if isinstance(step, Mapping) and step.get("applies_if") == old
        else step
        for step in steps
    ]
    return {**document, "steps": followed}


def _sources(value: Any, old: str, new: str, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _sources(each, old, new, key) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    if name == "evidence":
        return [new if each == old else each for each in value]
    return [_sources(each, old, new) for each in value]
