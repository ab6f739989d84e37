"""Ending a series early, and taking that back."""

from datetime import datetime, timedelta

import pytest

from appointments.lifecycle import State
from appointments.models import Appointment, Gap, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.refusals import (
    ReasonMissing,
    SeriesClosed,
    SeriesNotEnded,
    SlotTaken,
    VisitUnderWay,
)
from appointments.visits import attendance, booking, cancelling, ending
from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, THIRD, Book, Wish, at
from tests.personas import a_patient

pytestmark = [pytest.mark.django_db, CLOCK]

HOUR = timedelta(hours=1)


def states(series: TreatmentSeries) -> list[str]:
    return list(series.appointments.order_by("session").values_list("state", flat=True))


def do_first(visits: list[Appointment], by: Staff) -> datetime:
    """The first session is done; when."""
    then = at(FIRST, "12:00")
    attendance.check_in(appointment=visits[0], by=by, now=at(FIRST, "10:00"))
    attendance.start(appointment=visits[0], by=by, now=at(FIRST, "10:10"))
    attendance.complete(appointment=visits[0], by=by, now=then)
    return then


def test_what_was_done_stays_and_what_is_to_come_is_cancelled(
    series: TreatmentSeries, visits: list[Appointment], wish: Wish, front_desk: Staff
) -> None:
    now = do_first(visits, front_desk)
    revision = Patient.objects.get(pk=series.patient_id).revision
    ended = ending.end_series(series=series, reason="Moves abroad", by=front_desk, now=now)
    assert states(series) == [State.DONE, State.CANCELLED, State.CANCELLED]
    assert (ended.state, ended.closed_at, ended.closed_reason) == (
        SeriesState.ENDED,
        now,
        "Moves abroad",
    )
    assert visits[1].history.get(move="cancel").reason == "Moves abroad"
    assert AuditEntry.objects.get(action="series.end").reason == "Moves abroad"
    assert Patient.objects.get(pk=series.patient_id).revision > revision
    assert Gap.objects.count() == 2
    with pytest.raises(SeriesClosed):
        booking.add_visit(series=series, visit=wish(SECOND), by=front_desk, now=now)


def test_a_series_with_a_visit_under_way_closed_or_without_a_reason_does_not_end(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(ReasonMissing):
        ending.end_series(series=series, reason=" ", by=front_desk, now=now)
    attendance.check_in(appointment=visits[0], by=front_desk, now=at(FIRST, "10:00"))
    with pytest.raises(VisitUnderWay, match="Session 1 is under way"):
        ending.end_series(series=series, reason="Ill", by=front_desk, now=at(FIRST, "10:05"))
    assert states(series) == [State.ARRIVED, State.BOOKED, State.BOOKED]
    cancelling.cancel(appointment=visits[0], by=front_desk, now=at(FIRST, "10:06"))
    ending.end_series(series=series, reason="Ill", by=front_desk, now=at(FIRST, "10:07"))
    with pytest.raises(SeriesClosed):
        ending.end_series(series=series, reason="Ill", by=front_desk, now=at(FIRST, "10:08"))


def test_an_end_is_taken_back_with_the_visits_that_ended_with_it(
    series: TreatmentSeries, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    ending.end_series(series=series, reason="Ill", by=front_desk, now=now + HOUR)
    again = ending.reopen(series=series, by=front_desk, now=now + 2 * HOUR)
    assert (again.state, again.closed_at, again.closed_reason) == (SeriesState.OPEN, None, "")
    assert states(series) == [State.BOOKED, State.BOOKED, State.CANCELLED]
    assert visits[1].allocations.filter(active=True).count() == 4
    with pytest.raises(SeriesNotEnded):
        ending.reopen(series=series, by=front_desk, now=now + 2 * HOUR)


def test_an_end_is_not_taken_back_when_one_place_is_gone(
    book: Book,
    wish: Wish,
    series: TreatmentSeries,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    ending.end_series(series=series, reason="Ill", by=front_desk, now=now)
    ben = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    book(wish(THIRD, "10:30"), patient=ben)
    with pytest.raises(SlotTaken, match="29 Apr 10:00"):
        ending.reopen(series=series, by=front_desk, now=now + HOUR)
    series.refresh_from_db()
    assert series.state == SeriesState.ENDED
    assert states(series) == [State.CANCELLED] * 3


def test_an_outsider_ends_and_reopens_nothing(
    series: TreatmentSeries, outsider: Staff, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        ending.end_series(series=series, reason="Why not", by=outsider, now=now)
    with pytest.raises(Forbidden):
        ending.reopen(series=series, by=outsider, now=now)
    for act in ("end", "reopen"):
        answer = api(outsider).post(f"/api/v1/series/{series.pk}/{act}/", {"reason": "Why not"})
        refused(answer, 404, "not_found")


def test_the_api_ends_a_series_with_a_reason_and_takes_it_back(
    series: TreatmentSeries, front_desk: Staff
) -> None:
    desk, address = api(front_desk), f"/api/v1/series/{series.pk}"
    refused(desk.post(f"{address}/end/", {}), 400, "required", "reason")
    ended = desk.post(f"{address}/end/", {"reason": "Moves abroad"}).json()
    assert (ended["state"], ended["closed_reason"]) == ("ended", "Moves abroad")
    refused(desk.post(f"{address}/end/", {"reason": "Again"}), 409, "series_closed", "series")
    again = desk.post(f"{address}/reopen/").json()
    assert again["state"] == "open"
    assert {each["state"] for each in again["appointments"]} == {"booked"}
    refused(desk.post(f"{address}/reopen/"), 409, "series_not_ended", "series")
