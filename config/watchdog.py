"""A worker that has gone deaf ends itself, and whoever supervises it starts another.

After Redis was away a worker can live on and hear no doorbell any more. It cannot see that by
itself, so a thread beside it holds what it hears against what there is to hear.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from celery.signals import task_received, worker_ready
from celery.worker import state
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from config import pulse
from reminders.ledger import claiming

log = logging.getLogger(__name__)

# The drain's doorbell rings every second.
DEAF_SECONDS = float(os.environ.get("WATCHDOG_DEAF_SECONDS", 30))
LOOK_EVERY_SECONDS = 5.0
QUEUE = "wake"


class Watchdog:
    """Of one worker that takes what the drain's queue brings."""

    def __init__(self, own: Callable[[], float] = time.monotonic) -> None:
        self._own = own
        self._heard_at = own()

    def heard(self, *_: Any, **__: Any) -> None:
        self._heard_at = self._own()

    @property
    def is_deaf(self) -> bool:
        """Whether beat rings and messages are due, and this worker has had nothing to do and has
        heard nothing for half a minute."""
        if state.reserved_requests or self._own() - self._heard_at < DEAF_SECONDS:
            return False
        try:
            return pulse.beat_lives() and claiming.anything_due(now=claiming.database_now())
        except (RedisError, DatabaseError):
            return False  # nobody can hear or send anything now
        finally:
            # Children are forked from here, and must not inherit it open.
            connection.close()

    def watch(self) -> None:
        while not self.is_deaf:
            time.sleep(LOOK_EVERY_SECONDS)
        log.critical("this worker hears nothing any more: it ends, to be started again")
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(70)


@worker_ready.connect
def _begin(sender: Any, **_: Any) -> None:
    if QUEUE not in sender.app.amqp.queues.consume_from:
        return
    watchdog = Watchdog()
    task_received.connect(watchdog.heard, weak=False)
    threading.Thread(target=watchdog.watch, name="watchdog", daemon=True).start()
