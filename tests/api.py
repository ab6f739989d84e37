"""Asking the API as somebody, and what every error of it must look like."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from clinic.models import Staff
from tests.personas import NOW

# The endpoints read the clock themselves, so it stands still.
CLOCK = pytest.mark.time_machine(NOW, tick=False)


def api(staff: Staff | None = None) -> APIClient:
    """A client that speaks JSON, signed in as `staff`."""
    client = APIClient()
    if staff is not None:
        client.force_authenticate(staff)
    return client


def refused(answer: Any, status: int, code: str, field: str = "") -> dict[str, Any]:
    """The body of an error, whole and as it was expected."""
    assert answer.headers["Content-Type"] == "application/json", answer.content
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (status, code, field), body
    assert body["sentence"].strip()
    return body
