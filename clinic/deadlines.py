"""How long a request may go on with work that can be cut into pieces."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


def within(seconds: float) -> Callable[[], bool]:
    """Answers whether so many seconds have not passed since now."""
    ends = monotonic() + seconds
    return lambda: monotonic() < ends
