"""A record of a protocol as fields to fill in, and back: made from the classes of `schema`. Pure.

What does not fit a field (letters for a number) stays in the document as it was typed, so that
nothing is lost and reading says what is wrong with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from clinic.durations import Duration, DurationError, parse
from clinic.protocols import schema
from clinic.protocols.reading import fields_of

# What the browser sends: every value of every field, by the path of the field.
Typed = Mapping[str, Sequence[str]]
UNIT = ":unit"

_LONG = frozenset({"disclaimer", "late_text", "note", "question", "sign", "staff_text", "text"})
_CODES = frozenset({"evidence"})  # short codes beside each other, not lines below each other
_UNITS = {"minutes": "PT{}M", "hours": "PT{}H", "days": "P{}D", "weeks": "P{}W", "months": "P{}M"}
_CALENDAR, _ELAPSED = ("days", "weeks", "months"), ("minutes", "hours")
_OF_CLASS = {
    schema.Interval: _CALENDAR,
    schema.SetUp: _ELAPSED,
    schema.Area: _ELAPSED,
    schema.Review: ("months", "weeks", "days"),
}
_WITH_UNIT = re.compile(r"(\S+) (minutes|hours|days|weeks|months)")


class Widget(StrEnum):
    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    LENGTH = "length"
    TRUTH = "truth"
    CHOICE = "choice"
    SEVERAL = "several"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field: `path` within its record, the class it is `of` and its `name` there. A length has
    a `unit` of its `units`; `chosen` are the ticked ones of the `options`."""

    path: str
    of: Any
    name: str
    widget: Widget
    is_required: bool
    value: str = ""
    unit: str = ""
    units: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    options: tuple[StrEnum, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A record within a record. One that is not required is absent while all of it is empty."""

    path: str
    of: Any
    name: str
    is_required: bool
    entries: tuple[Entry | Group, ...]


def entries(
    kind: Any, part: Mapping[str, Any], *, only: Sequence[str] = (), path: str = ""
) -> tuple[Entry | Group, ...]:
    """The fields of a record with what stands in them; `only` some of them, if any are named."""
    return tuple(
        _entry(kind, name, hint, required, part.get(name), _join(path, name))
        for name, (hint, required) in fields_of(kind).items()
        if (not only or name in only) and not _is_a_section(_bare(hint))
    )


def flat(of: Sequence[Entry | Group]) -> Iterator[Entry]:
    """The fields of the groups as well, in order."""
    for each in of:
        if isinstance(each, Entry):
            yield each
        else:
            yield from flat(each.entries)


def filled(
    kind: Any,
    typed: Typed,
    old: Mapping[str, Any],
    *,
    only: Sequence[str] = (),
    path: str = "",
) -> dict[str, Any]:
    """The record that was typed. What is empty is left out; what was not asked for, and what no
    form knows, is kept from the `old` one."""
    known, made = fields_of(kind), {}
    for name, (hint, required) in known.items():
        if only and name not in only:
            continue
        before = old.get(name)
        if _is_a_section(_bare(hint)):
            value = before
        else:
            value = _filled(name, _bare(hint), required, typed, before, _join(path, name))
        if value is not None:
            made[name] = value
    if not only:
        made |= {name: value for name, value in old.items() if name not in known}
    return made


def _entry(of: Any, name: str, hint: Any, required: bool, value: Any, path: str) -> Entry | Group:
    kind = _bare(hint)
    if _is_record(kind):
        inner = value if isinstance(value, Mapping) else {}
        return Group(path, of, name, required, entries(kind, inner, path=path))
    if _is_of_words(kind):
        return _of_words(of, name, kind, required, value, path)
    widget, options = _widget(name, kind, of)
    if widget is Widget.LENGTH:
        units = _OF_CLASS.get(of, ("days", "weeks", "months", "hours", "minutes"))
        amount, unit = split_length(value, units[0])
        units = units if unit in (*units, "") else (*units, unit)
        return Entry(path, of, name, widget, required, amount, unit, units)
    several = tuple(map(str, value)) if isinstance(value, list) else ()
    if widget is Widget.SEVERAL:
        return Entry(path, of, name, widget, required, chosen=several, options=options)
    if widget is Widget.LINES:
        return Entry(path, of, name, widget, required, "\n".join(several))
    if widget is Widget.WORD and isinstance(value, list):
        return Entry(path, of, name, widget, required, ", ".join(several))
    return Entry(path, of, name, widget, required, _shown(value), options=options)


def _of_words(of: Any, name: str, kind: Any, required: bool, value: Any, path: str) -> Group:
    """A table of one choice for each of some words, such as the channels of a step."""
    keys, choices = get_args(kind)
    inner = value if isinstance(value, Mapping) else {}
    return Group(
        path,
        of,
        name,
        required,
        tuple(
            Entry(
                _join(path, each),
                keys,
                str(each),
                Widget.CHOICE,
                False,
                _shown(inner.get(each)),
                options=tuple(choices),
            )
            for each in keys
        ),
    )


def _widget(name: str, kind: Any, of: Any) -> tuple[Widget, tuple[StrEnum, ...]]:
    if get_origin(kind) is tuple:
        [inner, *_] = get_args(kind)
        if issubclass(inner, StrEnum):
            return Widget.SEVERAL, tuple(inner)
        return (Widget.WORD if name in _CODES else Widget.LINES), ()
    if issubclass(kind, StrEnum):
        return Widget.CHOICE, tuple(kind)
    found = {Duration: Widget.LENGTH, bool: Widget.TRUTH, int: Widget.NUMBER, float: Widget.NUMBER}
    return found.get(kind, Widget.WORD), ()


def _filled(name: str, kind: Any, required: bool, typed: Typed, before: Any, path: str) -> Any:
    """What one field became; None for what is empty."""
    if _is_record(kind):
        inner = filled(kind, typed, before if isinstance(before, Mapping) else {}, path=path)
        return inner if inner or required else None
    if _is_of_words(kind):
        given = {str(each): _one(typed, _join(path, each)) for each in get_args(kind)[0]}
        return {each: word for each, word in given.items() if word} or None
    if kind is bool:
        return True if path in typed else False if required else None
    if get_origin(kind) is tuple:
        return _listed(name, kind, typed, before, path) or ([] if required else None)
    if path not in typed:
        return before
    return _one_of(kind, _one(typed, path), _one(typed, path + UNIT))


def _listed(name: str, kind: Any, typed: Typed, before: Any, path: str) -> Any:
    if issubclass(get_args(kind)[0], StrEnum):
        return [each for each in typed.get(path, ()) if each]
    if path not in typed:
        return before
    text = "\n".join(typed[path])
    lines = re.split(r"[,\s]+" if name in _CODES else r"[\r\n]+", text)
    return [each.strip() for each in lines if each.strip()]


def _one_of(kind: Any, text: str, unit: str) -> Any:
    if not text:
        return None
    if kind is Duration:
        return as_length(text, unit)
    if kind is int and re.fullmatch(r"-?[0-9]{1,9}", text):
        return int(text)
    if kind is float:
        return _as_number(text)
    return text


def _as_number(text: str) -> float | str:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def as_length(text: str, unit: str) -> str:
    """As ISO-8601 when it is a whole number; else what was typed, with its unit."""
    if unit not in _UNITS:
        return text
    return _UNITS[unit].format(text) if re.fullmatch(r"[0-9]{1,6}", text) else f"{text} {unit}"


def split_length(value: Any, usual: str) -> tuple[str, str]:
    """What stands in the two fields of a length; without a unit it stands as it was written."""
    if value is None:
        return "", usual
    text = _shown(value)
    for unit, form in _UNITS.items():
        if found := re.fullmatch(form.replace("{}", "([0-9]{1,6})"), text):
            return found[1], unit
    if found := _WITH_UNIT.fullmatch(text):
        return found[1], found[2]
    try:
        length = parse(text)
    except DurationError:
        return text, ""
    if not length:
        return "0", usual
    if length == Duration(months=length.months):
        return str(length.months), "months"
    if length == Duration(days=length.days):
        return str(length.days), "days"
    if length == Duration(seconds=length.seconds) and length.seconds % 60 == 0:
        return str(length.seconds // 60), "minutes"
    return text, ""


def _shown(value: Any) -> str:
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def _one(typed: Typed, path: str) -> str:
    """One text on one line, as protocols have it."""
    given = typed.get(path, ())
    return " ".join(given[-1].split()) if given else ""


def is_long(entry: Entry) -> bool:
    """Whether it holds a sentence or more: of a text in two languages, the field it stands in."""
    around = entry.path.split(".")[-2] if entry.of is schema.Text and "." in entry.path else ""
    return around in _LONG


def _bare(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        [hint] = [each for each in get_args(hint) if each is not NoneType]
    return hint


def _is_record(kind: Any) -> bool:
    return is_dataclass(kind) and kind is not Duration


def _is_of_words(kind: Any) -> bool:
    return get_origin(kind) not in (None, tuple) and issubclass(get_args(kind)[0], StrEnum)


def _is_a_section(kind: Any) -> bool:
    """Lists and tables of records are sections of their own."""
    return get_origin(kind) is not None and is_dataclass(
        get_args(kind)[-1 if get_origin(kind) is not tuple else 0]
    )


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
