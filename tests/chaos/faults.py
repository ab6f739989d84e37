"""What is done to the house, each by name, counted."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from django.db import connection
from redis import Redis

from config.celery import app
from config.processes import Process
from tests.chaos.home import House

TEXT_TROUBLES = (
    *("slow", "429", "500", "500_after_accept", "drop_before_accept", "drop_after_accept"),
    *("garbage", "no_callback", "duplicate"),
)
MAIL_TROUBLES = ("mail_451", "mail_421", "mail_slow", "mail_drop_before")


class Faults:
    """`done` counts them by name."""

    def __init__(self, home: House, postgres: Process, redis: Process) -> None:
        self._home, self._postgres, self._redis = home, postgres, redis
        self._workers = ("worker-wake", "worker-wake-2", "worker", "remind_loop")
        self.done: Counter[str] = Counter()
        self._frozen: list[tuple[float, int]] = []

    def one(self) -> None:
        name, act = random.choice(
            [
                *[("kill -9 of a process and its children", self.kill)] * 6,
                *[("kill -9 of one child", self.kill_child)] * 3,
                *[("freeze of a process", self.freeze)] * 2,
                ("kill -9 of Redis", self.kill_redis),
                ("Redis emptied", self.flush_redis),
                ("immediate stop of PostgreSQL", self.crash_postgres),
                *[("sessions of the database ended", self.end_sessions)] * 2,
                *[("a text provider in trouble", self.trouble_texts)] * 4,
                *[("a mail provider in trouble", self.trouble_mails)] * 2,
                ("a hundred doorbells at once", self.ring),
                ("beat killed", self.kill_beat),
            ]
        )
        act()
        self.done[name] += 1

    def thaw(self, *, all_of_them: bool = False) -> None:
        now = time.monotonic()
        for until, group in [*self._frozen]:
            if all_of_them or until <= now:
                self._frozen.remove((until, group))
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGCONT)

    def kill(self) -> None:
        self._kill(random.choice(self._workers))

    def kill_beat(self) -> None:
        self._kill(random.choice(("beat", "beat-2")))

    def _kill(self, name: str) -> None:
        process = self._home.process(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_child(self) -> None:
        pid = self._home.process(random.choice(self._workers)).pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        with suppress(OSError, ProcessLookupError):
            for child in children.read_text().split()[:1]:
                os.kill(int(child), signal.SIGKILL)

    def freeze(self) -> None:
        group = self._home.process(random.choice(self._workers)).pid
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGSTOP)
        self._frozen.append((time.monotonic() + random.uniform(2, 6), group))

    def kill_redis(self) -> None:
        self._redis = self._home.crash("redis", self._redis, signal.SIGKILL)

    def flush_redis(self) -> None:
        with Redis.from_url(self._home.env["REDIS_URL"]) as client:
            client.flushall()

    def crash_postgres(self) -> None:
        self._postgres = self._home.crash("postgres", self._postgres, signal.SIGQUIT)
        connection.close()  # our own died with it

    def end_sessions(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = current_user AND pid <> pg_backend_pid()"
            )

    def trouble_texts(self) -> None:
        self._home.stand_in.mode(random.choice(TEXT_TROUBLES), count=random.randint(1, 6), ms=1500)

    def trouble_mails(self) -> None:
        self._home.stand_in.mode(random.choice(MAIL_TROUBLES), count=random.randint(1, 3), ms=1500)

    def ring(self) -> None:
        for _ in range(100):
            app.send_task("reminders.tasks.drain", queue="wake", expires=30, retry=False)
