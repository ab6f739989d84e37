"""Sessions done in part: no credit until somebody decides, and the series waits for it."""

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from appointments.charting import crediting, drafting, signing
from appointments.charting.log import log_of
from appointments.charting.refusals import CreditDecided, NotSigned
from appointments.lifecycle import State
from appointments.models import Appointment, SessionCredit, Task, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.refusals import ReasonMissing
from appointments.visits import attendance, booking
from clinic.access import Forbidden
from clinic.models import Staff
from clinic.retelling import retold
from tests.appointments.charting.conftest import MINUTE, Sign, treated
from tests.appointments.conftest import FIRST, SECOND, Book, Wish

pytestmark = pytest.mark.django_db

ABORTED = log_of({"session": {"outcome": "aborted"}, "note": "Felt faint"})


def state_of(series: TreatmentSeries) -> tuple[str, int]:
    series.refresh_from_db()
    return series.state, series.sessions


@pytest.fixture
def single(book: Book, wish: Wish) -> Appointment:
    return book(wish(FIRST)).appointments.get()


def test_an_aborted_last_session_leaves_the_series_open_until_it_is_decided(
    single: Appointment, sign: Sign, provider: Staff, front_desk: Staff
) -> None:
    series = single.series
    with pytest.raises(NotSigned):
        crediting.decide(
            appointment=single, counts=True, reason="x", by=provider, now=single.starts_at
        )
    # Done before anything is written, it is through; the log opens it again.
    now = treated(single, front_desk)
    assert state_of(series)[0] == SeriesState.COMPLETED
    drafting.save(appointment=single, log=ABORTED, by=provider, now=now, expected_version=0)
    assert state_of(series)[0] == SeriesState.OPEN
    with translation.override("es"):
        signing.sign(appointment=single, by=provider, now=now)
    task = Task.objects.get(key=f"credit.visit:{single.pk}")
    assert task.closed_at is None
    assert retold(task.title) == "Session 1 was aborted: decide whether it counts"
    with translation.override("es"):
        assert retold(task.title) == "La sesión 1 quedó interrumpida: decida si cuenta"
        assert retold(task.why[0]).endswith("quedó: interrumpida.")
    for wrong, error in (({"reason": " "}, ReasonMissing), ({"by": front_desk}, Forbidden)):
        with pytest.raises(error):
            crediting.decide(
                **{  # type: ignore[arg-type]
                    "appointment": single,
                    "counts": True,
                    "reason": "Enough was done",
                    "by": provider,
                    "now": now,
                    **wrong,
                }
            )
    crediting.decide(
        appointment=single, counts=True, reason="Enough was done", by=provider, now=now
    )
    task.refresh_from_db()
    assert (state_of(series), task.outcome) == (
        (SeriesState.COMPLETED, 1),
        "The session counts.",
    )
    with pytest.raises(CreditDecided):
        crediting.decide(appointment=single, counts=False, reason="No", by=provider, now=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        SessionCredit.objects.update(counts=False)


def test_a_session_that_does_not_count_is_followed_by_one_more(
    single: Appointment, provider: Staff, front_desk: Staff, wish: Wish
) -> None:
    series = single.series
    now = treated(single, front_desk, done=False)
    drafting.save(appointment=single, log=ABORTED, by=provider, now=now, expected_version=0)
    attendance.complete(appointment=single, by=front_desk, now=now)
    assert state_of(series) == (SeriesState.OPEN, 1)
    signing.sign(appointment=single, by=provider, now=now)
    crediting.decide(
        appointment=single, counts=False, reason="Nothing was done", by=provider, now=now
    )
    assert state_of(series) == (SeriesState.OPEN, 2)
    again = booking.add_visit(series=series, visit=wish(SECOND), by=front_desk, now=now + MINUTE)
    assert again.session == 2
    treated(again, front_desk)
    assert state_of(series) == (SeriesState.COMPLETED, 2)


def test_a_whole_session_asks_for_nothing_and_an_ended_series_stays_ended(
    visits: list[Appointment], series: TreatmentSeries, sign: Sign, provider: Staff
) -> None:
    sign(visits[0])
    assert not Task.objects.filter(key__startswith="credit.").exists()
    TreatmentSeries.objects.update(state=SeriesState.ENDED, closed_at=visits[0].ends_at)
    Appointment.objects.filter(session__gt=1).update(
        state=State.CANCELLED, closed_at=visits[0].ends_at
    )
    drafting_at = visits[0].ends_at
    crediting.decide(
        appointment=visits[0], counts=False, reason="By mistake", by=provider, now=drafting_at
    )
    assert state_of(series) == (SeriesState.ENDED, 3)
