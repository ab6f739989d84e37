"""PostgreSQL, Redis, the providers and every process of an installation, each of which may die."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from config.embedded import cache, database, places
from config.parts import free_port
from config.processes import Process, start, stop
from reminders.stand_in import StandIn

PROJECT = Path(__file__).parents[2]

Server = AbstractContextManager[Process]


class House:
    """PostgreSQL, Redis, the providers and every process, each of which may die and come again."""

    def __init__(self, data: Path, sockets: Path, stand_in: StandIn) -> None:
        self.data, self._sockets = data, sockets
        self.stand_in = stand_in
        self.port = free_port()
        self._servers: dict[str, Server] = {}
        self._processes: dict[str, tuple[tuple[str, ...], Process]] = {}
        self.env = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": "",
            "SECRET_KEY": "of the chaos run",
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PORT": str(self.port),
            "DATABASE_URL": database.url(database.APP, sockets),
            "REDIS_URL": f"unix://{sockets}/redis.sock",
            "EMAIL_URL": f"smtp://127.0.0.1:{stand_in.smtp_port}",
            "TWILIO_ACCOUNT_SID": stand_in.account_sid,
            "TWILIO_AUTH_TOKEN": stand_in.auth_token,
            "TWILIO_BASE_URL": stand_in.http_url,
            "REMAP_SIGTERM": "SIGQUIT",
            "PYTHONUNBUFFERED": "1",
        }

    # --- Servers ----------------------------------------------------------------------------------

    def open(self, name: str) -> Process:
        server: Server
        if name == "redis":
            server = cache.running(self.data, self._sockets, port=None)
        else:
            # With fsync: what was committed must be there after the crash.
            server = database.running(self.data, self._sockets, fresh=False, fsync=True)
        self._servers[name] = server
        return server.__enter__()

    def crash(self, name: str, process: Process, how: signal.Signals) -> Process:
        process.send_signal(how)
        process.wait()
        time.sleep(random.uniform(0.2, 1.5))
        # Of the server that died: nothing is left to stop.
        self._servers.pop(name).__exit__(None, None, None)
        return self.open(name)

    # --- Processes --------------------------------------------------------------------------------

    def run(self, name: str, *arguments: str) -> None:
        self._processes[name] = arguments, self._spawn(name, arguments)

    def revive(self) -> None:
        """Start again whatever ended."""
        for name, (arguments, process) in self._processes.items():
            if process.poll() is not None:
                self._processes[name] = arguments, self._spawn(name, arguments)

    def process(self, name: str) -> Process:
        return self._processes[name][1]

    def close(self) -> None:
        for _, process in self._processes.values():
            stop(process, signal.SIGTERM, seconds=5)
        for server in self._servers.values():
            server.__exit__(None, None, None)

    def manage(self, *arguments: str, owner: bool = False) -> subprocess.CompletedProcess[str]:
        owned = {"DATABASE_URL": database.url(database.OWNER, self._sockets)} if owner else {}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=PROJECT, env=self.env | owned, capture_output=True, text=True, check=False
        )

    def _spawn(self, name: str, arguments: tuple[str, ...]) -> Process:
        return start(
            [sys.executable, *arguments],
            dies_by=signal.SIGKILL,
            log=self.data / f"{name}.log",
            env=self.env,
            cwd=PROJECT,
        )


@contextmanager
def house_of_chaos() -> Iterator[House]:
    data = Path(tempfile.mkdtemp(prefix="afterglow-chaos-"))
    data.chmod(0o711)
    with StandIn(keep=100_000) as stand_in:
        try:
            places.make(data)
            with places.sockets(data) as sockets:
                home = House(data, sockets, stand_in)
                try:
                    yield home
                finally:
                    home.close()
        finally:
            shutil.rmtree(data, ignore_errors=True)
