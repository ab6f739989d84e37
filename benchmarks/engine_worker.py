"""Workers to measure: ours with a provider that does nothing, and the naive one with a task per
reminder, due by its ETA."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import django
from celery import Celery
from django.db import transaction

django.setup()  # before the models; Celery's own fixup comes after this module

from benchmarks.engine_load import NoProvider, canned  # noqa: E402
from config.celery import app, broker  # noqa: E402
from reminders import tasks  # noqa: E402
from reminders.journeys import replanning  # noqa: E402
from reminders.ledger import claiming  # noqa: E402
from reminders.models import Attempt, Message  # noqa: E402
from reminders.sending import dispatch, taking  # noqa: E402
from reminders.sending.dispatch import Room  # noqa: E402
from reminders.sending.floor import Floor  # noqa: E402

__all__ = ["app", "naive"]

naive = Celery("naive", broker=broker(os.environ["REDIS_URL"]))
naive.conf.update(task_ignore_result=True, task_default_queue="naive", enable_utc=True)


@app.task(name="bench.drain")
def drain(now: str, *, window: int, lines: int, seconds: float, words: bool) -> None:
    """As the worker's own task, with other rooms and, without `words`, the same for everybody."""
    moment, provider = datetime.fromisoformat(now), NoProvider(seconds)
    dispatch.drain(
        clock=lambda: moment,
        seconds=600,
        channel=lambda _: provider,
        rooms=dict.fromkeys(("sms", "email"), Room(lines, window)),
        write=taking.write if words else canned,
    )


@app.task(name="bench.plan")
def plan(now: str) -> None:
    """As the worker's own task, until nobody is left."""
    moment = datetime.fromisoformat(now)
    replanning.plan_stale(clock=lambda: moment, seconds=600)


_floor = Floor()


@app.task(name="bench.ring")
def ring(*, lines: int, seconds: float) -> None:
    """As the worker's own task, by the database's clock, to a provider that takes its time."""
    provider = NoProvider(seconds)
    dispatch.drain(
        clock=claiming.database_now,
        seconds=tasks.DRAIN_SECONDS,
        channel=lambda _: provider,
        rooms={"sms": Room(lines, 2 * lines)},
        write=canned,
        floor=_floor,
    )


@naive.task(name="bench.remind")
def remind(message_id: int, now: str) -> None:
    """The usual way: fetch, send, save."""
    moment = datetime.fromisoformat(now)
    message = Message.objects.select_related("patient", "site").get(pk=message_id)
    if message.state != "scheduled" or message.expires_at < moment:
        return
    with transaction.atomic():
        message.state, message.accepted_at, message.wake_at = "accepted", moment, None
        message.save(update_fields=["state", "accepted_at", "wake_at"])
        Attempt.objects.create(
            message=message,
            number=1,
            started_at=moment,
            ended_at=moment + timedelta(milliseconds=1),
            outcome="accepted",
        )
