"""Real processes beside a test, and the environment they need.

They work on the test's own database as the role that runs, so a test that uses them must be
transactional: rows inside an open transaction are invisible to another process.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from config.embedded.database import APP
from config.processes import Process, start, stop, wait_until

Spawn = Callable[..., Process]

_names = count(1)


def eventually(ready: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Polls until `ready` is true; fails the test when the deadline passes."""
    if not wait_until(lambda: bool(ready()), seconds=seconds):
        pytest.fail(f"did not come true within {seconds:g} s", pytrace=True)


@pytest.fixture
def live_env(transactional_db: None) -> Mapping[str, str]:
    """The environment of a child process that works on this test's database and Redis."""
    owner = urlsplit(os.environ["DATABASE_URL"])
    database = str(connection.settings_dict["NAME"])
    url = urlunsplit(owner._replace(netloc=f"{APP}@", path=f"/{database}"))
    return {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def spawn(live_env: Mapping[str, str], tmp_path: Path) -> Generator[Spawn]:
    """Starts `python ARGUMENTS…` in the project; whatever still runs is stopped after the test.

    `says` is what its output must contain before the call returns; `env` adds variables.
    """
    started: list[Process] = []

    def run(*arguments: str, says: str = "", env: Mapping[str, str] | None = None) -> Process:
        log = tmp_path / f"process-{next(_names)}.log"
        process = start(
            [sys.executable, *arguments],
            dies_by=signal.SIGKILL,
            log=log,
            env={**live_env, **(env or {})},
            cwd=settings.BASE_DIR,
        )
        started.append(process)

        def ready() -> bool:
            return says in log.read_text(errors="replace") or process.poll() is not None

        if not wait_until(ready, seconds=30) or (says and process.poll() is not None):
            pytest.fail(f"{' '.join(arguments)} did not start:\n{log.read_text()}", pytrace=False)
        return process

    yield run
    for process in started:
        stop(process, signal.SIGTERM, seconds=5)


@pytest.fixture
def manage(live_env: Mapping[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `manage.py ARGUMENTS…` to its end in a process of its own."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env={**live_env, **(env or {})},
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
