"""Signs of life of worker and beat, kept in Redis with an expiry.

A worker's sign is a task that it takes up or finishes, per queue: a process that lives but no
longer consumes gives none. Beat's sign is a doorbell that it could hand to Redis. Both are written
at most once a second, and a failure to write is silence, never an error of the task.
"""

from functools import cache
from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

_BEAT = "afterglow:pulse:beat"
_QUEUE = "afterglow:pulse:queue:"
# Seconds without a sign after which a part counts as down. Patients wait for these two queues;
# the others may be late without anybody noticing.
BEAT_SILENCE = 10
QUEUE_SILENCE = {"wake": 10, "plan": 15}
# Who is at a task gives no other sign. So long it may take: as its own time says, and one window or
# batch more.
AT_WORK = {"wake": 45, "plan": 25}


def beat_rang() -> None:
    _sign(_BEAT, BEAT_SILENCE)


def runs(queue: str) -> None:
    """Notes that a worker took up a task of the queue."""
    if queue in AT_WORK:
        _sign(_QUEUE + queue, AT_WORK[queue])


def ran(queue: str) -> None:
    """Notes that a worker finished a task of the queue; unknown queues leave no sign."""
    if queue in QUEUE_SILENCE:
        _sign(_QUEUE + queue, QUEUE_SILENCE[queue])


def beat_lives() -> bool:
    return bool(_redis().exists(_BEAT))


def silent_queues() -> list[str]:
    signs = _redis().mget([_QUEUE + queue for queue in QUEUE_SILENCE])
    return [queue for queue, sign in zip(QUEUE_SILENCE, signs, strict=True) if sign is None]


def _sign(key: str, seconds: int) -> None:
    try:
        _redis().set(key, 1, ex=seconds)
    except RedisError:
        return


@cache
def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


class Scheduler(PersistentScheduler):
    """Celery's scheduler, which also leaves beat's sign once a doorbell is on the broker."""

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        rung = super().apply_async(*args, **kwargs)
        beat_rang()
        return rung
