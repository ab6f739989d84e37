"""The timetable rings tasks that exist, and a doorbell carries nothing and soon goes stale."""

import gc

import pytest
from celery import Celery
from celery.signals import worker_process_init

from config.celery import TIMETABLE, _configure, app, broker


def test_every_task_of_the_timetable_exists() -> None:
    app.loader.import_default_modules()
    assert TIMETABLE.keys() <= app.tasks.keys()


def test_a_doorbell_carries_nothing_and_goes_stale_after_two_ticks() -> None:
    for name, entry in app.conf.beat_schedule.items():
        queue, every = TIMETABLE[name]
        assert entry["schedule"] == every
        assert entry["options"] == {"queue": queue, "expires": 2 * every, "retry": False}
        assert "args" not in entry
        assert "kwargs" not in entry


def test_who_sends_before_anybody_read_the_settings_has_them_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fresh = Celery("fresh", set_as_current=False)
    fresh.on_configure.connect(_configure)
    assert fresh.amqp is not None
    assert fresh.conf.task_routes == app.conf.task_routes
    assert not caplog.records


def test_a_worker_leaves_what_it_has_loaded_out_of_what_the_collector_looks_through() -> None:
    loaded, more = gc.get_freeze_count(), [[] for _ in range(10_000)]  # type: ignore[var-annotated]
    try:
        worker_process_init.send(sender=None)
        assert gc.get_freeze_count() >= loaded + len(more)
    finally:
        gc.unfreeze()


def test_no_acknowledgement_is_kept_in_redis() -> None:
    with app.connection_for_read() as connection:
        # The stubs know AMQP's channel only.
        assert connection.default_channel.ack_emulation is False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("redis_url", "spelled"),
    [
        ("redis://redis:6379/0", "redis://redis:6379/0"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_a_socket_is_spelled_as_the_broker_wants_it(redis_url: str, spelled: str) -> None:
    assert broker(redis_url) == spelled
