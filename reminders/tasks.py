"""What Celery's doorbells start. Their payload is empty: the rows hold the work.

A doorbell that comes twice finds nothing to do; one that is lost is made good by the next.
"""

from contextlib import suppress

from celery import shared_task

from appointments.importing import working
from reminders.journeys import replanning
from reminders.keeping import canaries, journeys, words
from reminders.ledger import claiming
from reminders.sending import dispatch, last_words, tidying
from reminders.sending.floor import Floor
from reminders.sending.steady_clock import ClockLeapt, SteadyClock
from reminders.sending.watching import Watch

# Ends well before the worker's soft limit of 100 s, one window of at most 60 s included.
DRAIN_SECONDS = 30.0
# A backlog of plans takes every worker of its queue that long at a time; then others have a turn.
# Whoever watches the queues counts on both times (`config.pulse`).
PLAN_SECONDS = 10.0
_floor, _clock, _watch = Floor(), SteadyClock(), Watch()


@shared_task(name="reminders.tasks.plan")
def plan() -> None:
    replanning.plan_stale(clock=claiming.database_now, seconds=PLAN_SECONDS)


@shared_task(name="reminders.tasks.drain")
def drain() -> None:
    last_words.collect(now=claiming.database_now())
    with suppress(ClockLeapt):
        dispatch.drain(clock=_clock, seconds=DRAIN_SECONDS, floor=_floor)


@shared_task(name="reminders.tasks.tidy")
def tidy() -> None:
    tidying.tidy(now=claiming.database_now(), watch=_watch)


@shared_task(name="reminders.tasks.remove_words")
def remove_words() -> None:
    words.remove(now=claiming.database_now())


@shared_task(name="reminders.tasks.archive_journeys")
def archive_journeys() -> None:
    journeys.archive(now=claiming.database_now())


@shared_task(name="reminders.tasks.remove_canaries")
def remove_canaries() -> None:
    canaries.remove(now=claiming.database_now())


@shared_task(name="reminders.tasks.bring_over")
def bring_over() -> None:
    """Imports that were begun, and files that were kept long enough."""
    if not working.work(clock=claiming.database_now):
        working.tidy(now=claiming.database_now())
