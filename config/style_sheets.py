"""Style sheets as they are served: their comments are for who writes them."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

_COMMENT = re.compile(rb"/\*.*?\*/\s*", re.DOTALL)


def without_comments(sheet: bytes) -> bytes:
    """A style sheet, in whose texts no sign of a comment stands, without its comments."""
    return _COMMENT.sub(b"", sheet)


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # ships no types
    """Static files named for what is in them, compressed, style sheets without their comments."""

    def _save(self, name: str, content: File[bytes]) -> Any:
        if name.endswith(".css"):
            content = ContentFile(without_comments(content.read()))
        return super()._save(name, content)
