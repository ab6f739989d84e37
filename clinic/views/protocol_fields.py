"""The fields of a protocol as a page shows them: in words, with what is wrong beside each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext

from clinic.durations import DurationError, in_words, parse
from clinic.protocols import filling, schema
from clinic.protocols.filling import Entry, Group, Widget
from clinic.protocols.sections import KEY, Part, Section
from clinic.reader_language import reader_language
from clinic.templatetags.protocols import WORDS, said
from clinic.views.protocol_words import FIELDS, KEYED_ID, UNITS


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """`theirs` is what somebody else saved meanwhile, where it differs (else None)."""

    id: str
    path: str
    label: str
    hint: str
    widget: str
    is_required: bool
    is_long: bool
    value: str
    options: Sequence[Option]
    language: str
    problems: Sequence[str]
    theirs: str | None
    is_group: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether one of its options is longer than a column shows."""
        return any(len(option.label) > 24 for option in self.options)

    @property
    def described_by(self) -> str:
        """The ids of what is said about it."""
        parts = {"hint": self.hint, "error": self.problems, "theirs": self.theirs is not None}
        return " ".join(f"{self.id}-{name}" for name, there in parts.items() if there)


@dataclass(frozen=True, slots=True)
class FieldGroup:
    id: str
    label: str
    hint: str
    is_required: bool
    fields: Sequence[Field | FieldGroup]
    problems: Sequence[str]
    is_group: bool = True


@dataclass(frozen=True, slots=True)
class Filled:
    """A section's record as fields, and what is wrong with it as a whole."""

    fields: Sequence[Field | FieldGroup]
    problems: Sequence[str]


def filled(
    section: Section,
    part: Part,
    problems: Iterable[tuple[str, str]] = (),
    theirs: Part | None = None,
) -> Filled:
    """`problems` are (path within the record, cause); `theirs` is the part as it was saved."""
    tree = _tree(section, part)
    entries = {entry.path: entry for entry in filling.flat(tree)}
    at: dict[str, list[str]] = {}
    for path, cause in problems:
        found = _nearest(path, {*entries, *_groups(tree)})
        at.setdefault(found, []).append(plain(section, path, cause, entries.get(found)))
    other = {}
    if theirs is not None:
        saved = {each.path: each for each in filling.flat(_tree(section, theirs))}
        other = {
            path: shown(saved[path])
            for path, entry in entries.items()
            if path in saved and shown(saved[path]) != shown(entry)
        }
    return Filled([_field(each, at, other) for each in tree], at.get("", ()))


def told(section: Section, rest: str, cause: str) -> str:
    """What is wrong at a path, as its field says it."""
    entries = {entry.path: entry for entry in filling.flat(_tree(section, {}))}
    found = _nearest(rest, {*entries, *_groups(_tree(section, {}))})
    return plain(section, rest, cause, entries.get(found))


def anchor(section: Section, rest: str) -> str:
    """The id of the field at a path, else of the nearest around it; empty for the whole."""
    tree = _tree(section, {})
    known = {*(entry.path for entry in filling.flat(tree)), *_groups(tree)}
    found = _nearest(rest, known)
    return _id(found) if found else ""


def named(section: Section, rest: str) -> str:
    """What the field at a path is called, with the group around it: "Interval: Least"."""
    names = []
    here: Sequence[Entry | Group] = _tree(section, {})
    while here:
        found = next((each for each in here if _is_around(each.path, rest)), None)
        if found is None:
            break
        names.append(_label(found))
        here = found.entries if isinstance(found, Group) else ()
    return ": ".join(names)


def plain(section: Section, rest: str, cause: str, entry: Entry | None = None) -> str:
    """What is wrong at a path of a section, in a sentence to who fills it in: its fields are called
    as the page calls them."""
    if entry is None:
        for each in filling.flat(_tree(section, {})):
            if each.path == (f"{rest}.{each.name}" if rest else each.name):
                cause = re.sub(rf"\b{each.name}\b", f"“{_label(each)}”", cause)
    if entry is not None and cause in (gettext("is missing"), gettext("is empty")):
        chosen = entry.widget in (Widget.CHOICE, Widget.SEVERAL)
        return gettext("Choose one.") if chosen else gettext("Fill this in.")
    if entry is not None and entry.widget is Widget.LENGTH and "ISO-8601" in cause:
        return gettext("Write a whole number and choose its unit.")
    return f"{cause[:1].upper()}{cause[1:]}{'' if cause.endswith('.') else '.'}"


def shown(entry: Entry) -> str:
    """What stands in a field, as one says it."""
    if entry.widget is Widget.LENGTH:
        return _length(entry)
    if entry.widget is Widget.CHOICE:
        return _word(entry, entry.value)
    if entry.widget is Widget.SEVERAL:
        return ", ".join(_word(entry, each) for each in entry.chosen)
    if entry.widget is Widget.TRUTH:
        return gettext("yes") if entry.value else gettext("no")
    return entry.value.replace("\n", ", ")


