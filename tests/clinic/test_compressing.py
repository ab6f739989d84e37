"""Texts travel compressed to who can read them, and what is compressed already as it is."""

import gzip
from typing import Any

import pytest
from django.http import FileResponse, HttpResponse
from django.test import RequestFactory

from clinic.compressing import CompressTexts

PAGE = b"<p>Thu 18 Feb 10:00</p>" * 100


def answered(answer: Any, **headers: str) -> Any:
    request = RequestFactory().get("/", headers=headers or {"Accept-Encoding": "gzip"})
    return CompressTexts(lambda _: answer)(request)


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/csv", "application/json"])
def test_a_text_is_compressed_with_a_random_length_more(kind: str) -> None:
    sent = [answered(HttpResponse(PAGE, content_type=kind)) for _ in range(20)]
    assert {gzip.decompress(each.content) for each in sent} == {PAGE}
    assert all("Accept-Encoding" in each["Vary"] for each in sent)
    lengths = {len(each.content) for each in sent}
    assert len(lengths) > 1 and max(lengths) < len(PAGE) / 4


@pytest.mark.parametrize("kind", ["image/jpeg", "application/pdf", "application/zip"])
def test_what_is_compressed_already_stays_as_it_is(kind: str) -> None:
    assert answered(HttpResponse(PAGE, content_type=kind)).content == PAGE
    stream = FileResponse(iter([PAGE]), content_type=kind)
    assert not answered(stream).has_header("Content-Encoding")


def test_who_cannot_read_it_gets_it_plain() -> None:
    answer = answered(HttpResponse(PAGE), **{"Accept-Encoding": "identity"})
    assert answer.content == PAGE
