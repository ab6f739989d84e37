"""The processes of one installation, and how they are started, watched and stopped together.

Used by `make demo` and `make run`. A part that ends is started again; one that cannot stay up takes
the whole run down with a line that names it. Stops what it started and nothing else.
"""

import http.client
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import Services
from config.embedded.places import PROJECT
from config.processes import Process, start, stop, uninterrupted, wait_until

Environment = Mapping[str, str]

# Every part has this long, all together, to end by itself before it is killed.
_STOP_SECONDS = 8
# A part that ends this often within a minute is broken, not unlucky.
_RESTARTS_A_MINUTE = 3


class Broken(Exception):
    """The run cannot go on; the text is one line that says what to do."""


@dataclass(frozen=True)
class Part:
    name: str
    arguments: tuple[str, ...]  # of the project's Python


def house(schedule: Path) -> tuple[Part, ...]:
    """Web, workers, beat and the loop that needs no Redis; `schedule` is beat's file."""
    return (
        Part("web", ("-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi")),
        _worker("worker-wake", "wake", 1),
        _worker("worker", "plan,house,default", 2),
        Part(
            "beat",
            (
                *("-m", "celery", "-A", "config", "beat"),
                *("--schedule", str(schedule), "--pidfile", ""),
            ),
        ),
        Part("remind_loop", ("manage.py", "remind_loop")),
    )


def _worker(name: str, queues: str, processes: int) -> Part:
    return Part(
        name,
        (
            *("-m", "celery", "-A", "config", "worker", "--queues", queues),
            *("--concurrency", str(processes), "--hostname", f"{name}@%h"),
            # Workers that talk to each other only slow the start: the rows coordinate them.
            *("--without-gossip", "--without-mingle"),
        ),
    )


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_once(arguments: tuple[str, ...], env: Environment, log: Path | None = None) -> None:
    """Runs a command of the project to its end; raises `Broken` with its last line.

    Without a `log` its output stays on the terminal.
    """
    process = start(
        [sys.executable, *arguments], dies_by=signal.SIGTERM, log=log, env=env, cwd=PROJECT
    )
    try:
        code = process.wait()
    finally:
        stop(process, signal.SIGTERM, seconds=_STOP_SECONDS)
    if code:
        why = f" ({_last_line(log)}): read {log}" if log else f" (exit {code}): its reason is above"
        raise Broken(f"`{' '.join(arguments)}` failed{why}")


def healthy(port: int) -> bool:
    """Whether the web process at `port` reports every part alive."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@dataclass
class _Running:
    part: Part
    process: Process
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=_RESTARTS_A_MINUTE))


class House:
    """The running parts. `logs` is a directory with one file per part, or None: the terminal."""

    def __init__(self, env: Environment, logs: Path | None) -> None:
        # SIGTERM lets a worker end its batch, for a bounded time, and then leave at once.
        self._env = {**env, "REMAP_SIGTERM": "SIGQUIT", "PYTHONUNBUFFERED": "1"}
        self._logs = logs
        self._running: list[_Running] = []

    def start(self, part: Part) -> None:
        self._running.append(_Running(part, self._spawn(part)))

    def watch(self) -> None:
        """Starts again what ended; raises `Broken` for a part that does not stay up."""
        for running in self._running:
            code = running.process.poll()
            if code is None:
                continue
            running.ends.append(time.monotonic())
            if len(running.ends) == _RESTARTS_A_MINUTE and running.ends[-1] - running.ends[0] < 60:
                raise Broken(f"{running.part.name} does not stay up ({self._why(running, code)})")
            print(
                f"afterglow: {running.part.name} ended ({code}), starting it again", file=sys.stderr
            )
            running.process = self._spawn(running.part)

    def stop(self) -> None:
        """Asks all parts at once, waits for them together, then kills what is left."""
        deadline = time.monotonic() + _STOP_SECONDS
        for running in self._running:
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
        for running in self._running:
            stop(running.process, signal.SIGTERM, seconds=max(0.0, deadline - time.monotonic()))

    def _spawn(self, part: Part) -> Process:
        return start(
            [sys.executable, *part.arguments],
            dies_by=signal.SIGTERM,
            log=self._log(part),
            env=self._env,
            cwd=PROJECT,
        )

    def _log(self, part: Part) -> Path | None:
        return self._logs / f"{part.name}.log" if self._logs else None

    def _why(self, running: _Running, code: int) -> str:
        log = self._log(running.part)
        return f"{_last_line(log)}; read {log}" if log else f"exit {code}"


@contextmanager
def together(env: Environment, logs: Path | None) -> Iterator[House]:
    house = House(env, logs)
    try:
        yield house
    finally:
        with uninterrupted():
            house.stop()


def watch_until_told(house: House, services: Services | None) -> None:
    """Blocks until Ctrl-C or SIGTERM unwinds the caller; raises `Broken` like `House.watch`."""
    while True:
        house.watch()
        if services and (name := services.ended()):
            raise Broken(f"the embedded {name} ended: start again, its data is kept")
        time.sleep(0.5)


def wait_healthy(house: House, port: int, *, seconds: float) -> None:
    def ready() -> bool:
        house.watch()
        return healthy(port)

    if not wait_until(ready, seconds=seconds, every=0.5):
        raise Broken(
            f"not every part is alive after {seconds:g} s: see http://127.0.0.1:{port}/health/"
        )


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no output"
