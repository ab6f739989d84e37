"""Child processes that start in their own session, end in order, and never outlive their parent."""

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from os import killpg
from pathlib import Path

# The number of prctl(2) that asks for a signal when the parent dies.
_PR_SET_PDEATHSIG = 1

Process = subprocess.Popen[bytes]


def start(
    command: list[str],
    *,
    dies_by: signal.Signals,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
    user: str | None = None,
) -> Process:
    """Starts a command in a session of its own: Ctrl-C reaches the caller, who stops in order.

    Its output goes to `log` (begun afresh) or stays on the caller's. Should the caller be killed,
    the kernel sends `dies_by`.
    """
    sink = log.open("wb") if log else None
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=env,
            cwd=cwd,
            user=user,
            start_new_session=True,
            preexec_fn=dies_with_parent(dies_by),
        )
    finally:
        if sink:
            sink.close()


def stop(process: Process, how: signal.Signals, *, seconds: float) -> None:
    """Sends `how`, waits, then kills what is left of the process's group."""
    if process.poll() is None:
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with suppress(ProcessLookupError, PermissionError):
        killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(ready: Callable[[], bool], *, seconds: float, every: float = 0.05) -> bool:
    """Polls `ready` each `every` seconds; False when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Turns SIGTERM into SystemExit, unless the caller handles it, so that contexts are left."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    try:
        signal.signal(signal.SIGTERM, leave)
    except ValueError:  # outside the main thread, which then decides
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignores a second Ctrl-C while everything is being stopped."""
    try:
        former = [(number, signal.signal(number, signal.SIG_IGN)) for number in _STOP_SIGNALS]
    except ValueError:  # outside the main thread no signal arrives
        former = []
    try:
        yield
    finally:
        for number, handler in former:
            signal.signal(number, handler)


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def dies_with_parent(by: signal.Signals) -> Callable[[], None] | None:
    """What a child calls so that the kernel sends it `by` when its parent dies."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return (lambda: prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)) if prctl else None
