"""Taking a file in: kept privately, read once for its layout, deleted after some days."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from appointments.importing import tables
from appointments.importing.decoding import Unreadable
from appointments.importing.tables import Layout
from appointments.models import Import, ImportRow, ImportState
from appointments.models.importing import WORKING
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.saying import gettext

MOST_BYTES = 200 * 1024 * 1024
# The file holds names and numbers of people, and is of no use once they are here.
KEPT = timedelta(days=30)
SAMPLE_ROWS = 3
_NAME_LENGTH = 120


def folder() -> Path:
    return Path(settings.PRIVATE_ROOT) / "imports"


def take_in(*, blocks: Iterable[bytes], name: str, site: Site, by: Staff, now: datetime) -> Import:
    """Keep a file that arrives in blocks, and say what it is.

    Raises:
        Unreadable: when it is empty, too large or no table; nothing is kept.
        Forbidden: when `by` may not import at `site`.
    """
    access.require(by, Capability.IMPORT, site)
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder() / f"{secrets.token_hex(16)}.csv"
    try:
        size, digest = _kept(blocks, path)
        with path.open("rb") as stream:
            layout = tables.layout_of(stream)
        with transaction.atomic():
            made = Import.objects.create(
                site=site,
                name=Path(name.replace("\x00", "").replace("\\", "/")).name[-_NAME_LENGTH:] or "?",
                file=path.name,
                size=size,
                digest=digest,
                encoding=layout.encoding,
                delimiter=layout.delimiter,
                first=layout.first,
                columns=list(layout.columns),
                signature=layout.signature,
                made_at=now,
                made_by=by,
            )
            audit.record(
                action="import.upload",
                subject=made,
                by=by,
                now=now,
                site=site,
                after={"bytes": size, "sha256": digest},
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return made


def _kept(blocks: Iterable[bytes], path: Path) -> tuple[int, str]:
    size, digest = 0, sha256()
    with path.open("xb") as kept:
        path.chmod(0o600)
        for block in blocks:
            size += len(block)
            if size > MOST_BYTES:
                raise Unreadable(
                    gettext(
                        "This file is larger than %(most_bytes)s MB. Split it in parts; rows about "
                        "one patient may be in different parts."
                    )
                    % {"most_bytes": MOST_BYTES // 1024**2}
                )
            digest.update(block)
            kept.write(block)
    return size, digest.hexdigest()


def layout_of(source: Import) -> Layout:
    return Layout(source.encoding, source.delimiter, source.first, tuple(source.columns))


def opened(source: Import) -> BinaryIO:
    """The file of an import. Raises Unreadable when it was deleted."""
    if source.file:
        try:
            return (folder() / source.file).open("rb")
        except FileNotFoundError:
            pass
    raise Unreadable(gettext("The file of this import was deleted. Upload it again."))


def sample_of(source: Import) -> Sequence[Sequence[str]]:
    """The first rows, for whoever names the columns."""
    with opened(source) as stream:
        rows = tables.records(stream, layout_of(source))
        return [row.cells for row in islice((row for row in rows if not row.problem), SAMPLE_ROWS)]


def delete(*, source: Import, by: Staff, now: datetime) -> None:
    """Delete the file and what is known of its rows; the import stays, with its counts. Twice is
    once.

    Raises Forbidden when `by` may not import there.
    """
    access.require(by, Capability.IMPORT, source.site)
    with transaction.atomic():
        fresh = Import.objects.select_for_update(no_key=True).get(pk=source.pk)
        if fresh.state in WORKING:
            fresh.state, fresh.phase = ImportState.CANCELLED, ""
        if fresh.file:
            audit.record(
                action="import.delete_file", subject=fresh, by=by, now=now, site=fresh.site
            )
        _forget(fresh)


def delete_old(*, now: datetime) -> int:
    """Delete the files that were kept long enough; how many."""
    old = Import.objects.exclude(file="").exclude(state__in=WORKING).filter(made_at__lt=now - KEPT)
    gone = 0
    for pk in list(old.values_list("pk", flat=True)[:100]):
        with transaction.atomic():
            fresh = Import.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
            if fresh is not None and fresh.state not in WORKING:
                _forget(fresh)
                gone += 1
    return gone


def _forget(source: Import) -> None:
    name, source.file = source.file, ""
    source.save(update_fields=["file", "state", "phase"])
    ImportRow.objects.filter(source=source).delete()
    if name:
        # After the commit: a file without its row would be found by nobody.
        transaction.on_commit(lambda: (folder() / name).unlink(missing_ok=True))
