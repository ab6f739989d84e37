"""The draft of a protocol changed section by section: the text is written anew around the part.

Whoever saves has seen one part. That somebody else changed another one meanwhile is no conflict:
both are kept.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from clinic.models import ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import drafting, filling, following, sections, writing
from clinic.protocols.drafting import DraftRefused
from clinic.protocols.filling import Typed
from clinic.protocols.sections import KEY, Part, Rows, Section
from clinic.saying import gettext


class Arrange(StrEnum):
    UP = "up"
    DOWN = "down"
    REMOVE = "remove"


class TextRefused(DraftRefused):
    """The text as a whole cannot be read, so it has no fields: it is mended as text."""

    code = "draft_unreadable"


class RowRefused(DraftRefused):
    """The row cannot be told apart from another one."""

    code = "row_refused"
    field = KEY


@dataclass(frozen=True, slots=True)
class Target:
    """A section of a draft, or one of its rows; the number behind the last is a new one."""

    section: Section
    row: int | None = None

    def part(self, document: Mapping[str, Any]) -> Part | None:
        """What stands there; None for a row that is not there (yet)."""
        if self.row is None:
            return sections.record(document, self.section)
        found = sections.rows(document, self.section)
        return found[self.row] if self.row < len(found) else None

    def whole(self, document: Mapping[str, Any], part: Part) -> Part:
        """The document with another part there."""
        if self.row is None:
            return sections.with_record(document, self.section, part)
        found = sections.rows(document, self.section)
        _require_an_id(self.section, part, found[: self.row] + found[self.row + 1 :])
        return sections.with_rows(
            document, self.section, [*found[: self.row], part, *found[self.row + 1 :]]
        )


def document_of(text: str) -> Part:
    """What a text says, right or not; raises TextRefused when it is no TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        said = gettext("The text has a slip that keeps it from being read. Mend it there first.")
        raise TextRefused(said) from None


def typed_part(document: Mapping[str, Any], target: Target, typed: Typed) -> Part:
    """The part that was typed, whether it can be kept or not."""
    section = target.section
    part = filling.filled(section.of, typed, target.part(document) or {}, only=section.only)
    if section.rows is Rows.KEYED:
        key = " ".join(typed.get(KEY, ("",))[-1].split())
        return {KEY: key} | {name: each for name, each in part.items() if name != KEY}
    return part


def filled_in(document: Mapping[str, Any], target: Target, typed: Typed) -> Part:
    """The document with what was typed; raises RowRefused."""
    section, old = target.section, target.part(document)
    part = typed_part(document, target, typed)
    made = target.whole(document, part)
    if old is None or not section.has_rows:
        return made
    was, becomes = following.name_of(section, old), following.name_of(section, part)
    return _followed(made, section, was, becomes)


def seen(document: Mapping[str, Any], target: Target) -> str:
    """What a form sends back, to tell whether the part is still what it showed."""
    return sections.digest(target.part(document))


def seen_rows(document: Mapping[str, Any], section: Section) -> str:
    """As `seen`, of the rows of a section together."""
    return sections.digest(sections.rows(document, section))


def found_again(document: Mapping[str, Any], target: Target, typed: Typed, saw: str) -> Target:
    """Where the part stands by now: a row may have moved, or changed under the same name; one that
    is gone becomes a new row."""
    section = target.section
    if target.row is None or seen(document, target) == saw:
        return target
    rows = sections.rows(document, section)
    name = following.name_of(section, typed_part(document, target, typed))
    moved = [n for n, each in enumerate(rows) if sections.digest(each) == saw]
    named = [n for n, each in enumerate(rows) if following.name_of(section, each) == name]
    return Target(section, next(iter(moved or named), len(rows)))


@dataclass(frozen=True, slots=True)
class FilledIn:
    """As `drafting.Saved`, and where the part stands in the draft."""

    draft: ProtocolDraft
    target: Target
    version: ProtocolVersion | None = None


def fill_in(
    *,
    draft: ProtocolDraft,
    target: Target,
    typed: Typed,
    saw: str,
    by: Staff,
    now: datetime,
    publish: bool = False,
) -> FilledIn:
    """Keep what was typed into one part, right or not. With `publish` the draft becomes a version
    as well, unless something is still wrong with it.

    Raises Forbidden; DraftMovedOn when somebody changed that part since `saw`; TextRefused,
    RowRefused; DraftRefused when the draft is gone or grows too long.
    """
    drafting.require(by, draft)
    with transaction.atomic():
        row = drafting.locked(draft)
        document = document_of(row.text)
        target = found_again(document, target, typed, saw)
        if seen(document, target) != saw:
            raise drafting.moved_on(row)
        text = writing.toml(filled_in(document, target, typed))
        kept = drafting.keep(row, text, by=by, now=now)
        version = drafting.become(kept, by=by, now=now) if publish else None
        return FilledIn(kept, target, version)


def arrange(
    *,
    draft: ProtocolDraft,
    section: Section,
    row: int,
    act: Arrange,
    saw: str,
    by: Staff,
    now: datetime,
) -> ProtocolDraft:
    """Move a row up or down, or take it out. Raises as `fill_in`; a row that is not there, and one
    that is at its end already, stays as it is."""
    drafting.require(by, draft)
    with transaction.atomic():
        locked = drafting.locked(draft)
        document = document_of(locked.text)
        if seen_rows(document, section) != saw:
            raise drafting.moved_on(locked)
        found = sections.rows(document, section)
        if not _arranged(found, row, act):
            return locked
        made = sections.with_rows(document, section, found)
        if act is Arrange.REMOVE:
            was = sections.rows(document, section)[row]
            made = _followed(made, section, following.name_of(section, was), "")
        text = writing.toml(made)
        return drafting.keep(locked, text, by=by, now=now)


def _arranged(rows: list[Part], row: int, act: Arrange) -> bool:
    """Change the rows; whether there was anything to change."""
    if act is Arrange.REMOVE:
        removed = rows[row : row + 1]
        del rows[row : row + 1]
        return bool(removed)
    first = row if act is Arrange.DOWN else row - 1
    if not 0 <= first < len(rows) - 1:
        return False
    rows[first : first + 2] = reversed(rows[first : first + 2])
    return True


def _followed(document: Part, section: Section, was: str, becomes: str) -> Part:
    """What pointed at a row follows it, unless another row still has that name."""
    names = {following.name_of(section, each) for each in sections.rows(document, section)}
    return document if was in names else following.renamed(document, section, was, becomes)


def _require_an_id(section: Section, part: Part, others: list[Part]) -> None:
    """A table has no two entries of one name, and none without."""
    if section.rows is not Rows.KEYED:
        return
    if not part[KEY]:
        raise RowRefused(gettext("Write an id. Nothing was saved."))
    if part[KEY] in {each[KEY] for each in others}:
        said = gettext("Another row has the id “%(id)s”. Nothing was saved.")
        raise RowRefused(said % {"id": part[KEY]})
