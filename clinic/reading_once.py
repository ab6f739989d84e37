"""While a request that changes nothing is answered, what many parts of it ask is read once.

Whatever changes something reads anew each time: what it decides by may change under its locks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse

T = TypeVar("T")

_SAFE = ("GET", "HEAD")
_read: ContextVar[dict[Hashable, Any] | None] = ContextVar("afterglow_read", default=None)


def once(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives; in a request that changes nothing, what it gave first for this key."""
    known = _read.get()
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    return cast(T, known[key])


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Remember what is read for as long as a request is answered that changes nothing."""

    def answer(request: HttpRequest) -> HttpResponse:
        token = _read.set({} if request.method in _SAFE else None)
        try:
            return get_response(request)
        finally:
            _read.reset(token)

    return answer
