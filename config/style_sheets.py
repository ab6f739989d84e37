"""Style sheets as they are served: parts joined into one, and what serves who writes left out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from django.core.files.storage import Storage as Place
from whitenoise.storage import CompressedManifestStaticFilesStorage

_PART = re.compile(rb'@import "([a-z_]+\.css)";\n')
_FOR_WRITERS = re.compile(rb"/\*.*?\*/\s*|(?<=[{};\n])\s+|\s+(?=[{}])", re.DOTALL)


def as_served(sheet: bytes) -> bytes:
    """A style sheet without comments, and without the space around braces and after what ends.

    Its texts have neither a sign of a comment nor a space beside one of those signs.
    """
    return _FOR_WRITERS.sub(b"", sheet)


def joined(sheet: Path) -> bytes:
    """A style sheet with its parts, which stand beside it, in the places where it names them."""
    return _PART.sub(
        lambda named: sheet.with_name(named[1].decode()).read_bytes(), sheet.read_bytes()
    )


class Joined(BaseFinder):
    """`clinic/app.css`, joined of `clinic/sheets/`: whoever serves or collects it is given a file,
    written anew when a part has changed."""

    name = "clinic/app.css"

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != self.name:
            return []
        found = self._written().path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Place]]:
        if not matches_patterns(self.name, ignore_patterns or ()):
            yield self.name, self._written()

    def _written(self) -> FileSystemStorage:
        place = FileSystemStorage(settings.JOINED_SHEETS)
        file = Path(place.path(self.name))
        content = joined(settings.BASE_DIR / "clinic" / "sheets" / "app.css")
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Processes that start together write the same, and none reads half of it.
            with NamedTemporaryFile(dir=file.parent, delete=False) as beside:
                beside.write(content)
            os.chmod(beside.name, 0o644)
            os.replace(beside.name, file)
        return place


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # ships no types
    """Static files named for what is in them, compressed, style sheets as they are served."""

    def _save(self, name: str, content: File[bytes]) -> Any:
        if name.endswith(".css"):
            # Who named it for its content has read it to the end.
            content = ContentFile(as_served(b"".join(content.chunks())))
        return super()._save(name, content)
