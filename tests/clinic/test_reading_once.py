"""What many parts of a page ask is read once, and what changes something reads anew."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from clinic import reading_once


@pytest.mark.parametrize(("method", "reads"), [("GET", 1), ("HEAD", 1), ("POST", 2)])
def test_a_request_that_changes_nothing_reads_once(method: str, reads: int) -> None:
    read: list[str] = []

    def answer(request: Any) -> HttpResponse:
        for _ in range(2):
            reading_once.once("roles", lambda: read.append("roles"))
        return HttpResponse()

    reading_once.middleware(answer)(RequestFactory().generic(method, "/"))
    assert len(read) == reads


def test_nothing_is_remembered_for_the_next_request_or_outside_of_one() -> None:
    numbers = iter(range(9))

    def answer(request: Any) -> HttpResponse:
        return HttpResponse(str(reading_once.once("number", lambda: next(numbers))))

    answered = [reading_once.middleware(answer)(RequestFactory().get("/")) for _ in range(2)]
    assert [each.content for each in answered] == [b"0", b"1"]
    assert [reading_once.once("number", lambda: next(numbers)) for _ in range(2)] == [2, 3]