def _length(entry: Entry) -> str:
    """As durations are said everywhere; what is none, as it was typed."""
    with suppress(DurationError):
        if length := parse(filling.as_length(entry.value, entry.unit)):
            return in_words(length, reader_language())
    return f"{entry.value} {UNITS.get(entry.unit, '') if entry.value else ''}".strip()


def facts(section: Section, part: Part) -> list[str]:
    """What tells a row from the others at a glance: its lengths, what was chosen for it, and the
    channels that carry it."""
    lengths, choices, chosen_of = [], [], []
    for entry in filling.flat(_tree(section, part)):
        if not shown(entry):
            continue
        if entry.of in WORDS:
            chosen_of.append(_label(entry))
        elif entry.widget is Widget.LENGTH and "." not in entry.path:
            lengths.append(f"{_label(entry)}: {shown(entry)}")
        elif entry.widget is Widget.CHOICE:
            choices.append(shown(entry))
    return [*lengths, *choices[:3], *([", ".join(chosen_of)] if chosen_of else [])]


def title(part: Part) -> str:
    """The words of a row in English, whichever of its fields holds them."""
    for name in ("title", "question", "label", "name", "sign"):
        words = part.get(name)
        words = words.get("en") if isinstance(words, Mapping) else words
        if isinstance(words, str) and words:
            return words
    return ""


def _tree(section: Section, part: Part) -> tuple[Entry | Group, ...]:
    own = filling.entries(section.of, part, only=section.only)
    if section.rows != "keyed":
        return own
    key = Entry(KEY, section.of, KEY, Widget.WORD, True, str(part.get(KEY, "")))
    return (key, *own)


def _groups(tree: Iterable[Entry | Group]) -> Iterable[str]:
    for each in tree:
        if isinstance(each, Group):
            yield each.path
            yield from _groups(each.entries)


def _nearest(path: str, known: set[str]) -> str:
    while path and path not in known:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path


def _is_around(path: str, rest: str) -> bool:
    return rest == path or rest.startswith((f"{path}.", f"{path}["))


def _field(
    each: Entry | Group, problems: Mapping[str, list[str]], theirs: Mapping[str, str]
) -> Field | FieldGroup:
    said_about = _hint(each)
    wrong = problems.get(each.path, ())
    if isinstance(each, Group):
        inner = [_field(one, problems, theirs) for one in each.entries]
        return FieldGroup(_id(each.path), _label(each), said_about, each.is_required, inner, wrong)
    return Field(
        id=_id(each.path),
        path=each.path,
        label=_label(each),
        hint=said_about,
        widget=each.widget,
        # Ticks and the choices of a table are never asked for one by one.
        is_required=each.is_required or each.widget is Widget.SEVERAL or each.of in WORDS,
        is_long=filling.is_long(each),
        value=each.value,
        options=_options(each),
        language=each.name if each.of is schema.Text else "",
        problems=wrong,
        theirs=theirs.get(each.path),
    )


def _options(entry: Entry) -> list[Option]:
    if entry.widget is Widget.LENGTH:
        known = [Option(unit, str(UNITS[unit]), unit == entry.unit) for unit in entry.units]
        as_written = Option("", gettext("as written"), True)
        return known if entry.unit else [*known, as_written]
    if not entry.options:
        return []
    chosen = entry.chosen if entry.widget is Widget.SEVERAL else (entry.value,)
    options = [Option(str(each), said(each), each in chosen) for each in entry.options]
    unknown = [each for each in chosen if each and each not in {*map(str, entry.options)}]
    return [*options, *(Option(each, each, True) for each in unknown)]


def chosen(section: Section, rest: str, *values: str) -> list[str]:
    """Values that stood in the field at a path, in the words of its choices."""
    entry = next((each for each in filling.flat(_tree(section, {})) if each.path == rest), None)
    if entry is None or not entry.options:
        return [*values]
    return [", ".join(_word(entry, each) for each in value.split(", ")) for value in values]


def _word(entry: Entry, value: str) -> str:
    return next((said(each) for each in entry.options if each == value), value)


def _label(each: Entry | Group) -> str:
    if each.of in WORDS:
        return str(WORDS[each.of][each.name])
    if each.name == KEY and (each.of, KEY) not in FIELDS:
        return str(KEYED_ID[0])
    return str(FIELDS[each.of, each.name][0])


def _hint(each: Entry | Group) -> str:
    if each.of in WORDS:
        return ""
    if each.name == KEY and (each.of, KEY) not in FIELDS:
        return str(KEYED_ID[1])
    return str(FIELDS[each.of, each.name][1])


def _id(path: str) -> str:
    return "f-" + re.sub(r"[^\w]+", "-", path)
