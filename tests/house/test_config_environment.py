"""A wrong environment ends the process with one line that names the variable."""

import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from config import environment
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
    ("read", "value", "complaint"),
    [
        (lambda name: environment.required(name, "a word"), "", "is not set: a word"),
        (lambda name: environment.address(name, "clinic"), "clinic", "is not an http:// or"),
        (environment.database, "sqlite:///secret", "does not start with postgres://"),
        (environment.redis, "", "is not set: the address of Redis"),
        (environment.redis, "http://secret", "does not start with redis://"),
        (environment.email, "pigeon://secret", "is not a mail address URL"),
        (environment.switch, "maybe", "is neither 1 nor 0"),
        (lambda name: environment.number(name, 0), "two", "is not a whole number"),
        (lambda name: environment.choice(name, ("a", "b")), "secret", "is none of a, b"),
        (environment.mapping, "secret", "is no JSON"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_without_being_shown(
    read: Callable[[str], object], value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", value)
    with pytest.raises(SystemExit) as refusal:
        read("NAME")
    assert str(refusal.value).startswith(f"afterglow: NAME {complaint}")
    assert "secret" not in str(refusal.value)


def test_a_missing_value_ends_the_process_with_one_line() -> None:
    outcome = loaded({"SECRET_KEY": ""}, "settings.DEBUG")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("afterglow: SECRET_KEY is not set")
    assert outcome.stderr.count("\n") == 1


def test_an_https_address_makes_every_cookie_secure() -> None:
    cookies = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE"
    assert loaded({}, cookies).stdout == "True True\n"
    assert loaded({"PUBLIC_URL": "http://127.0.0.1:8000"}, cookies).stdout == "False False\n"


def test_a_socket_directory_is_an_option_of_the_database() -> None:
    url = "postgres://afterglow_app@/afterglow?host=/run/postgresql"
    outcome = loaded({"DATABASE_URL": url}, "settings.DATABASES['default']['OPTIONS']['host']")
    assert outcome.stdout == "/run/postgresql\n"
