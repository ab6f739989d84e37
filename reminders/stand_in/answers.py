"""What goes back to a caller of one of the stand-in's HTTP interfaces."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

# Modes in which nothing of the text is kept.
NOT_TAKEN = frozenset({"429", "429_date", "500", "drop_before_accept"})


@dataclass(frozen=True)
class Answer:
    """`cut` closes the connection instead; `raw` is sent as it is; `retry_after` is a header."""

    status: int
    body: dict[str, Any] | None = None
    raw: bytes = b""
    cut: bool = False
    wait_ms: int = 0
    retry_after: str = ""


CUT = Answer(0, cut=True)
GARBAGE = Answer(200, raw=b"<html>It works!</html>")


def busy(answer: Answer, mode: str) -> Answer:
    """The same with the wish of an overrun provider: to come back after a second, or at a date."""
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    return replace(answer, retry_after=date if mode == "429_date" else "1")
