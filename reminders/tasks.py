"""What Celery's doorbells start. Their payload is empty: the rows hold the work.

A doorbell that comes twice finds nothing to do; one that is lost is made good by the next.
"""

from celery import shared_task

from appointments.importing import working
from reminders.journeys import replanning
from reminders.keeping import journeys, words
from reminders.ledger import claiming
from reminders.sending import dispatch, last_words, tidying
from reminders.sending.floor import Floor

# Ends well before the worker's soft limit of 100 s, one window of at most 60 s included.
DRAIN_SECONDS = 30.0
_floor = Floor()


@shared_task(name="reminders.tasks.plan")
def plan() -> None:
    replanning.sync_stale(now=claiming.database_now())


@shared_task(name="reminders.tasks.drain")
def drain() -> None:
    last_words.collect(now=claiming.database_now())
    dispatch.drain(clock=claiming.database_now, seconds=DRAIN_SECONDS, floor=_floor)


@shared_task(name="reminders.tasks.tidy")
def tidy() -> None:
    tidying.tidy(now=claiming.database_now())


@shared_task(name="reminders.tasks.remove_words")
def remove_words() -> None:
    words.remove(now=claiming.database_now())


@shared_task(name="reminders.tasks.archive_journeys")
def archive_journeys() -> None:
    journeys.archive(now=claiming.database_now())


@shared_task(name="reminders.tasks.bring_over")
def bring_over() -> None:
    """Imports that were begun, and files that were kept long enough."""
    if not working.work(clock=claiming.database_now):
        working.tidy(now=claiming.database_now())
