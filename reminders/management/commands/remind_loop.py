"""Plans, sends and tidies in a loop that needs no Redis, beside or instead of Celery's workers."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections

from reminders.journeys import replanning
from reminders.keeping import canaries, journeys, words
from reminders.ledger import claiming
from reminders.sending import dispatch, last_words, tidying
from reminders.sending.floor import Floor
from reminders.sending.steady_clock import ClockLeapt, SteadyClock
from reminders.sending.watching import Watch

log = logging.getLogger(__name__)

TIDY_EVERY_SECONDS = 15.0
# Little at a time: nothing is sent meanwhile.
KEEP_FOR_SECONDS, KEEP_EVERY_SECONDS = 0.5, 3600.0


class Command(BaseCommand):
    help = "Plans and sends what is due, again and again, until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--every",
            type=float,
            default=1.0,
            help="seconds between two rounds (default 1)",
        )

    def handle(self, *args: Any, every: float, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        self.stdout.write("remind_loop: ready")
        tidy_at, keep_at = 0.0, 0.0
        floor, clock, watch = Floor(), SteadyClock(), Watch()
        while not stopping.is_set():
            close_old_connections()
            try:
                _round(stopping, floor, clock, every=every)
                if time.monotonic() >= tidy_at:
                    tidying.tidy(now=claiming.database_now(), watch=watch)
                    tidy_at = time.monotonic() + TIDY_EVERY_SECONDS
                if time.monotonic() >= keep_at:
                    words.remove(now=claiming.database_now(), seconds=KEEP_FOR_SECONDS)
                    journeys.archive(now=claiming.database_now(), seconds=KEEP_FOR_SECONDS)
                    canaries.remove(now=claiming.database_now(), seconds=KEEP_FOR_SECONDS)
                    keep_at = time.monotonic() + KEEP_EVERY_SECONDS
            except (DatabaseError, InterfaceError) as fault:
                # The database is away or refuses one round; the rows wait for the next.
                log.warning("remind_loop: this round failed: %s", type(fault).__name__)
            stopping.wait(every)


def _round(stopping: threading.Event, floor: Floor, clock: SteadyClock, *, every: float) -> None:
    last_words.collect(now=claiming.database_now())
    replanning.sync_stale(now=claiming.database_now())
    with suppress(ClockLeapt):
        dispatch.drain(clock=clock, seconds=every, stopping=stopping.is_set, floor=floor)
