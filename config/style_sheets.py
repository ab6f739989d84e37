"""Style sheets as they are served: their comments are for who writes them."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

_FOR_WRITERS = re.compile(rb"/\*.*?\*/\s*|(?<=\n)\s+", re.DOTALL)


def as_served(sheet: bytes) -> bytes:
    """A style sheet, in whose texts no sign of a comment stands, without comments and indents."""
    return _FOR_WRITERS.sub(b"", sheet)


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # ships no types
    """Static files named for what is in them, compressed, style sheets as they are served."""

    def _save(self, name: str, content: File[bytes]) -> Any:
        if name.endswith(".css"):
            # Who named it for its content has read it to the end.
            content = ContentFile(as_served(b"".join(content.chunks())))
        return super()._save(name, content)
