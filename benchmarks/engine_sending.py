"""Sending through real workers, against bare SQL and against a task per reminder."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from benchmarks import engine_load
from benchmarks.engine_load import CONNECTIONS
from benchmarks.figures import Figure
from benchmarks.house import NOW, House
from config.processes import start, stop, wait_until
from patients.models import Patient

GROUP = "engine"
MESSAGES = 8_000
WINDOWS = (64, 128, 500)
# How much of bare SQL's rate is wanted at each window, and how often the naive rate.
OF_BARE_SQL = {64: 0.5, 128: 0.5, 500: 0.6}
TIMES_NAIVE = {64: 20, 500: 40}
AT_ONCE, ANSWER_SECONDS = 64, 0.05
ETA = timedelta(seconds=3)


def figures(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure]:
    bare, ours = {}, {}
    with _worker("benchmarks.engine_worker:app", "bench"):
        _sent(built, patients, 500, window=64)  # the first connections and plans
        for window in WINDOWS:
            step(f"sending in windows of {window}")
            engine_load.emptied()
            engine_load.fill(built, patients, MESSAGES, due=NOW)
            bare[window] = engine_load.bare_sql(window, now=NOW)
            ours[window] = _sent(built, patients, MESSAGES, window=window)
            name = f"send, window {window}, no provider, no words"
            most = 1 / OF_BARE_SQL[window]
            yield Figure(GROUP, name, ours[window], "messages/s", bare[window], most)
        step("sending to a slow provider")
        slow = _sent(built, patients, MESSAGES, window=80, lines=AT_ONCE, seconds=ANSWER_SECONDS)
    ideal = CONNECTIONS * AT_ONCE / ANSWER_SECONDS
    name = f"send, {CONNECTIONS} × {AT_ONCE} in flight, 50 ms answers"
    yield Figure(GROUP, name, slow, "messages/s", ideal, 1 / 0.75)
    step("a task per reminder")
    naive = _naive(built, patients, MESSAGES // 8)
    for window, times in TIMES_NAIVE.items():
        name = f"window {window} against {times} × a task per reminder"
        yield Figure(GROUP, name, ours[window], "messages/s", times * naive, 1)


def _sent(
    built: House,
    patients: Sequence[Patient],
    number: int,
    *,
    window: int,
    lines: int = 1,
    seconds: float = 0.0,
) -> float:
    """Messages a second from the doorbell until the last is stored as accepted."""
    from benchmarks.engine_worker import drain

    engine_load.emptied()
    engine_load.fill(built, patients, number, due=NOW)
    began = time.perf_counter()
    for _ in range(CONNECTIONS):
        drain.apply_async(
            (NOW.isoformat(),),
            {"window": window, "lines": lines, "seconds": seconds},
            queue="bench",
        )
    return number / (_until_accepted(number) - began)


def _naive(built: House, patients: Sequence[Patient], number: int) -> float:
    """Messages a second of a task each, from their common ETA: publishing is left out."""
    from benchmarks.engine_worker import remind
    from reminders.models import Message

    engine_load.emptied()
    engine_load.fill(built, patients, number, due=NOW)
    ids = list(Message.objects.values_list("pk", flat=True))
    with _worker("benchmarks.engine_worker:naive", "naive"):
        remind.apply_async((ids[0], NOW.isoformat()))
        _until_accepted(1)  # the worker is ready
        began = time.perf_counter() + ETA.total_seconds()
        eta = datetime.now(UTC) + ETA
        for each in ids[1:]:
            remind.apply_async((each, NOW.isoformat()), eta=eta)
        return (number - 1) / (_until_accepted(number) - began)


def _until_accepted(number: int) -> float:
    """The moment at which all are accepted."""
    if not wait_until(lambda: engine_load.count("accepted") >= number, seconds=300, every=0.01):
        raise RuntimeError(f"{engine_load.count('accepted')} of {number} were sent")
    return time.perf_counter()


@contextmanager
def _worker(application: str, queue: str) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", application, "worker", "--queues", queue]
    command += ["--concurrency", str(CONNECTIONS), "--without-gossip", "--without-mingle"]
    command += ["--loglevel", "error"]
    process = start(command, dies_by=signal.SIGTERM, env=os.environ, cwd=os.getcwd())
    try:
        yield
    finally:
        stop(process, signal.SIGTERM, seconds=10)
