"""A protocol's document as TOML that a person can edit; `reading.read` gives it back. Pure.

Only shapes that a document has: texts, numbers, truths, lists and tables of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# A table or list that is no longer than this stands on one line.
_LINE = 100
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(document: Mapping[str, Any]) -> str:
    """The document in its order: what is short first, then a section for each table."""
    return "\n".join(_section(document, "")).strip() + "\n"


def _section(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """The entries that fit beside their key, then the tables that do not."""
    later = []
    for key, value in table.items():
        if _has_a_section(value):
            later.append((f"{path}.{_key(key)}" if path else _key(key), value))
        else:
            yield f"{_key(key)} = {_value(value)}"
    for name, value in later:
        for each in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
            # Within a list of tables every table stands beside its key: one line is one thing.
            yield from _entries(each) if isinstance(value, list) else _section(each, name)


def _entries(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _has_a_section(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, Mapping) for each in value)
    return isinstance(value, Mapping) and (
        any(isinstance(each, Mapping) for each in value.values()) or len(_value(value)) > _LINE
    )


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        each = [_value(one) for one in value]
        line = f"[{', '.join(each)}]"
        if len(line) <= _LINE:
            return line
        return "[\n" + "".join(f"  {one},\n" for one in each) + "]"
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
