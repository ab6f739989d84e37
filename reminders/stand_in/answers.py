"""What goes back to a caller of one of the stand-in's HTTP interfaces."""

from dataclasses import dataclass
from typing import Any

# Modes in which nothing of the text is kept.
NOT_TAKEN = frozenset({"429", "500", "drop_before_accept"})


@dataclass(frozen=True)
class Answer:
    """`cut` closes the connection instead; `raw` is sent as it is."""

    status: int
    body: dict[str, Any] | None = None
    raw: bytes = b""
    cut: bool = False
    wait_ms: int = 0
    retry_after: int | None = None


CUT = Answer(0, cut=True)
GARBAGE = Answer(200, raw=b"<html>It works!</html>")
