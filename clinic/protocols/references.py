"""Where one part of a protocol points at another: ids, sources, conditions, inferences.

Works on the raw document, so that a value that cannot be read elsewhere in the file does not
hide a broken pointer. Any shape may come in; what is not understood here, `reading` reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clinic.saying import gettext

Problem = tuple[str, str]

UNIQUE = {
    "screening": "id",
    "steps": "id",
    "session_log": "id",
    "warnings": "id",
    "policy": "topic",
    "products": "category",
}
CONDITIONS = ("consent.photo", "consent.marketing", "not_prescribed", "plan.sedation")
NAMED_BY = {**UNIQUE, "spacing": "other"}
_DOT = re.compile(r"\.(?![^\[]*\])")  # not the dots inside brackets: ids have some
_PLACE = re.compile(r"([a-z0-9_]+)(?:\[([^\]]+)\])?")


def problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """The (path, cause) of every pointer that leads nowhere and every id used twice."""
    yield from _twice(document)
    yield from _sources(document)
    yield from _conditions(document)
    yield from _inferences(document)


def _twice(document: Mapping[str, Any]) -> Iterator[Problem]:
    for group, name in UNIQUE.items():
        seen: set[str] = set()
        for n, entry in _tables(document.get(group)):
            given = entry.get(name)
            if isinstance(given, str) and given in seen:
                yield f"{group}[{n}].{name}", gettext("'%(id)s' is already used") % {"id": given}
            elif isinstance(given, str):
                seen.add(given)


def _sources(document: Mapping[str, Any]) -> Iterator[Problem]:
    sources = document.get("evidence")
    known = sources if isinstance(sources, Mapping) else {}
    for path, given in _lists_named("evidence", document):
        for n, reference in enumerate(given):
            if isinstance(reference, str) and reference not in known:
                cause = gettext("'%(code)s' is not in the evidence of this protocol")
                yield f"{path}[{n}]", cause % {"code": reference}


def _conditions(document: Mapping[str, Any]) -> Iterator[Problem]:
    asked = [entry.get("id") for _, entry in _tables(document.get("screening"))]
    for n, step in _tables(document.get("steps")):
        given = step.get("applies_if")
        if not isinstance(given, str) or given in CONDITIONS:
            continue
        kind, _, question = given.partition(".")
        if kind != "screening":
            known = ", ".join((*CONDITIONS, "screening.<id>"))
            cause = gettext("'%(given)s' is not known; it is one of %(known)s")
            yield f"steps[{n}].applies_if", cause % {"given": given, "known": known}
        elif question not in asked:
            cause = gettext("no screening question has the id '%(id)s'")
            yield f"steps[{n}].applies_if", cause % {"id": question}


def _inferences(document: Mapping[str, Any]) -> Iterator[Problem]:
    given = document.get("inferences")
    for n, path in enumerate(given if isinstance(given, list) else []):
        if isinstance(path, str) and not _leads_somewhere(document, path):
            cause = gettext("'%(path)s' names no field of this protocol")
            yield f"inferences[{n}]", cause % {"path": path}


def _leads_somewhere(document: Mapping[str, Any], path: str) -> bool:
    """Whether a path such as `series.interval.max`, `steps[*].late` or `steps[pre.sun].before`
    reaches a field that the document gives."""
    places: list[Any] = [document]
    for part in _DOT.split(path):
        found = _PLACE.fullmatch(part)
        if found is None:
            return False
        name, entry = found.groups()
        places = [at[name] for at in places if isinstance(at, Mapping) and name in at]
        if entry is not None:
            key = NAMED_BY.get(name, "id")
            places = [
                each for at in places for _, each in _tables(at) if entry in ("*", each.get(key))
            ]
    return bool(places)


def _tables(given: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for n, entry in enumerate(given if isinstance(given, list) else []):
        if isinstance(entry, Mapping):
            yield n, entry


def _lists_named(name: str, at: object, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Every list called `name`, however deep."""
    if isinstance(at, Mapping):
        for key, value in at.items():
            inner = f"{path}.{key}" if path else str(key)
            if key == name and isinstance(value, list):
                yield inner, value
            else:
                yield from _lists_named(name, value, inner)
    elif isinstance(at, list):
        for n, value in enumerate(at):
            yield from _lists_named(name, value, f"{path}[{n}]")
