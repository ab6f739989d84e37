"""Reads the environment, and says in one line what is wrong with it.

Knows nothing of Django's settings: `settings.py` asks for values by name. A value that is missing
or malformed ends the process with `afterglow: NAME …`, never with a traceback.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from environ import Env

T = TypeVar("T")

_env = Env()


def load_file(project: Path) -> None:
    """Adds the variables of `.env` (or of ENV_FILE; empty means none); the environment wins."""
    name = os.environ.get("ENV_FILE", ".env")
    if name and (project / name).is_file():
        _env.read_env(project / name)


def required(name: str, what: str) -> str:
    if value := os.environ.get(name):
        return value
    raise _wrong(f"{name} is not set: {what}")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def switch(name: str, *, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise _wrong(f"{name} is neither 1 nor 0")


def number(name: str, default: int) -> int:
    return _parsed(name, lambda: int(text(name, str(default))), "is not a whole number")


def listing(name: str, default: list[str]) -> list[str]:
    """Comma-separated values, e.g. `a.example,b.example`."""
    return [part.strip() for part in text(name).split(",") if part.strip()] or default


def address(name: str, value: str) -> str:
    """An http(s) base address without a trailing slash; empty stays empty."""
    if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise _wrong(f"{name} is not an http:// or https:// address")
    return value.rstrip("/")


def database(name: str) -> dict[str, object]:
    """Django's settings of a `postgres://` address; a socket directory goes in `?host=`."""
    value = required(
        name, "the address of PostgreSQL, e.g. postgres://user:password@host/afterglow"
    )
    if not value.startswith(("postgres://", "postgresql://")):
        raise _wrong(f"{name} does not start with postgres://")
    settings: dict[str, Any] = _parsed(
        name, lambda: dict(_env.db_url_config(value)), "is not a database address"
    )
    # A forgotten open transaction would stop vacuum, and with it the speed of the message queue.
    guard = {"options": "-c idle_in_transaction_session_timeout=60000"}
    engine = {"ENGINE": "clinic.postgresql", "OPTIONS": guard | settings.get("OPTIONS", {})}
    return settings | engine


def redis(name: str) -> str:
    value = required(name, "the address of Redis, e.g. redis://host:6379/0")
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise _wrong(f"{name} does not start with redis://, rediss:// or unix://")
    return value


def choice(name: str, values: Sequence[str]) -> str:
    """One of `values`; the first when there is none."""
    value = text(name) or values[0]
    if value not in values:
        raise _wrong(f"{name} is none of {', '.join(values)}")
    return value


def mapping(name: str) -> dict[str, object]:
    """A JSON object; empty when there is none."""
    value = text(name)
    found: dict[str, object] = _parsed(name, lambda: dict(json.loads(value or "{}")), "is no JSON")
    return found


def email(name: str) -> dict[str, object]:
    value = required(name, "the outgoing mail server, e.g. smtp+tls://user:password@host:587")
    return _parsed(name, lambda: dict(_env.email_url_config(value)), "is not a mail address URL")


def _parsed(name: str, parse: Callable[[], T], complaint: str) -> T:
    try:
        return parse()
    except Exception:  # noqa: BLE001 - the parsers raise many kinds, and their text may quote a password
        raise _wrong(f"{name} {complaint}") from None


def _wrong(line: str) -> SystemExit:
    return SystemExit(f"afterglow: {line} (see .env.example)")
