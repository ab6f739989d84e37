"""Reading JSON bodies from anybody: bounded in size and in depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

MOST_BYTES = 1_000_000


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body is too large; send at most 1 MB."


class BoundedJSON(JSONParser):
    """JSON of at most 1 MB. Raises TooLarge, and ParseError for what is no JSON."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise TooLarge
        try:
            read = super().parse(BytesIO(raw), media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None
        if b"\\ud" in raw.lower() and not _is_text(read):
            raise ParseError("JSON parse error - half of a character")
        return read


def _is_text(read: Any) -> bool:
    """Whether every text in it can be written again: of a pair of escapes one alone is none."""
    try:
        json.dumps(read, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
