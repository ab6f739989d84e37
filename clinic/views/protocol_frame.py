"""What stands around a draft wherever it is written: its sections, what is wrong, its picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse

from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import drafting, locating, reading, sections
from clinic.protocols.comparing import Difference, differences
from clinic.protocols.drafting import Problem
from clinic.protocols.saving_sections import TextRefused, document_of
from clinic.protocols.sections import Section, Spot
from clinic.reader_language import reader_language
from clinic.templatetags.protocols import other_treatment
from clinic.views import protocol_fields
from clinic.views.current_site import current_site
from clinic.views.protocol_words import SECTIONS


@dataclass(frozen=True, slots=True)
class Mend:
    """Something wrong, and where it is mended: `address`, `where` in words; else in the text."""

    problem: Problem
    cause: str
    address: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One value in which a draft differs from what it began from, and where that is, in words."""

    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Way:
    """One section in the list of sections; `rows` is None for one without."""

    slug: str
    label: str
    rows: int | None
    wrong: int
    is_plain: bool


def frame(request: HttpRequest, row: ProtocolDraft, text: str, current: str) -> dict[str, Any]:
    """The context around a draft that reads `text`, in the section `current`."""
    document, by = _document(text), cast(Staff, request.user)
    found = state(row, text, document)
    return {
        "site": current_site(request),
        "draft": row,
        "base": row.base,
        "current": current,
        "has_fields": document is not None,
        "has_remarks": locating.has_remarks(text),
        "may_consent": access.can(by, Capability.PUBLISH_CONSENT_FORMS),
        "is_service": row.base.kind == ProtocolVersion.Kind.SERVICE,
        **found,
        "ways": [way for way in found["ways"] if _is_offered(way, row, current, by)],
    }


def first_section(version: ProtocolVersion) -> str:
    """Where writing the next version begins."""
    return "about" if version.kind == ProtocolVersion.Kind.SERVICE else "series"


def _is_offered(way: Way, row: ProtocolDraft, current: str, by: Staff) -> bool:
    """A service shows what a plain one has and what there is; whoever may approve it as something
    clinical adds to it. It is no series."""
    if row.base.kind != ProtocolVersion.Kind.SERVICE or way.is_plain or way.slug == current:
        return True
    may_add = access.can(by, Capability.APPROVE_PROTOCOL) and way.rows is not None
    return bool(way.rows or way.wrong or may_add)


def state(
    row: ProtocolDraft, text: str, document: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a text comes to: whether it can become a version, and what it changes."""
    document = _document(text) if document is None else document
    found = drafting.check_for(row, text)
    mends = [_mend(row, problem, document) for problem in found.problems]
    new = reading.to_document(found.protocol) if found.protocol else None
    return {
        "base": row.base,
        "found": found,
        "mends": mends,
        "changes": [
            worded(each, new or {}, row.base.document)
            for each in (differences(row.base.document, new) if new else ())
        ],
        "ways": _ways(found.problems, document),
    }


def problems_of(
    problems: tuple[Problem, ...], document: Mapping[str, Any], section: Section, row: int | None
) -> list[tuple[str, str]]:
    """What is wrong with one part, as (path within it, cause)."""
    spots = ((sections.spot(each.place, document), each) for each in problems)
    return [
        (spot.rest, each.cause)
        for spot, each in spots
        if spot is not None and spot.section is section and spot.row == row
    ]


def _document(text: str) -> Mapping[str, Any] | None:
    try:
        return document_of(text)
    except TextRefused:
        return None


def _ways(problems: tuple[Problem, ...], document: Mapping[str, Any] | None) -> list[Way]:
    spots = [sections.spot(each.place, document or {}) for each in problems]
    return [
        Way(
            section.slug,
            str(SECTIONS[section.slug][0]),
            len(sections.rows(document, section)) if document and section.has_rows else None,
            sum(1 for spot in spots if spot and spot.section is section),
            section.is_plain,
        )
        for section in sections.SECTIONS
    ]


def _mend(row: ProtocolDraft, problem: Problem, document: Mapping[str, Any] | None) -> Mend:
    spot = sections.spot(problem.place, document) if document is not None else None
    if spot is None or not problem.place:
        return Mend(problem, problem.cause)
    section = spot.section
    field = protocol_fields.anchor(section, spot.rest)
    parts = [
        str(SECTIONS[section.slug][0]),
        _row_name(spot, document or {}),
        protocol_fields.named(section, spot.rest),
    ]
    return Mend(
        problem,
        protocol_fields.told(section, spot.rest, problem.cause),
        address(row.protocol, section, spot.row) + (f"#{field}" if field else ""),
        " · ".join(part for part in parts if part),
    )


def worded(change: Difference, *documents: Mapping[str, Any]) -> Change:
    """A difference by the words of its section, row and field, between dots, with its values as
    they are chosen. What the row is called is read from the first of `documents` that has it."""
    whole = [each for each in (change.part, *change.name.split(" "), change.field) if each]
    for section in sorted(sections.SECTIONS, key=lambda each: -len(each.path)):
        path = section.path.split(".") if section.path else []
        rest = whole[len(path) :]
        own = not section.only or (rest and rest[0] in section.only)
        if whole[: len(path)] != path or not own:
            continue
        row = _called(section, rest.pop(0), documents) if section.has_rows and rest else ""
        label, field = str(SECTIONS[section.slug][0]), ".".join(rest)
        parts = (label, row, protocol_fields.named(section, field))
        before, after = protocol_fields.chosen(section, field, change.before, change.after)
        return Change(" · ".join(part for part in parts if part), before, after)
    return Change(" ".join(whole), change.before, change.after)


def _called(section: Section, name: str, documents: Iterable[Mapping[str, Any]]) -> str:
    """The row of this name in the words that a reader sees of it."""
    rows = (row for document in documents for row in sections.rows(document, section))
    found = next((row for row in rows if name_of(section, row) == name), None)
    return name if found is None else _in_words(section, found)


def _row_name(spot: Spot, document: Mapping[str, Any]) -> str:
    if spot.row is None:
        return ""
    found = sections.rows(document, spot.section)[spot.row]
    return _in_words(spot.section, found) or str(spot.row + 1)


# In which field a row says what it is to a reader, in each language.
_SAID = ("name", "title", "label", "sign", "question")


def _in_words(section: Section, row: Mapping[str, Any]) -> str:
    name = name_of(section, row)
    if section.slug == "spacing":
        return other_treatment(name)
    said: Mapping[str, Any] = next(
        (row[each] for each in _SAID if isinstance(row.get(each), Mapping)), {}
    )
    return str(said.get(reader_language()) or name)


def name_of(section: Section, row: Mapping[str, Any]) -> str:
    """What a row is called among the others."""
    names = ("id", "topic", "category", "other")
    return str(next((row[name] for name in names if row.get(name)), ""))


def address(protocol: str, section: Section, row: int | None = None) -> str:
    """Where a section, or one of its rows, is filled in."""
    if row is None:
        return reverse("protocol-draft-section", args=(protocol, section.slug))
    return reverse("protocol-draft-row", args=(protocol, section.slug, row))
