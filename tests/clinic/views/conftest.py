"""A browser without a screen for each persona, and what every page must keep to."""

import re
from collections.abc import Callable

import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from clinic.models import Staff

INLINE = re.compile(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)", re.I)


@pytest.fixture
def as_(client: Client) -> Callable[[Staff], Client]:
    """Signs a persona in."""

    def signed_in(staff: Staff) -> Client:
        client.force_login(staff)
        return client

    return signed_in


def keeps_to_the_policy(response: HttpResponseBase) -> None:
    """Nothing that the browser's policy would block, and the policy itself is strict."""
    html = getattr(response, "content", b"").decode()
    assert html
    assert not INLINE.findall(html)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
