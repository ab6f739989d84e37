"""The day of who reads a page or an answer, so that dates of another year say their year."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic import saying_days


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def answer(request: HttpRequest) -> HttpResponse:
        with saying_days.read_on(timezone.now().date()):
            return get_response(request)

    return answer
