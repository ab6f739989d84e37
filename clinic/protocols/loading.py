"""Protocols in the database: load the library, approve, retire, add a plain service.

A stored version never changes, whatever its status; a change is a new version. Only a person who
may decide on it (`deciding`) makes one reach patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext_lazy

from clinic import audit, modalities, saying
from clinic.modalities import ModalityRefused
from clinic.models import Modality, ProtocolVersion, Staff
from clinic.protocols import deciding, plain_service, reading
from clinic.protocols.reading import ProtocolError
from clinic.protocols.schema import Protocol, Text
from clinic.retelling import kept, text
from clinic.saying import gettext

LIBRARY = Path(__file__).parent / "library"

# A version never changes, so its built form is kept for the life of the process.
_built: dict[str, Protocol] = {}


class LoadRefused(Exception):
    """Nothing was stored. `problems` is a list of sentences, each naming its file or version."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StatusRefused(Exception):
    """The version cannot go to that status; `sentence` says why and what to do."""

    code = "protocol_status"
    field = "status"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


NO_REASON = gettext_lazy("Write why it goes out of use; it is kept in the history.")


class ReasonMissing(StatusRefused):
    code = "reason_missing"
    field = "reason"

    def __init__(self) -> None:
        super().__init__(str(NO_REASON))


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What one load did: versions such as "ipl 1.0.0"."""

    added: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def get(version: ProtocolVersion) -> Protocol:
    """The protocol of a stored version."""
    if version.digest not in _built:
        _built[version.digest] = reading.from_document(version.document)
    return _built[version.digest]


def called(version: ProtocolVersion) -> str:
    """Its name in the language at hand. `name` of the row is the English one, for the database."""
    return get(version).name.get(saying.language())


def in_use(protocol: str) -> list[Protocol]:
    """The approved version of a protocol, if there is one: what its next version takes the place
    of, so who writes and approves that may decide on this one as well."""
    approved = ProtocolVersion.objects.filter(
        protocol=protocol, status=ProtocolVersion.Status.APPROVED
    )
    return [get(version) for version in approved]


def by_digest(ids: Mapping[str, int]) -> dict[str, Protocol]:
    """The protocols of these digests, each with the id of its version; asks the database only for
    those that were not built yet."""
    missing = [pk for digest, pk in ids.items() if digest not in _built]
    if missing:
        for version in ProtocolVersion.objects.filter(pk__in=missing):
            get(version)
    return {digest: _built[digest] for digest in ids}


@transaction.atomic
def load_library(
    *, directory: Path = LIBRARY, by: Staff | None = None, now: datetime
) -> LoadReport:
    """Store every protocol file of `directory` that is not stored yet, as drafts.

    All or nothing: raises LoadRefused with every problem of every file, among them a version
    that is already stored with other content, and a new modality with the name or code of another.
    """
    problems: list[str] = []
    added: list[str] = []
    unchanged: list[str] = []
    for protocol in _files(directory, problems):
        try:
            row, is_new = _store(protocol, by=by, now=now)
        except LoadRefused as refused:
            problems += refused.problems
            continue
        if row.digest != reading.digest(protocol):
            problems.append(f"{row} is already published with other content; raise the version")
        (added if is_new else unchanged).append(str(row))
    if problems:
        raise LoadRefused(problems)
    return LoadReport(added=tuple(added), unchanged=tuple(unchanged))


@transaction.atomic
def approve(
    *, version: ProtocolVersion, by: Staff, now: datetime, demo: bool = False
) -> ProtocolVersion:
    """Let a draft reach patients, bound to its digest; the version approved before it retires.

    Series pinned to the older one keep it. `demo` marks an approval that is no clinician's.
    Raises Forbidden, also to who may not decide on that one, and StatusRefused when the version is
    no longer a draft.
    """
    [row, *others] = _locked(version)
    deciding.require(by, get(version), *in_use(version.protocol))
    if row.status != ProtocolVersion.Status.DRAFT:
        raise StatusRefused(
            gettext("%(version)s is no draft any more; load a new version to change it.")
            % {"version": row}
        )
    if reading.digest(reading.from_document(row.document)) != row.digest:
        raise StatusRefused(
            gettext("%(version)s does not match its digest, so nobody can approve it.")
            % {"version": row}
        )
    for other in others:
        if other.status == ProtocolVersion.Status.APPROVED:
            _retire(
                other,
                by=by,
                now=now,
                reason=kept("%(version)s took its place", version=text(str(row))),
            )
    return _approve(row, by=by, now=now, demo=demo)


@transaction.atomic
def retire(*, version: ProtocolVersion, by: Staff, now: datetime, reason: str) -> ProtocolVersion:
    """Take a draft or an approved version out of use for new series.

    Raises Forbidden, ReasonMissing, and StatusRefused when it is retired already.
    """
    deciding.require(by, get(version))
    row = _locked(version)[0]
    if row.status == ProtocolVersion.Status.RETIRED:
        raise StatusRefused(gettext("%(version)s is retired already.") % {"version": row})
    if not reason.strip():
        raise ReasonMissing
    return _retire(row, by=by, now=now, reason=reason)


@transaction.atomic
def store(protocol: Protocol, *, by: Staff, now: datetime) -> ProtocolVersion:
    """Keep a new version as a draft, to be approved. Raises LoadRefused when it is there, and when
    another modality has the name or the code of its new one."""
    row, is_new = _store(protocol, by=by, now=now)
    if not is_new:
        said = gettext("it is there already; raise the version")
        raise LoadRefused([f"{row}: version: {said}"])
    return row


@transaction.atomic
def create_service(
    *,
    id: str,
    name: Text,
    code: str,
    minutes: int,
    room_kind: str,
    by: Staff,
    now: datetime,
    modality: str = "",
    needs_device: bool = False,
    set_up_minutes: int = 0,
    clean_up_minutes: int = 0,
    min_age: int = 18,
) -> ProtocolVersion:
    """Add a plain service (toxin, facial, call) and put it in use.

    It has one visit of `minutes` and says nothing clinical, so the manager who sets it up also
    approves it; its next versions are written as those of every protocol. `modality` is what a
    provider must be credentialed for; the id when empty.
    Raises Forbidden; ProtocolError when a value is wrong; LoadRefused when the id, or the name or
    code of its new modality, is another one's.
    """
    deciding.require_adding_services(by)
    protocol = reading.check(
        plain_service.service(
            id=id,
            name=name,
            modality=modality or id,
            code=code,
            minutes=minutes,
            room_kind=room_kind,
            needs_device=needs_device,
            set_up_minutes=set_up_minutes,
            clean_up_minutes=clean_up_minutes,
            min_age=min_age,
        ),
        filename=id or "service",
    )
    if _in_library(id) or ProtocolVersion.objects.filter(protocol=id).exists():
        said = gettext("“%(id)s” is another one's already. Choose another id.") % {"id": id}
        raise LoadRefused([f"{id} {protocol.version}: id: {said}"])
    return _approve(store(protocol, by=by, now=now), by=by, now=now, demo=False)


def _files(directory: Path, problems: list[str]) -> Iterator[Protocol]:
    """Each readable protocol of a directory, in order of name; the others become problems."""
    for path in sorted(directory.glob("*.toml")):
        try:
            protocol = reading.read(path.read_text(encoding="utf-8"), filename=path.name)
        except UnicodeDecodeError:
            problems.append(f"{path.name}: is not UTF-8 text")
        except ProtocolError as error:
            problems += error.problems
        else:
            if protocol.id != path.stem:
                problems.append(f"{path.name}: id: '{protocol.id}' is not the name of the file")
            yield protocol


def _in_library(id: str) -> bool:
    return id in {path.stem for path in LIBRARY.glob("*.toml")}


def _store(protocol: Protocol, *, by: Staff | None, now: datetime) -> tuple[ProtocolVersion, bool]:
    """The row of a protocol's version, and whether it was added now (as a draft)."""
    modality = _modality(protocol)
    row, is_new = ProtocolVersion.objects.get_or_create(
        protocol=protocol.id,
        version=protocol.version,
        defaults={
            "kind": protocol.kind.value,
            "name": protocol.name.en,
            "modality": modality,
            "document": reading.to_document(protocol),
            "digest": reading.digest(protocol),
            "created_at": now,
            "created_by": by,
        },
    )
    if is_new:
        audit.record(
            action="protocol.load",
            subject=row,
            by=by,
            now=now,
            after={"status": row.status, "digest": row.digest},
        )
    return row, is_new


