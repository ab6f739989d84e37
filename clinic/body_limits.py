"""How large a request may be, looked at before a byte of its body is read or spooled to the disk.

A form is small, and so is what a view takes unless it says otherwise: a function with
`takes_up_to`, an endpoint with `most_bytes`. What comes without a length is read by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.module_loading import import_string

MEGABYTE = 1024 * 1024
A_FORM = 2 * MEGABYTE
# What a form with files needs besides them.
AROUND_FILES = MEGABYTE
# So much of what is refused is read and thrown away, so that the answer is heard: a browser whose
# connection ends while it still sends shows an error of its own.
READ_ANYWAY = 300 * MEGABYTE
_AT_ONCE = 256 * 1024

_View = TypeVar("_View", bound=Callable[..., Any])


def takes_up_to(most_bytes: int) -> Callable[[_View], _View]:
    """Let a view take files of so many bytes together."""

    def mark(view: _View) -> _View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


class BodyLimits:
    """Middleware, to stand before everything that reads a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        files = _files_of(view)
        most = files + AROUND_FILES if files else A_FORM
        length = _length(request)
        if length <= most:
            return None
        _read_away(request, length)
        return _refusal(request, files or A_FORM)


def _files_of(view: Callable[..., Any]) -> int:
    return int(
        getattr(view, "most_bytes", 0) or getattr(getattr(view, "cls", None), "most_bytes", 0)
    )


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _read_away(request: HttpRequest, length: int) -> None:
    if length > READ_ANYWAY:
        return
    while request.read(_AT_ONCE):
        pass


def _refusal(request: HttpRequest, most: int) -> HttpResponse:
    size = f"{most // MEGABYTE} MB"
    if request.path.startswith("/api/"):
        sentence = f"This is larger than {size}, and nothing of it was kept. Send less."
        return JsonResponse({"code": "too_large", "sentence": sentence, "field": ""}, status=413)
    refuse: Callable[..., HttpResponse] = import_string(settings.TOO_LARGE_VIEW)
    return refuse(request, size)
