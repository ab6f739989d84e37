"""TOML or a stored document → Protocol, and back.

The frozen classes of `schema` are the only description of the fields: this module follows their
types. Every problem is collected with its file, place and cause, so that one reading tells a
writer all there is to mend.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from clinic.durations import Duration, DurationError, parse
from clinic.protocols import references, rules
from clinic.protocols.schema import Protocol
from clinic.saying import gettext, noop

TOP = ""
_NO = {
    str: noop("%(value)s is not a text"),
    int: noop("%(value)s is not a whole number"),
    float: noop("%(value)s is not a number"),
    bool: noop("%(value)s is not true or false"),
}
_BAD: Any = object()  # stands where a value could not be read; its problem is already noted


class ProtocolError(Exception):
    """The protocol cannot be used. `problems` is a list of sentences: file: place: cause."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read(toml_text: str, *, filename: str) -> Protocol:
    """Read and check a protocol; raises ProtocolError naming every problem."""
    try:
        document = tomllib.loads(toml_text)
    except RecursionError:
        raise ProtocolError([f"{filename}: nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError says the line; a huge number is a ValueError
        raise ProtocolError([f"{filename}: not valid TOML: {error}"]) from None
    return checked_document(document, filename=filename)


def checked_document(document: Mapping[str, Any], *, filename: str) -> Protocol:
    """Read and check what TOML or JSON gave; raises ProtocolError naming every problem."""
    return _built(document, filename=filename, with_rules=True)


def check(protocol: Protocol, *, filename: str) -> Protocol:
    """Give back `protocol` as `read` would; raises ProtocolError naming every problem."""
    return checked_document(to_document(protocol), filename=filename)


def from_document(document: Mapping[str, Any]) -> Protocol:
    """Build a stored document again; raises ProtocolError when its shape is not a protocol's.

    Rules are not applied: a version stays usable by the series pinned to it even after a later
    release of the software asks for more.
    """
    return _built(document, filename="document", with_rules=False)


def to_document(protocol: Protocol) -> dict[str, Any]:
    """The canonical JSON form. Fields at their default are left out, so that a field added to
    the schema later does not change the digest of what is already stored."""
    document: dict[str, Any] = _plain(protocol)
    return document


def whole_document(protocol: Protocol) -> dict[str, Any]:
    """As `to_document`, with what is at its default but says something: for who goes on writing."""
    document: dict[str, Any] = _plain(protocol, whole=True)
    return document


def digest(protocol: Protocol) -> str:
    """SHA-256 (hex) of the canonical JSON."""
    text = json.dumps(
        to_document(protocol), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _built(document: Mapping[str, Any], *, filename: str, with_rules: bool) -> Protocol:
    problems: list[str] = []
    protocol = _Reader(problems, with_rules).record(Protocol, document, TOP)
    if with_rules:
        problems += [_at(path, cause) for path, cause in references.problems(document)]
    if problems:
        raise ProtocolError([f"{filename}: {problem}" for problem in problems])
    read: Protocol = protocol
    return read


class _Reader:
    """Follows the types of `schema` through a document and notes what does not fit."""

    def __init__(self, problems: list[str], with_rules: bool) -> None:
        self.problems = problems
        self.with_rules = with_rules

    def bad(self, path: str, cause: str) -> Any:
        self.problems.append(_at(path, cause))
        return _BAD

    def value(self, kind: Any, value: object, path: str) -> Any:
        """`value` as `kind`, one of the types that `schema` uses."""
        origin = get_origin(kind)
        if origin in (Union, UnionType):
            [kind] = [each for each in get_args(kind) if each is not NoneType]
            return self.value(kind, value, path)
        if origin is tuple:
            return self.items(get_args(kind)[0], value, path)
        if origin is not None:
            key_kind, entry_kind = get_args(kind)
            return self.table(key_kind, entry_kind, value, path)
        if kind is Duration:
            return self.duration(value, path)
        if is_dataclass(kind):
            return self.record(kind, value, path)
        if issubclass(kind, StrEnum):
            return self.word(kind, value, path)
        return self.scalar(kind, value, path)

    def record(self, kind: Any, value: object, path: str) -> Any:
        if not isinstance(value, Mapping):
            return self.bad(path, gettext("%(value)s is not a table") % {"value": _shown(value)})
        known = fields_of(kind)
        for name in value:
            if name not in known:
                hint = _did_you_mean(name, known)
                self.bad(_join(path, name), gettext("unknown field") + hint)
        given = {}
        for name, (hint, required) in known.items():
            if name in value:
                given[name] = self.value(hint, value[name], _join(path, name))
            elif required:
                given[name] = self.bad(_join(path, name), gettext("is missing"))
        if any(each is _BAD for each in given.values()):
            return _BAD
        built = kind(**given)
        if self.with_rules:
            for place, cause in rules.problems(built):
                self.bad(_join(path, place), cause)
        return built

    def items(self, kind: Any, value: object, path: str) -> Any:
        if not isinstance(value, list | tuple):
            return self.bad(path, gettext("%(value)s is not a list") % {"value": _shown(value)})
        read = [self.value(kind, each, f"{path}[{n}]") for n, each in enumerate(value)]
        return _without_bad(kind, read, tuple(each for each in read if each is not _BAD))

    def table(self, key_kind: Any, kind: Any, value: object, path: str) -> Any:
        if not isinstance(value, Mapping):
            return self.bad(path, gettext("%(value)s is not a table") % {"value": _shown(value)})
        read = [
            (self.value(key_kind, key, _join(path, key)), self.value(kind, each, _join(path, key)))
            for key, each in value.items()
        ]
        flat = [part for pair in read for part in pair]
        return _without_bad(kind, flat, {k: v for k, v in read if k is not _BAD and v is not _BAD})

    def duration(self, value: object, path: str) -> Any:
        if not isinstance(value, str):
            cause = gettext("%(value)s is not an ISO-8601 duration")
            return self.bad(path, cause % {"value": _shown(value)})
        try:
            return parse(value)
        except DurationError as error:
            return self.bad(path, str(error))

    def word(self, kind: type[StrEnum], value: object, path: str) -> Any:
        known = [str(each) for each in kind]
        if value not in known:
            one_of = gettext("; it is one of %(known)s") % {"known": ", ".join(known)}
            hint = _did_you_mean(value, known) or one_of
            return self.bad(
                path, gettext("%(value)s is not known") % {"value": _shown(value)} + hint
            )
        return kind(value)

    def scalar(self, kind: Any, value: object, path: str) -> Any:
        if kind is float and type(value) is int:
            value = float(value) if abs(value) < 2**53 else math.inf
        if type(value) is not kind:
            return self.bad(path, gettext(_NO[kind]) % {"value": _shown(value)})
        if isinstance(value, float) and not math.isfinite(value):
            cause = gettext("%(value)s is not a finite number")
            return self.bad(path, cause % {"value": _shown(value)})
        if isinstance(value, str) and any(not each.isprintable() for each in value):
            return self.bad(path, gettext("holds a line break or a control character"))
        return value


def _without_bad(kind: Any, read: list[Any], kept: Any) -> Any:
    """A list of tables goes on without the unreadable ones, so that one bad step does not hide
    what is wrong elsewhere; a list of words means nothing once a word is lost."""
    lost = any(each is _BAD for each in read)
    return _BAD if lost and not is_dataclass(kind) else kept


@cache
def fields_of(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Each field of a frozen class: its type, and whether a document must give it."""
    hints = get_type_hints(kind)
    return {
        each.name: (
            hints[each.name],
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
    }


def _plain(value: Any, *, whole: bool = False) -> Any:
    if isinstance(value, Duration):
        return str(value)
    if is_dataclass(value):
        return {
            each.name: _plain(given, whole=whole)
            for each in fields(value)
            if not _is_default(each, given := getattr(value, each.name))
            or (whole and given not in (None, "", (), {}))
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(each, whole=whole) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each, whole=whole) for each in value]
    return str(value) if isinstance(value, StrEnum) else value


def _is_default(of: Any, given: object) -> bool:
    if of.default_factory is not MISSING:
        return bool(given == of.default_factory())
    return of.default is not MISSING and bool(given == of.default)


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path and name else f"{path}{name}"


def _at(path: str, cause: str) -> str:
    return f"{path}: {cause}" if path else cause


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return gettext("a table")
    if isinstance(value, list | tuple):
        return gettext("a list")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**12:
        return gettext("a huge number")
    text = str(value)
    return f"'{text[:60]}{'…' if len(text) > 60 else ''}'"


def _did_you_mean(given: object, known: Any) -> str:
    close = get_close_matches(str(given)[:60], list(known), n=1)
    return gettext("; did you mean '%(close)s'?") % {"close": close[0]} if close else ""
