"""A wrong environment ends the process with one line that names the variable."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from config.embedded.places import PROJECT

GOOD = {
    "ENV_FILE": "",
    "SECRET_KEY": "x" * 50,
    "PUBLIC_URL": "https://clinic.example",
    "DATABASE_URL": "postgres://app:secret@database/afterglow",
    "REDIS_URL": "redis://redis:6379/0",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example:587",
}


def loaded(changes: Mapping[str, str], expression: str) -> subprocess.CompletedProcess[str]:
    program = f"from config import settings; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**GOOD, **changes},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("PUBLIC_URL", "clinic.example", "PUBLIC_URL is not an http:// or https:// address"),
        ("DATABASE_URL", "sqlite:///x", "DATABASE_URL does not start with postgres://"),
        ("REDIS_URL", "", "REDIS_URL is not set"),
        ("EMAIL_URL", "pigeon://x", "EMAIL_URL is not a mail address URL"),
        ("DEBUG", "maybe", "DEBUG is neither 1 nor 0"),
        ("PROXIES", "two", "PROXIES is not a whole number"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(name: str, value: str, complaint: str) -> None:
    outcome = loaded({name: value}, "settings.DEBUG")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"afterglow: {complaint}")
    assert outcome.stderr.count("\n") == 1
    assert "secret" not in outcome.stderr


def test_an_https_address_makes_every_cookie_secure() -> None:
    cookies = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE"
    assert loaded({}, cookies).stdout == "True True\n"
    assert loaded({"PUBLIC_URL": "http://127.0.0.1:8000"}, cookies).stdout == "False False\n"


def test_a_socket_directory_is_an_option_of_the_database() -> None:
    url = "postgres://afterglow_app@/afterglow?host=/run/postgresql"
    outcome = loaded({"DATABASE_URL": url}, "settings.DATABASES['default']['OPTIONS']['host']")
    assert outcome.stdout == "/run/postgresql\n"