def _modality(protocol: Protocol) -> Modality:
    try:
        return modalities.known(slug=protocol.modality, name=protocol.name.en, code=protocol.code)
    except ModalityRefused as refused:
        place = {"name": "name.en", "code": "code"}[refused.field]
        raise LoadRefused(
            [f"{protocol.id} {protocol.version}: {place}: {refused.sentence}"]
        ) from None


def _locked(version: ProtocolVersion) -> list[ProtocolVersion]:
    """The row of `version`, then the other versions of the protocol, locked in order of id so
    that two approvals at once wait for each other."""
    rows = list(
        ProtocolVersion.objects.select_for_update().filter(protocol=version.protocol).order_by("pk")
    )
    return sorted(rows, key=lambda row: row.pk != version.pk)


def _approve(row: ProtocolVersion, *, by: Staff, now: datetime, demo: bool) -> ProtocolVersion:
    before = {"status": row.status}
    row.status = ProtocolVersion.Status.APPROVED
    row.approved_at, row.approved_by, row.approved_digest = now, by, row.digest
    row.is_demo = demo
    row.save(update_fields=["status", "approved_at", "approved_by", "approved_digest", "is_demo"])
    audit.record(
        action="protocol.approve",
        subject=row,
        by=by,
        now=now,
        before=before,
        after={"status": row.status, "digest": row.digest, "is_demo": demo},
    )
    return row


def _retire(row: ProtocolVersion, *, by: Staff, now: datetime, reason: str) -> ProtocolVersion:
    before = {"status": row.status}
    row.status = ProtocolVersion.Status.RETIRED
    row.save(update_fields=["status"])
    audit.record(
        action="protocol.retire",
        subject=row,
        by=by,
        now=now,
        before=before,
        after={"status": row.status},
        reason=reason,
    )
    return row
