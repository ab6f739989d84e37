"""One series at a time: its next visit, its early end, another version of its protocol."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from appointments.lifecycle import State
from appointments.models import Appointment, TreatmentSeries
from appointments.models.series import SeriesState
from appointments.visits import booking, cancelling, locking
from clinic.durations import Duration
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import reading
from clinic.protocols.schema import Protocol
from reminders.views.book_series.draft import written
from tests.personas import a_patient
from tests.reminders.views.conftest import SECOND, THIRD, Wish, at

pytestmark = pytest.mark.django_db

PAGES = ("series-next", "series-end", "series-migrate")


def body(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def url(name: str, series: TreatmentSeries) -> str:
    return reverse(name, args=[series.pk])


@pytest.fixture
def newer(
    house: ProtocolVersion, microneedling: Protocol, clinical_lead: Staff, now: datetime
) -> ProtocolVersion:
    """A later version, approved, by which a visit takes a quarter of an hour more."""
    areas = {
        name: replace(area, chair=Duration(seconds=(area.chair.minutes + 15) * 60))
        for name, area in microneedling.applicability.areas.items()
    }
    applicability = replace(microneedling.applicability, areas=areas)
    changed = replace(microneedling, version="99.0.0", applicability=applicability)
    ProtocolVersion.objects.filter(pk=house.pk).update(status=ProtocolVersion.Status.RETIRED)
    return ProtocolVersion.objects.create(
        protocol=house.protocol,
        version="99.0.0",
        kind=house.kind,
        name=house.name,
        modality=house.modality,
        document=reading.to_document(changed),
        digest=reading.digest(changed),
        created_at=now,
        status=ProtocolVersion.Status.APPROVED,
        approved_at=now,
        approved_by=clinical_lead,
        approved_digest=reading.digest(changed),
    )


# --- The next visit -------------------------------------------------------------------------------


def test_the_next_visit_is_proposed_and_booked_from_the_patients_page(
    desk: Client,
    series: TreatmentSeries,
    visits: list[Appointment],
    front_desk: Staff,
    now: datetime,
) -> None:
    patient = reverse("patient", args=[series.patient_id])
    assert url("series-next", series) not in body(desk.get(patient))
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    assert url("series-next", series) in body(desk.get(patient))
    page = body(desk.get(url("series-next", series)))
    assert "Book session 3" in page and "Thu 15 Apr" in page
    place = re.search(r'name="place" value="([^"]+)" data-key="b"', page)
    assert place is not None
    done = desk.post(url("series-next", series), {"place": place[1]}, follow=True)
    assert "session 3 booked for Thu 15 Apr" in body(done)
    assert series.appointments.standing().count() == 3


def test_another_day_is_looked_at_and_a_lost_or_wrong_start_is_told(
    desk: Client,
    series: TreatmentSeries,
    visits: list[Appointment],
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    wish: Wish,
    now: datetime,
) -> None:
    cancelling.cancel(appointment=visits[2], by=front_desk, now=now)
    day = THIRD + timedelta(days=1)
    place = written(wish(day, "10:00"))
    assert place in body(desk.get(f"{url('series-next', series)}?day={day}"))
    ben = a_patient(site, front_desk, now, given="Ben", phone="", email="ben@p.example")
    booking.book_series(
        patient=ben,
        site=site,
        version=house,
        areas=["face"],
        visits=[wish(day, "10:30")],
        by=front_desk,
        now=now,
    )
    lost = desk.post(url("series-next", series), {"place": place})
    assert lost.status_code == 409
    assert "just taken" in body(lost) and "Nearest free starts" in body(lost)
    soon = written(wish(date(2027, 3, 25), "10:00"))
    refused = desk.post(url("series-next", series), {"place": soon})
    assert "7 days after session 2" in body(refused)
    assert desk.post(url("series-next", series), {"place": "x"}).status_code == 409


# --- The early end --------------------------------------------------------------------------------


def test_a_series_ends_with_a_reason_and_goes_on_by_undo(
    desk: Client, series: TreatmentSeries
) -> None:
    page = body(desk.get(url("series-end", series)))
    assert "Cancels 3 visits" in page and "Thu 18 Mar 10:00" in page
    empty = desk.post(url("series-end", series), {"reason": " "})
    assert empty.status_code == 422 and "Write why the series ends" in body(empty)
    ended = body(desk.post(url("series-end", series), {"reason": "Moves abroad"}, follow=True))
    series.refresh_from_db()
    assert (series.state, series.closed_reason) == (SeriesState.ENDED, "Moves abroad")
    assert url("series-reopen", series) in ended
    assert desk.get(url("series-end", series)).status_code == 403
    desk.post(url("series-reopen", series))
    series.refresh_from_db()
    assert series.state == SeriesState.OPEN
    assert set(series.appointments.values_list("state", flat=True)) == {State.BOOKED}
    again = desk.post(url("series-reopen", series), follow=True)
    assert "nothing to take back" in body(again)


# --- Another version ------------------------------------------------------------------------------


def test_the_difference_of_a_newer_version_is_shown_and_gone_over_to(
    desk: Client,
    series: TreatmentSeries,
    visits: list[Appointment],
    newer: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    patient = reverse("patient", args=[series.patient_id])
    assert "Version 99.0.0?" in body(desk.get(patient))
    page = body(desk.get(url("series-migrate", series)))
    assert "Length of a visit" in page and page.count("New length") == 3
    moves = re.findall(r'name="move" value="([^"]+)"', page)
    stale = desk.post(url("series-migrate", series), {"move": moves[1:]})
    assert stale.status_code == 409 and "Nothing was changed" in body(stale)
    done = desk.post(url("series-migrate", series), {"move": moves}, follow=True)
    assert "goes by version 99.0.0" in body(done)
    versions = set(series.appointments.values_list("protocol_version", flat=True))
    assert versions == {newer.pk}
    assert desk.get(url("series-migrate", series)).status_code == 403


def test_a_locked_visit_that_would_grow_leaves_no_way(
    desk: Client,
    series: TreatmentSeries,
    visits: list[Appointment],
    newer: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    locking.lock(appointment=visits[0], by=front_desk, now=now)
    page = body(desk.get(url("series-migrate", series)))
    moves = re.findall(r'name="move" value="([^"]+)"', page)
    answer = body(desk.post(url("series-migrate", series), {"move": moves}))
    assert "is locked" in answer
    series.refresh_from_db()
    assert series.protocol_version != newer


# --- Whom it refuses ------------------------------------------------------------------------------


def test_a_stranger_finds_no_series(stranger: Client, series: TreatmentSeries) -> None:
    for name in PAGES:
        assert stranger.get(url(name, series)).status_code == 404
        assert stranger.post(url(name, series), {"reason": "No"}).status_code == 404
    assert stranger.post(url("series-reopen", series)).status_code == 404
    series.refresh_from_db()
    assert series.state == SeriesState.OPEN
    assert Appointment.objects.filter(starts_at=at(SECOND, "10:00")).exists()
