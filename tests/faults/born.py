"""The nursery as tests ask for it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from config.embedded.database import APP
from config.processes import dies_with_parent

# What a process must know that its nursery, which is older, does not.
OF_THE_TEST = (
    *("PUBLIC_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_BASE_URL"),
    *("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_TIMEOUT", "LAST_WORDS_DIR"),
)


# Seconds. A process that never ends fails its test instead of keeping all the others waiting.
PATIENCE = 120


class Born:
    """One process."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery, self.pid = nursery, pid
        self._code: int | None = None

    def wait(self) -> int:
        """How it ended, as Popen's returncode."""
        if self._code is None:
            self._code = int(self._nursery.ask({"wait": self.pid}))
        return self._code

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        if self._code is None:
            self.send(signal.SIGKILL)
            self.wait()


class Nursery:
    """One process with Django loaded, from which others are forked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._born: list[Born] = []

    def ask(self, line: dict[str, Any]) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert ready, f"{line} was not answered within {PATIENCE} s"
        answer: str = self._process.stdout.readline()
        return answer

    def loop(self, *, failpoint: str = "", **changed: Any) -> Born:
        """`manage.py remind_loop`, under this test's settings but for those `changed`."""
        return self.bear("remind_loop", "--every=0.05", failpoint=failpoint, **changed)

    def bear(self, *arguments: str, failpoint: str = "", **changed: Any) -> Born:
        """`manage.py ARGUMENTS…`, under this test's settings but for those `changed`."""
        told = {name: getattr(settings, name) for name in OF_THE_TEST if hasattr(settings, name)}
        asked = {"arguments": arguments, "settings": told | changed, "failpoint": failpoint}
        self._born.append(Born(self, int(self.ask(asked))))
        return self._born[-1]

    def end(self) -> None:
        while self._born:
            self._born.pop().kill()


@pytest.fixture(scope="session")
def loaded(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[Nursery]:
    owner = urlsplit(os.environ["DATABASE_URL"])
    database = str(connection.settings_dict["NAME"])
    url = urlunsplit(owner._replace(netloc=f"{APP}@", path=f"/{database}"))
    with (tmp_path_factory.mktemp("nursery") / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Nursery(process)
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def nursery(loaded: Nursery, transactional_db: None) -> Generator[Nursery]:
    """Brings forth processes on this test's database; all are gone after the test."""
    yield loaded
    loaded.end()
