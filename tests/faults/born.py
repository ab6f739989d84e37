"""The nursery as tests ask for it."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from config.embedded.database import APP
from config.processes import dies_with_parent
from tests.processes import eventually

_names = count(1)

# What a process must know that its nursery, which is older, does not.
OF_THE_TEST = (
    *("PUBLIC_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_BASE_URL"),
    *("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_TIMEOUT", "LAST_WORDS_DIR"),
)


# Seconds. A process that never ends fails its test instead of keeping all the others waiting.
PATIENCE = 120

Worker = Callable[..., "Born"]


class Born:
    """One process, in a session of its own."""

    def __init__(self, nursery: "Nursery", pid: int, log: Path) -> None:
        self._nursery, self.pid, self.log = nursery, pid, log
        self._code: int | None = None

    def ended(self) -> int | None:
        """How it ended, as Popen's returncode; None while it lives."""
        if self._code is None:
            self._code = json.loads(self._nursery.ask({"ended": self.pid}))
        return self._code

    def wait(self) -> int:
        eventually(lambda: self.ended() is not None, seconds=PATIENCE)
        assert self._code is not None
        return self._code

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """With whatever it has started."""
        if self.ended() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()


class Nursery:
    """One process with Django loaded, from which others are forked."""

    def __init__(self, process: subprocess.Popen[str], logs: Path) -> None:
        self._process, self._logs = process, logs
        self._numbers = count(1)
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

    def bear(
        self,
        *arguments: str,
        says: str = "",
        failpoint: str = "",
        env: Mapping[str, str] | None = None,
        **changed: Any,
    ) -> Born:
        """`manage.py ARGUMENTS…` or `celery …`, under this test's settings but for those `changed`.

        `says` is what its output must contain before the call returns.
        """
        told = {name: getattr(settings, name) for name in OF_THE_TEST if hasattr(settings, name)}
        log = self._logs / f"{next(self._numbers)}.log"
        asked = {
            "arguments": arguments,
            "settings": told | changed,
            "env": {**(env or {}), "AFTERGLOW_FAILPOINT": failpoint},
            "log": str(log),
        }
        born = Born(self, int(self.ask(asked)), log)
        self._born.append(born)
        if says:
            eventually(lambda: born.ended() is not None or says in _said(log), seconds=30)
            assert born.ended() is None, _said(log)
        return born

    def end(self) -> None:
        while self._born:
            self._born.pop().kill()


def _said(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


@pytest.fixture(scope="session")
def loaded(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[Nursery]:
    owner = urlsplit(os.environ["DATABASE_URL"])
    database = str(connection.settings_dict["NAME"])
    url = urlunsplit(owner._replace(netloc=f"{APP}@", path=f"/{database}"))
    logs = tmp_path_factory.mktemp("nursery")
    with (logs / "log").open("wb") as log:
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
        yield Nursery(process, logs)
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def nursery(loaded: Nursery, transactional_db: None) -> Generator[Nursery]:
    """Brings forth processes on this test's database; all are gone after the test."""
    yield loaded
    loaded.end()


@pytest.fixture
def celery_worker(nursery: Nursery) -> Worker:
    """Starts a worker: `celery_worker(queues="wake", concurrency=1, PUBLIC_URL=…)`, which is ready
    on return and has this test's settings but for those named; `env` adds variables."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()

    def run(
        *,
        queues: str = "wake,plan,house,default",
        concurrency: int = 1,
        env: Mapping[str, str] | None = None,
        **changed: Any,
    ) -> Born:
        return nursery.bear(
            *("celery", "worker", "--queues", queues, "--concurrency", str(concurrency)),
            *("--hostname", f"w{next(_names)}@tests"),
            *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
            says=" ready.",
            env=env,
            **changed,
        )

    return run


@pytest.fixture
def celery_beat(nursery: Nursery, tmp_path: Path) -> Worker:
    """Starts a beat of its own schedule file; several at once are allowed."""

    def run() -> Born:
        schedule = tmp_path / f"beat-{next(_names)}"
        return nursery.bear(
            *("celery", "beat", "--schedule", str(schedule)),
            *("--pidfile", "", "--loglevel", "INFO"),
        )

    return run
