"""A protocol that is being written: one working draft for each, until it becomes a version.

What is saved need not be right: nothing that was written is lost. What it becomes is a version
that never changes again, still to be approved (`loading.approve`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from clinic import audit
from clinic.models import ProtocolDraft, ProtocolVersion, Staff
from clinic.protocols import deciding, loading, locating, reading, writing
from clinic.protocols.loading import LoadRefused
from clinic.protocols.reading import ProtocolError
from clinic.protocols.schema import Kind, Protocol
from clinic.saying import gettext

MOST_LETTERS = 400_000
_SYNTAX = re.compile(r"\(at line (\d+), column (\d+)\)")
_PLACE = re.compile(r"([\w.\[\]*-]+): (.+)", re.DOTALL)


class DraftRefused(Exception):
    """Nothing was stored; `sentence` says why."""

    code = "draft_refused"
    field = "text"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class DraftMovedOn(DraftRefused):
    """Somebody saved the draft since it was opened; `theirs` is what they wrote."""

    code = "draft_moved_on"

    def __init__(self, sentence: str, theirs: ProtocolDraft) -> None:
        super().__init__(sentence)
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: on which `line` (from 1; None of the whole) that reads `source`, at which
    `place` of the protocol, and why."""

    line: int | None
    place: str
    cause: str
    source: str = ""

    @property
    def sentence(self) -> str:
        """Such as "line 42: steps[3].after: 'P7' is not …"."""
        line = f"line {self.line}" if self.line else ""
        return ": ".join(part for part in (line, self.place, self.cause) if part)


@dataclass(frozen=True, slots=True)
class Checked:
    """The protocol that a text says, or what is wrong with it."""

    protocol: Protocol | None
    problems: tuple[Problem, ...] = ()


def check(text: str, *, protocol: str, kind: Kind, taken: Collection[str]) -> Checked:
    """Whether `text` can become a version of `protocol`, which is of that kind; `taken` are the
    versions there are."""
    try:
        read = reading.read(text, filename="draft")
    except ProtocolError as error:
        return Checked(None, tuple(_located(error.problems, text)))
    problems = []
    if read.id != protocol:
        cause = gettext("this is the draft of '%(protocol)s', so its id stays that")
        problems.append(f"draft: id: {cause % {'protocol': protocol}}")
    if read.kind is not kind:
        cause = gettext("it was '%(kind)s' in every version, so it stays that")
        problems.append(f"draft: kind: {cause % {'kind': kind}}")
    if read.version in taken:
        cause = gettext("%(version)s is there already; write a higher one")
        problems.append(f"draft: version: {cause % {'version': read.version}}")
    return Checked(None if problems else read, tuple(_located(problems, text)))


def check_for(draft: ProtocolDraft, text: str) -> Checked:
    """As `check`, of a text for a draft."""
    taken = _versions(draft.protocol)
    return check(text, protocol=draft.protocol, kind=Kind(draft.base.kind), taken=taken)


def checked(draft: ProtocolDraft) -> Checked:
    """As `check`, of what was saved."""
    return check_for(draft, draft.text)


def begin(*, base: ProtocolVersion, by: Staff, now: datetime) -> ProtocolDraft:
    """The working draft of a protocol: the one there is, else a copy of `base` with the next
    version. Raises Forbidden, also to who may not decide on the version in use."""
    deciding.require(by, loading.get(base), *loading.in_use(base.protocol))
    with transaction.atomic():
        draft, is_new = ProtocolDraft.objects.get_or_create(
            protocol=base.protocol,
            defaults={
                "base": base,
                "text": text_of(base, next_version(base.version, _versions(base.protocol))),
                "saved_at": now,
                "saved_by": by,
            },
        )
        if is_new:
            _record("protocol.draft", draft, by=by, now=now)
        return draft


def text_of(version: ProtocolVersion, number: str = "") -> str:
    """What a version says as text, with another `number` if one is given."""
    document = reading.whole_document(loading.get(version))
    return writing.toml(document | {"version": number or version.version})


@dataclass(frozen=True, slots=True)
class Saved:
    """The draft as it was kept, and the version that it became."""

    draft: ProtocolDraft
    version: ProtocolVersion | None = None


def save(
    *,
    draft: ProtocolDraft,
    text: str,
    seen: int,
    by: Staff,
    now: datetime,
    publish: bool = False,
) -> Saved:
    """Keep what was written upon the revision that was `seen`, right or not. With `publish` the
    draft becomes a version as well, unless something is still wrong with it.

    Raises Forbidden; DraftMovedOn when somebody saved it meanwhile; DraftRefused for a text that
    is no protocol's by its size, or a draft that is gone.
    """
    require(by, draft)
    with transaction.atomic():
        # Browsers send every end of a line as two characters.
        kept = keep(_locked(draft, seen), text.replace("\r\n", "\n"), by=by, now=now)
        return Saved(kept, become(kept, by=by, now=now) if publish else None)


def take_back(*, draft: ProtocolDraft, seen: int, by: Staff, now: datetime) -> ProtocolDraft:
    """Put back what stood there before the last save; once more brings that save back.

    Raises as `save`, and DraftRefused for a draft that was not saved yet.
    """
    require(by, draft)
    with transaction.atomic():
        row = _locked(draft, seen)
        if not row.text_before:
            raise DraftRefused(gettext("Nothing was saved yet that could be taken back."))
        return keep(row, row.text_before, by=by, now=now)


