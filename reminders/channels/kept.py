"""Conversations that are kept open, each held by one thread at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")

# As many as a common mail server lets one client have, with some to spare.
MOST = 16
# Within the margin that a dispatcher keeps of its lease for one call.
WAIT_SECONDS = 5.0


class NoneFree(Exception):
    """Every conversation was busy for as long as one may wait; nothing was begun."""


class Kept(Generic[T]):
    """At most `most` conversations; the one that was used last is given out first, so that a quiet
    hour leaves few open."""

    def __init__(
        self, open_one: Callable[[], T], close_one: Callable[[T], None], *, most: int = MOST
    ) -> None:
        self._open_one, self._close_one = open_one, close_one
        self._idle: list[tuple[T, float]] = []
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(most)

    @contextmanager
    def borrowed(self) -> Iterator[tuple[T, float]]:
        """A conversation and for how many seconds it was idle. Raises NoneFree."""
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise NoneFree
        try:
            with self._lock:
                held, since = self._idle.pop() if self._idle else (None, time.monotonic())
            conversation = held if held is not None else self._open_one()
            try:
                yield conversation, time.monotonic() - since
            except BaseException:
                self._close_one(conversation)
                raise
            with self._lock:
                self._idle.append((conversation, time.monotonic()))
        finally:
            self._turns.release()

    def close(self) -> None:
        """Close what nobody holds."""
        with self._lock:
            while self._idle:
                self._close_one(self._idle.pop()[0])
