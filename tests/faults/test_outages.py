"""What everything stands on goes away for a while, or lies: clock, Redis, database, provider, time
itself. Nothing is sent twice and nothing is lost."""

import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from kombu import Connection

from config.celery import app, broker
from config.embedded import cache
from config.embedded.database import APP
from reminders.catalogue import MessageState
from reminders.ledger import claiming
from reminders.models import Message
from reminders.sending import dispatch
from reminders.sending.dispatch import Room
from reminders.stand_in import StandIn
from tests.faults.born import Nursery, Worker
from tests.faults.conftest import Queue, lease_runs_out, state
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)

NOWHERE = "http://127.0.0.1:9"  # nobody listens: a provider's reports get lost
ARRIVED = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED)


def have_arrived(messages: list[Message]) -> bool:
    """Whether the ledger says so of all of these."""
    ids = [each.pk for each in messages]
    return Message.objects.filter(pk__in=ids, state__in=ARRIVED).count() == len(ids)


def recipients(stand_in: StandIn) -> list[str]:
    return [text.to for text in stand_in.texts]


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize("leap", [timedelta(hours=1), -timedelta(hours=1)], ids=["on", "back"])
def test_a_clock_that_leaps_while_messages_leave_sends_each_once(
    due: Queue, stand_in: StandIn, leap: timedelta
) -> None:
    messages = due(6)

    def leaping() -> Iterator[datetime]:
        yield claiming.database_now()
        yield claiming.database_now()
        while True:
            dispatch.tidy(now=claiming.database_now() + leap)
            yield claiming.database_now() + leap

    for clock in (leaping().__next__, claiming.database_now):
        dispatch.drain(clock=clock, seconds=20, rooms={"sms": Room(1, 2)})
    eventually(lambda: have_arrived(messages))
    assert len(recipients(stand_in)) == len(set(recipients(stand_in))) == len(messages)


@pytest.mark.usefixtures("reachable")
def test_a_process_that_froze_beyond_its_lease_is_not_repeated_and_its_answer_counts(
    nursery: Nursery, due: Queue, stand_in: StandIn
) -> None:
    [message] = due()
    stand_in.mode("slow", ms=500)
    frozen = nursery.loop(PUBLIC_URL=NOWHERE)
    eventually(lambda: stand_in.texts)
    frozen.send(signal.SIGSTOP)
    lease_runs_out(message)
    assert state(message) == MessageState.UNKNOWN
    [other] = due()
    nursery.loop()
    eventually(lambda: have_arrived([other]))
    assert state(message) == MessageState.UNKNOWN
    frozen.send(signal.SIGCONT)
    eventually(lambda: state(message) == MessageState.ACCEPTED)
    assert len(recipients(stand_in)) == len(set(recipients(stand_in))) == 2


@pytest.mark.usefixtures("reachable")
def test_a_provider_that_hangs_on_one_text_delivers_the_others_meanwhile(
    nursery: Nursery, due: Queue, stand_in: StandIn
) -> None:
    messages = due(8)
    stand_in.mode("slow", ms=10_000)
    nursery.loop(PUBLIC_URL=NOWHERE)
    eventually(lambda: Message.objects.filter(state=MessageState.ACCEPTED).count() == 7)
    assert Message.objects.filter(state=MessageState.SUBMITTING).count() == 1
    assert len(recipients(stand_in)) == len(set(recipients(stand_in))) == len(messages)


@pytest.mark.usefixtures("reachable")
def test_a_database_that_cuts_every_session_and_lets_none_in_for_a_while_loses_nothing(
    nursery: Nursery, due: Queue, stand_in: StandIn, as_owner: Callable[[str], None]
) -> None:
    """As its clients see a restart; `make chaos` crashes the server itself."""
    messages = due(12)
    stand_in.mode("slow", count=0, ms=300)
    nursery.loop(PUBLIC_URL=NOWHERE)
    eventually(lambda: stand_in.texts)
    database = connection.settings_dict["NAME"]
    as_owner(f'ALTER DATABASE "{database}" CONNECTION LIMIT 0')
    try:
        as_owner(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND usename = '{APP}'"
        )
        eventually(lambda: len(stand_in.texts) == len(messages))  # the calls went on
        assert not have_arrived(messages)
    finally:
        as_owner(f'ALTER DATABASE "{database}" CONNECTION LIMIT -1')
    eventually(lambda: have_arrived(messages))
    assert len(recipients(stand_in)) == len(set(recipients(stand_in))) == len(messages)


@pytest.mark.usefixtures("reachable")
def test_redis_that_dies_and_comes_back_empty_costs_a_doorbell(
    celery_worker: Worker,
    nursery: Nursery,
    due: Queue,
    stand_in: StandIn,
    tmp_path: Path,
) -> None:
    address = f"unix://{tmp_path}/redis.sock"

    def ring() -> None:
        with Connection(broker(address)) as bell:
            app.send_task(
                "reminders.tasks.drain", queue="wake", expires=30, retry=False, connection=bell
            )

    with cache.running(tmp_path, tmp_path, port=None) as redis:
        celery_worker(queues="wake", REDIS_URL=address)
        first = due()
        ring()
        eventually(lambda: have_arrived(first))
        redis.kill()
        redis.wait()
        second = due()
        loop = nursery.loop()  # needs no Redis
        eventually(lambda: have_arrived(second))
        loop.kill()
    with cache.running(tmp_path, tmp_path, port=None):
        third = due()
        eventually(lambda: ring() or have_arrived(third))  # type: ignore[func-returns-value]
    assert len(recipients(stand_in)) == len(set(recipients(stand_in))) == 3