def keep(row: ProtocolDraft, text: str, *, by: Staff, now: datetime) -> ProtocolDraft:
    """Store a text in a row that is locked; the one that stands there already is no new save.
    Raises DraftRefused when it is too long."""
    if len(text) > MOST_LETTERS:
        raise DraftRefused(gettext("That is longer than a protocol can be. Nothing was saved."))
    if text == row.text:
        return row
    row.text_before, row.text, row.revision = row.text, text, row.revision + 1
    row.saved_at, row.saved_by = now, by
    row.save(update_fields=["text", "text_before", "revision", "saved_at", "saved_by"])
    return row


def publish(*, draft: ProtocolDraft, seen: int, by: Staff, now: datetime) -> ProtocolVersion:
    """Store the draft as a version, to be compared and approved; the draft is gone then.

    Raises as `save`, and DraftRefused when something is still wrong with it.
    """
    require(by, draft)
    with transaction.atomic():
        version = become(_locked(draft, seen), by=by, now=now)
        if version is None:
            raise no_version_yet()
        return version


def become(row: ProtocolDraft, *, by: Staff, now: datetime) -> ProtocolVersion | None:
    """Store a row that is locked as a version; None when something is still wrong with it. Raises
    DraftRefused when it brings a new modality with the name or the code of another one."""
    found = checked(row)
    if found.protocol is None:
        return None
    try:
        version = loading.store(found.protocol, by=by, now=now)
    except LoadRefused as refused:
        [problem] = _located(refused.problems, row.text)
        raise DraftRefused(problem.sentence) from None
    row.delete()
    return version


def no_version_yet() -> DraftRefused:
    """That something is still wrong with a draft."""
    return DraftRefused(gettext("It becomes no version yet: something is still wrong with it."))


def store_text(*, protocol: str, text: str, by: Staff, now: datetime) -> ProtocolVersion:
    """Store a text as the next version of `protocol`, without a working draft.

    Raises Forbidden, and ProtocolError with every problem and its line.
    """
    latest = ProtocolVersion.objects.filter(protocol=protocol).latest("created_at", "pk")
    deciding.require(by, loading.get(latest), *loading.in_use(protocol))
    taken = _versions(protocol)
    found = check(text, protocol=protocol, kind=Kind(latest.kind), taken=taken)
    if found.protocol is None:
        raise ProtocolError([problem.sentence for problem in found.problems])
    return loading.store(found.protocol, by=by, now=now)


def discard(*, draft: ProtocolDraft, seen: int, by: Staff, now: datetime) -> None:
    """Throw the draft away. Raises as `save`."""
    require(by, draft)
    with transaction.atomic():
        row = _locked(draft, seen)
        _record("protocol.draft_discard", row, by=by, now=now)
        row.delete()


def next_version(version: str, taken: Collection[str]) -> str:
    """The first free minor version above `version`, such as 1.1.0 after 1.0.3."""
    major, minor, *_ = (int(part) for part in f"{version}.0.0".split(".")[:3])
    minor += 1
    while f"{major}.{minor}.0" in taken:
        minor += 1
    return f"{major}.{minor}.0"


def _versions(protocol: str) -> set[str]:
    rows = ProtocolVersion.objects.filter(protocol=protocol)
    return set(rows.values_list("version", flat=True))


def require(by: Staff, draft: ProtocolDraft) -> None:
    """Raise Forbidden unless `by` may decide on what the draft began from."""
    deciding.require(by, loading.get(draft.base))


def locked(draft: ProtocolDraft) -> ProtocolDraft:
    """The draft, for the rest of the transaction. Raises DraftRefused when it is gone."""
    rows = ProtocolDraft.objects.select_for_update(of=("self",)).select_related("saved_by", "base")
    row = rows.filter(pk=draft.pk).first()
    if row is None:
        raise DraftRefused(gettext("This draft became a version or was thrown away meanwhile."))
    return row


def moved_on(row: ProtocolDraft) -> DraftMovedOn:
    """That somebody saved this draft since it was opened."""
    said = gettext("%(name)s saved this draft since you opened it.")
    return DraftMovedOn(said % {"name": row.saved_by.name}, row)


def _locked(draft: ProtocolDraft, seen: int) -> ProtocolDraft:
    row = locked(draft)
    if row.revision != seen:
        raise moved_on(row)
    return row


def _located(problems: Iterable[str], text: str) -> Iterable[Problem]:
    """The problems of the reader, each with its line."""
    lines, written = locating.lines_of(text), text.splitlines()
    for problem in problems:
        said = problem.partition(": ")[2]
        place, cause, line = "", said, None
        if at := _SYNTAX.search(said):
            cause = said.removeprefix("not valid TOML: ").replace(at[0], "").strip()
            line = int(at[1])
        elif found := _PLACE.fullmatch(said):
            place, cause = found.groups()
            line = locating.line_of(place, lines)
        source = written[line - 1].strip() if line and line <= len(written) else ""
        yield Problem(line, place, cause, source)


def _record(action: str, draft: ProtocolDraft, *, by: Staff, now: datetime) -> None:
    after = {"protocol": draft.protocol, "base": draft.base.version}
    audit.record(action=action, subject=draft, by=by, now=now, after=after)
