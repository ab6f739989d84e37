"""What is larger than a view takes is refused before it is read."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.views.decorators.http import require_POST

from clinic.body_limits import A_FORM, AROUND_FILES, MEGABYTE, READ_ANYWAY, BodyLimits, takes_up_to


@require_POST
def a_form(request: object) -> HttpResponse:
    return HttpResponse()


@takes_up_to(20 * MEGABYTE)
@require_POST
def with_files(request: object) -> HttpResponse:
    return HttpResponse()


class Endpoint:
    most_bytes = 20 * MEGABYTE


def of_class(request: object) -> HttpResponse:
    return HttpResponse()


of_class.cls = Endpoint  # type: ignore[attr-defined]


def answer(view: object, length: int | str, path: str = "/x/") -> HttpResponse | None:
    request = RequestFactory().post(path, CONTENT_LENGTH=str(length))
    request._stream = io.BytesIO(b"a little of it")
    request.user = AnonymousUser()
    limits = BodyLimits(lambda _: HttpResponse())
    return limits.process_view(request, view, (), {})  # type: ignore[arg-type]


@pytest.mark.parametrize("view", [with_files, of_class])
def test_who_takes_files_takes_them_and_a_form_around_them(view: object) -> None:
    most = 20 * MEGABYTE + AROUND_FILES
    assert answer(view, most) is None
    refused = answer(view, most + 1)
    assert refused is not None and refused.status_code == 413
    assert "At most 20 MB" in refused.content.decode()


def test_a_view_that_says_nothing_takes_a_form_only() -> None:
    assert answer(a_form, A_FORM) is None and answer(a_form, "") is None
    refused = answer(a_form, A_FORM + 1, "/api/v1/x/")
    assert refused is not None and refused.status_code == 413
    assert b"too_large" in refused.content and b"2 MB" in refused.content


def test_a_program_is_told_so_without_a_page() -> None:
    refused = answer(a_form, A_FORM + 1, "/webhooks/mail/")
    assert refused is not None and (refused.status_code, refused.content) == (413, b"")


def test_of_an_enormous_body_not_a_byte_is_read() -> None:
    class Body:
        def read(self, _: int = 0) -> bytes:
            raise AssertionError("it was read")

    request = RequestFactory().post("/x/", CONTENT_LENGTH=str(READ_ANYWAY + 1))
    request._stream = Body()  # type: ignore[assignment]
    request.user = AnonymousUser()
    limits = BodyLimits(lambda _: HttpResponse())
    assert limits.process_view(request, a_form, (), {}) is not None


@pytest.mark.django_db
def test_nobody_needs_to_be_signed_in_to_be_refused() -> None:
    enormous: dict[str, Any] = {"CONTENT_LENGTH": str(400 * MEGABYTE)}
    for path in ("/login/", "/p/nobody/photos/", "/api/v1/photos/"):
        sent = Client().post(path, b"", content_type="multipart/form-data; boundary=x", **enormous)
        assert sent.status_code == 413, path
