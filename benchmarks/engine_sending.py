"""Sending through real workers, against bare SQL and against a task per reminder."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import engine_lateness, engine_load
from benchmarks.engine_load import CONNECTIONS, LIFE, accepted_by
from benchmarks.figures import Figure
from benchmarks.house import NOW, House
from config.processes import start, stop, wait_until
from patients.models import Patient
from reminders.models import Message

GROUP = "engine"
MESSAGES, FEW = 8_000, 2_000
BURSTS = (2_500, 10_000)
WINDOWS = (64, 128, 500)
# How much of bare SQL's rate is wanted at each window, and how often the naive rate.
OF_BARE_SQL = {64: 0.5, 128: 0.5, 500: 0.6}
TIMES_NAIVE = {64: 20, 500: 40}
AT_ONCE, ANSWER_SECONDS, OF_CALLS = 64, 0.05, 0.75
BURST_CLEARS, MINUTE = 1.25, 60.0
# Tasks to publish, and the seconds until their ETA, which publishing must not outlast.
NAIVE = {250: 12.0, 1_000: 30.0}


def figures(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure]:
    with worker("benchmarks.engine_worker:app", "bench"):
        yield from _with_words(step)
        ours: dict[int, float] = {}
        for window in WINDOWS:
            step(f"sending in windows of {window}")
            _sent(built, patients, FEW // 2, window=window)  # the first connections and plans
            fewer = _sent(built, patients, FEW, window=window)
            engine_load.emptied()
            engine_load.fill(built, patients, MESSAGES, due=NOW)
            bare = engine_load.bare_sql(window, now=NOW)
            in_place = engine_load.bare_sql(window, now=NOW, in_place=True)
            ours[window] = _sent(built, patients, MESSAGES, window=window)
            name = f"send, window {window}, no provider, no words"
            yield Figure(GROUP, name, ours[window], "messages/s", bare, 1 / OF_BARE_SQL[window])
            name = f"send, window {window}, against the same updates in place"
            yield Figure(GROUP, name, ours[window], "messages/s", in_place)
            name = f"send {MESSAGES:,}, window {window}, against {FEW:,}"
            yield Figure(GROUP, name, ours[window], "messages/s", fewer)
        yield from _to_a_slow_provider(built, patients, step)
    step("a task per reminder")
    few, naive = _naive(built, patients)
    name = "a task per reminder, {1:,} against {0:,}".format(*NAIVE)
    yield Figure(GROUP, name, naive, "messages/s", few)
    for window, times in TIMES_NAIVE.items():
        name = f"window {window} against {times} × a task per reminder ({naive:,.0f}/s)"
        yield Figure(GROUP, name, ours[window], "messages/s", times * naive, 1)


def _with_words(step: Callable[[str], None]) -> Iterator[Figure]:
    """What planning has just planned, as if all of it were due, texts and mails: some to begin
    with, a quarter of the others, and then the rest."""
    step("sending with words")
    due = Message.objects.filter(state="scheduled", waits_for="", purpose="care", needs=[])
    ids = list(due.order_by("id").values_list("id", flat=True))
    first, others = ids[: WINDOWS[0]], ids[WINDOWS[0] :]
    few, many = others[: len(others) // 4], others[len(others) // 4 :]
    _worded(first, before=0)
    fewer, _ = _worded(few, before=len(first))
    taken, bare = _worded(many, before=len(first) + len(few))
    yield Figure(GROUP, "send with words, window 64, no provider", taken, "messages/s", bare)
    name = f"send {len(many):,} with words, against {len(few):,}"
    yield Figure(GROUP, name, taken, "messages/s", fewer)


def _worded(ids: Sequence[int], *, before: int) -> tuple[float, float]:
    """Messages a second of these as if they were due, after `before` others, and by bare SQL."""
    now_due = {"due_at": NOW, "wake_at": NOW, "expires_at": NOW + LIFE, "priority": 1}
    Message.objects.filter(pk__in=ids).update(**now_due)
    bare = engine_load.bare_sql(WINDOWS[0], now=NOW)
    return _accepted(len(ids), before=before, window=WINDOWS[0], words=True), bare


def _to_a_slow_provider(
    built: House, patients: Sequence[Patient], step: Callable[[str], None]
) -> Iterator[Figure]:
    step("sending to a slow provider")
    slowly = {"window": 2 * AT_ONCE, "lines": AT_ONCE, "seconds": ANSWER_SECONDS}
    rate = 0.0
    for drains, where in ((1, f"{AT_ONCE}"), (CONNECTIONS, f"{CONNECTIONS} × {AT_ONCE}")):
        fewer = _sent(built, patients, FEW, **slowly, drains=drains)
        rate = _sent(built, patients, MESSAGES, **slowly, drains=drains)
        ideal = drains * AT_ONCE / ANSWER_SECONDS
        name = f"send, {where} in flight, 50 ms answers"
        yield Figure(GROUP, name, rate, "messages/s", ideal, 1 / OF_CALLS)
        name = f"send {MESSAGES:,}, {where} in flight, against {FEW:,}"
        yield Figure(GROUP, name, rate, "messages/s", fewer)
    gone = {}
    for burst in BURSTS:
        step(f"a burst of {burst:,}")
        gone[burst] = burst / _sent(built, patients, burst, **slowly)
        name = f"a burst of {burst:,} to the same"
        yield Figure(GROUP, name, gone[burst], "s", burst / rate, BURST_CLEARS)
    few, many = BURSTS
    name, times = f"a burst of {many:,} to the same", many / few
    yield Figure(GROUP, f"{name}, within the minute", gone[many], "s", MINUTE, 1)
    against = f"{name}, against {times:g} × one of {few:,}"
    yield Figure(GROUP, against, gone[many], "s", times * gone[few])
    step("lateness at half load")
    yield from engine_lateness.figures(
        built, patients, capacity=rate, lines=AT_ONCE, seconds=ANSWER_SECONDS
    )


def _sent(built: House, patients: Sequence[Patient], number: int, **how: Any) -> float:
    """Messages a second, of rows like each other."""
    engine_load.emptied()
    engine_load.fill(built, patients, number, due=NOW)
    return _accepted(number, **how)


def _accepted(
    number: int,
    *,
    before: int = 0,
    window: int,
    lines: int = 1,
    seconds: float = 0.0,
    words: bool = False,
    drains: int = CONNECTIONS,
) -> float:
    """Messages a second from the doorbell until the last is stored as accepted; `before` have been
    so already."""
    from benchmarks.engine_worker import drain

    how = {"window": window, "lines": lines, "seconds": seconds, "words": words}
    began = time.perf_counter()
    for _ in range(drains):
        drain.apply_async((NOW.isoformat(),), how, queue="bench")
    return number / (accepted_by(before + number) - began)


def _naive(built: House, patients: Sequence[Patient]) -> list[float]:
    """Messages a second of a task each, from their common ETA, at each size: publishing is left
    out."""
    from benchmarks.engine_worker import remind

    rates = []
    with worker("benchmarks.engine_worker:naive", "naive"):
        for number, wait in NAIVE.items():
            engine_load.emptied()
            engine_load.fill(built, patients, number, due=NOW)
            ids = list(Message.objects.values_list("pk", flat=True))
            remind.apply_async((ids[0], NOW.isoformat()))
            wait_until(lambda: engine_load.count("accepted") > 0, seconds=60)  # it is ready
            began = time.perf_counter() + wait
            eta = datetime.now(UTC) + timedelta(seconds=wait)
            for each in ids[1:]:
                remind.apply_async((each, NOW.isoformat()), eta=eta)
            if time.perf_counter() > began:
                raise RuntimeError("publishing took longer than their ETA: no rate follows")
            rates.append((number - 1) / (accepted_by(number) - began))
    return rates


@contextmanager
def worker(application: str, queue: str) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", application, "worker", "--queues", queue]
    command += ["--concurrency", str(CONNECTIONS), "--without-gossip", "--without-mingle"]
    command += ["--loglevel", "error"]
    # What it says at its start would stand between our figures.
    quiet = Path(os.devnull)
    process = start(command, dies_by=signal.SIGTERM, log=quiet, env=os.environ, cwd=os.getcwd())
    try:
        yield
    finally:
        stop(process, signal.SIGTERM, seconds=10)
