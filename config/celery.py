"""The queues, and the whole timetable as one table.

A message on the broker is only ever a doorbell: the rows of PostgreSQL hold the work, their due
times and their claims. A lost, doubled or late doorbell therefore costs a tick and never a patient
message; a task whose message carries work that no row holds does not belong here.
"""

import gc
import logging.config
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_process_init
from django.conf import settings

from config import pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# task → (queue, seconds between two ticks)
TIMETABLE: dict[str, tuple[str, float]] = {
    "reminders.tasks.plan": ("plan", 2.0),
    "reminders.tasks.drain": ("wake", 1.0),
    "reminders.tasks.tidy": ("house", 15.0),
    "reminders.tasks.remove_words": ("house", 3600.0),
    "reminders.tasks.archive_journeys": ("house", 3600.0),
    "reminders.tasks.remove_canaries": ("house", 3600.0),
    "reminders.tasks.bring_over": ("default", 2.0),
}


def broker(redis_url: str) -> str:
    """Kombu's spelling of a Redis address: `redis+socket:///path?virtual_host=0` for a socket."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")


# What a worker loads once Django is set up.
app = Celery("afterglow", include=["config.watchdog"])


@app.on_configure.connect
def _configure(sender: Celery, **_: Any) -> None:
    told = {
        "broker_url": broker(settings.REDIS_URL),
        # The emulation keeps unacknowledged messages in Redis. When Redis is killed under load its
        # restore path leaves workers alive but deaf; doorbells need no acknowledgement.
        "broker_transport_options": {
            "ack_emulation": False,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "retry_on_timeout": True,
        },
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        "task_ignore_result": True,
        "task_default_queue": "default",
        "task_routes": {task: {"queue": queue} for task, (queue, _every) in TIMETABLE.items()},
        "task_soft_time_limit": 100,
        "task_time_limit": 120,
        "worker_prefetch_multiplier": 1,
        "worker_eta_task_limit": 100,
        "worker_max_tasks_per_child": 1000,
        "worker_soft_shutdown_timeout": 20,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "beat_scheduler": "config.pulse:Scheduler",
        # A doorbell is stale after two ticks: a worker that was away does not answer a backlog.
        "beat_schedule": {
            task: {
                "task": task,
                "schedule": every,
                "options": {"queue": queue, "expires": 2 * every, "retry": False},
            }
            for task, (queue, every) in TIMETABLE.items()
        },
        "beat_max_loop_interval": 1,
        "enable_utc": True,
        "timezone": "UTC",
    }
    # One by one: `update` lets who has asked for `amqp` read the settings that are just being made.
    for name, value in told.items():
        sender.conf[name] = value


app.autodiscover_tasks()


@setup_logging.connect
def _log_as_the_web_does(**_: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)


@worker_process_init.connect
def _leave_code_out_of_the_collector(**_: Any) -> None:
    """What is loaded stays, and a pass over it takes as long as a window of messages."""
    gc.collect()
    gc.freeze()


@task_prerun.connect
def _tell_health_before(task: Any, **_: Any) -> None:
    pulse.runs(_queue(task))


@task_postrun.connect
def _tell_health(task: Any, **_: Any) -> None:
    pulse.ran(_queue(task))


def _queue(task: Any) -> str:
    return str((task.request.delivery_info or {}).get("routing_key", ""))
