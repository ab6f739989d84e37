"""Acts that wait for another one: what they do is judged by what stands when they go on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import connection, connections, transaction

from appointments.models import Appointment
from appointments.models.series import SeriesState
from appointments.refusals import InThePast, Refused, SeriesClosed, StaleVersion
from appointments.visits import attendance, booking, cancelling, ending, migrating, undoing
from clinic.models import Closure, Site, Staff
from clinic.protocols.schema import Protocol
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.appointments.visits.test_migrating import Publish, publish  # noqa: F401
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def beside(first: Callable[[], object], then: Callable[[], object]) -> object:
    """Do `first`, let `then` wait for it on a connection of its own, commit; what `then` gave."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(then())
        except Exception as error:  # noqa: BLE001  judged by the test
            outcome.append(error)
        finally:
            connections.close_all()

    thread = Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        eventually(lambda: _somebody_waits() or not thread.is_alive())
    thread.join()
    return outcome[0]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_who_waits_for_another_version_finds_the_visit_again(
    visits: list[Appointment],
    publish: Publish,  # noqa: F811
    microneedling: Protocol,
    front_desk: Staff,
    now: datetime,
) -> None:
    version = publish(microneedling)
    confirmed = beside(
        lambda: migrating.migrate(series=visits[0].series, version=version, by=front_desk, now=now),
        lambda: attendance.confirm(appointment=visits[0], by=front_desk, now=now),
    )
    assert isinstance(confirmed, Appointment)
    assert confirmed.protocol_version == version


def test_an_undo_that_waits_for_the_end_of_the_series_brings_nothing_back(
    visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    whole = visits[0].series
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    refused = beside(
        lambda: ending.end_series(series=whole, reason="Moves away", by=front_desk, now=now),
        lambda: undoing.undo(appointment=visits[2], by=front_desk, now=now),
    )
    assert isinstance(refused, SeriesClosed)
    states = Appointment.objects.filter(series=whole).values_list("state", flat=True)
    assert set(states) == {"cancelled"}


def test_a_series_does_not_end_beside_a_visit_that_is_just_booked(
    book: Book, wish: Wish, front_desk: Staff, now: datetime
) -> None:
    whole = book(wish(FIRST), wish(SECOND), sessions=3)
    outcome = beside(
        lambda: booking.add_visit(series=whole, visit=wish(THIRD), by=front_desk, now=now),
        lambda: ending.end_series(series=whole, reason="Moves away", by=front_desk, now=now),
    )
    whole.refresh_from_db()
    standing = set(whole.appointments.values_list("state", flat=True))
    if isinstance(outcome, StaleVersion):
        assert (whole.state, standing) == (SeriesState.OPEN, {"booked"})
    else:
        assert (whole.state, standing) == (SeriesState.ENDED, {"cancelled"})


def test_an_undo_asks_the_rules_of_a_place_again(
    visits: list[Appointment], site: Site, front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now)
    with pytest.raises(InThePast):
        undoing.undo(appointment=visits[0], by=front_desk, now=at(SECOND, "08:00"))
    Closure.objects.create(site=site, first_day=FIRST, last_day=FIRST, reason="Flooded")
    with pytest.raises(Refused, match="closed"):
        undoing.undo(appointment=visits[0], by=front_desk, now=now)
    Closure.objects.all().delete()
    assert undoing.undo(appointment=visits[0], by=front_desk, now=now).state == "booked"


def test_what_was_cancelled_once_it_had_begun_comes_back_the_same_day(
    visits: list[Appointment], front_desk: Staff
) -> None:
    late = at(FIRST, "10:05")
    cancelling.cancel(appointment=visits[0], by=front_desk, now=late)
    undone = undoing.undo(appointment=visits[0], by=front_desk, now=late + timedelta(minutes=2))
    assert undone.state == "booked"
