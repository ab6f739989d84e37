"""Real workers, killed and crowded: every message leaves at most once, and none is lost."""

import signal

import pytest

from reminders.catalogue import Channel, MessageState
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.faults.born import Nursery, Worker
from tests.faults.conftest import Queue, lease_runs_out, ring, state
from tests.processes import eventually

# Nobody listens here: a provider's reports get lost.
NOWHERE = "http://127.0.0.1:9"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]


def test_two_workers_and_two_beats_send_each_message_once(
    celery_worker: Worker, celery_beat: Worker, due: Queue, stand_in: StandIn
) -> None:
    for _ in range(2):
        celery_worker(queues="wake,house", concurrency=2)
        celery_beat()
    texts, mails = due(30), due(10, channel=Channel.EMAIL)
    eventually(
        lambda: (
            Message.objects.filter(state=MessageState.DELIVERED).count() == len(texts)
            and Message.objects.filter(state=MessageState.ACCEPTED).count() == len(mails)
        ),
        seconds=60,
    )
    assert len(stand_in.texts) == len({text.to for text in stand_in.texts}) == len(texts)
    assert len(stand_in.mails) == len({mail.to for mail in stand_in.mails}) == len(mails)


def test_a_hundred_doorbells_at_once_send_each_message_once(
    celery_worker: Worker, due: Queue, stand_in: StandIn
) -> None:
    messages = due(5)
    for _ in range(2):
        celery_worker(queues="wake", concurrency=2)
    ring(100)
    eventually(
        lambda: Message.objects.filter(state=MessageState.DELIVERED).count() == len(messages),
        seconds=60,
    )
    assert len(stand_in.texts) == len(messages)


def test_a_worker_killed_during_the_call_leaves_it_unknown_and_it_is_not_sent_twice(
    celery_worker: Worker, due: Queue, stand_in: StandIn
) -> None:
    [message] = due()
    worker = celery_worker(queues="wake", PUBLIC_URL=NOWHERE)
    stand_in.mode("slow", ms=10_000)
    ring()
    eventually(lambda: stand_in.texts)
    worker.kill()
    assert state(message) == MessageState.SUBMITTING
    lease_runs_out(message)
    assert state(message) == MessageState.UNKNOWN
    [other] = due()
    celery_worker(queues="wake")
    ring()
    eventually(lambda: state(other) == MessageState.DELIVERED)
    assert state(message) == MessageState.UNKNOWN
    assert len(stand_in.texts) == 2


def test_a_mail_whose_worker_was_killed_is_not_sent_twice(
    celery_worker: Worker, due: Queue, stand_in: StandIn
) -> None:
    [message] = due(channel=Channel.EMAIL)
    worker = celery_worker(queues="wake")
    stand_in.mode("mail_slow", ms=2_000)
    ring()
    eventually(lambda: state(message) == MessageState.SUBMITTING)
    worker.kill()
    lease_runs_out(message)
    [other] = due(channel=Channel.EMAIL)
    celery_worker(queues="wake")
    ring()
    eventually(lambda: state(other) == MessageState.ACCEPTED)
    assert state(message) == MessageState.UNKNOWN
    assert [mail.to for mail in stand_in.mails].count("p0@patients.example") <= 1


def test_a_worker_killed_during_the_call_is_made_good_by_the_providers_report(
    celery_worker: Worker, due: Queue, stand_in: StandIn
) -> None:
    [message] = due()
    worker = celery_worker(queues="wake")
    stand_in.mode("slow", ms=10_000)
    ring()
    eventually(lambda: state(message) == MessageState.DELIVERED)
    worker.kill()
    lease_runs_out(message)
    assert state(message) == MessageState.DELIVERED
    assert len(stand_in.texts) == 1


def test_the_loop_without_redis_sends_and_stops_when_told(
    nursery: Nursery, due: Queue, stand_in: StandIn
) -> None:
    messages = due(3)
    loop = nursery.loop()
    eventually(
        lambda: Message.objects.filter(state=MessageState.DELIVERED).count() == len(messages),
        seconds=60,
    )
    loop.send(signal.SIGTERM)
    assert loop.wait() == 0
    assert len(stand_in.texts) == len(messages)
