"""The page of a touch-up: three times that fit, one press, and what stands in the way."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from appointments.models import Appointment, PatientLink, Task, TreatmentSeries
from appointments.visits import booking
from clinic.models import AuditEntry, ProtocolVersion, Resource, Site, Staff
from clinic.wall_time import local
from patients import consent
from patients.models import Patient
from reminders.views.book_series import draft as drafts
from tests.history import a_past_visit
from tests.links import issued
from tests.personas import a_patient
from tests.reminders.views.test_changing_pages import slots_in, text_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def last(
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    now: datetime,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
) -> Appointment:
    """Done two hundred days ago: a touch-up is due from six to twelve months after it."""
    on = local(now, site.zone).date() - 200 * DAY
    return a_past_visit(patient, site, house, on, ended="completed")


@pytest.fixture
def url(last: Appointment, patient: Patient, now: datetime) -> str:
    return f"/p/{_issued(patient, last, now)}/"


def _issued(patient: Patient, last: Appointment, now: datetime) -> str:
    return issued(
        patient_id=patient.pk, appointment=last, now=now, purpose=PatientLink.Purpose.TOUCH_UP
    )


def test_the_page_shows_three_times_and_no_treatment_and_looking_books_nothing(
    client: Client, url: str, last: Appointment
) -> None:
    for _ in range(2):
        client.get(url)
        client.head(url)
    response = client.get(url)
    text = text_of(response)
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    assert len(slots_in(text)) == 3
    for secret in ("microneedling", "Sato", "Okafor", "Room 1", "<script"):
        assert secret not in text
    # The weekday and hour of the last visit is among them.
    like = local(last.starts_at, last.site.zone)
    offered = [local(drafts.instant(each), last.site.zone) for each in slots_in(text)]
    assert any((at.weekday(), at.hour) == (like.weekday(), like.hour) for at in offered)
    assert TreatmentSeries.objects.count() == 1


def test_one_press_books_once_however_often_it_comes_and_may_be_taken_back(
    client: Client, url: str, last: Appointment, patient: Patient
) -> None:
    chosen = slots_in(text_of(client.get(url)))[1]
    for _ in range(2):
        done = client.post(url, {"at": chosen})
        assert (done.status_code, done["Location"]) == (303, f"{url}done/")
    visit = Appointment.objects.exclude(pk=last.pk).get()
    assert visit.starts_at == drafts.instant(chosen)
    assert (visit.series.patient_id, visit.series.booked_by, visit.series.sessions) == (
        patient.pk,
        None,
        1,
    )
    entry = AuditEntry.objects.get(action="series.book")
    assert (entry.by_id, entry.via) == (None, "patient_page")
    text = text_of(client.get(url, follow=True))
    assert "Your visit is booked" in text and "Take it back" in text
    events: list[Any] = list(
        Calendar.from_ical(client.get(f"{url}visits.ics").content).walk("VEVENT")
    )
    assert [event["DTSTART"].dt for event in events] == [visit.starts_at]
    for _ in range(2):
        assert client.post(f"{url}take-back/").status_code == 303
    visit.refresh_from_db()
    assert (visit.state, visit.version) == ("cancelled", 2)
    assert "It is as it was" in text_of(client.get(f"{url}done/"))
    assert len(slots_in(text_of(client.get(url)))) == 3


def test_who_is_too_late_for_a_time_gets_the_next_three(
    client: Client, url: str, last: Appointment, patient: Patient, site: Site, front_desk: Staff,
    now: datetime,
) -> None:  # fmt: skip
    chosen = slots_in(text_of(client.get(url)))[0]
    noor = a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")
    hers = a_past_visit(noor, site, last.protocol_version, last.starts_at.date(), ended="completed")
    assert client.post(f"/p/{_issued(noor, hers, now)}/", {"at": chosen}).status_code == 303
    lost = client.post(url, {"at": chosen})
    assert lost.status_code == 409 and "was just taken" in text_of(lost)
    assert len(slots_in(text_of(lost))) == 3 and chosen not in slots_in(text_of(lost))
    for wrong in ("garbled", "20270216T0300", "20300101T1500"):
        assert client.post(url, {"at": wrong}).status_code == 409
    assert not Appointment.objects.filter(series__patient=patient, state="booked").exists()


def test_who_has_a_visit_already_reads_when_and_who_comes_too_late_whom_to_call(
    client: Client, url: str, last: Appointment, patient: Patient, site: Site,
    house: ProtocolVersion, front_desk: Staff, wish: Any, now: datetime,
) -> None:  # fmt: skip
    booking.book_series(
        patient=patient, site=site, version=house, areas=["face"],
        visits=[wish(date(2027, 3, 18))], by=front_desk, now=now,
    )  # fmt: skip
    booked = client.get(url)
    assert booked.status_code == 409 and "Thu 18 Mar 10:00" in text_of(booked)
    Appointment.objects.exclude(pk=last.pk).update(state="cancelled", closed_at=now)
    with time_machine.travel(last.starts_at + 370 * DAY, tick=False):
        PatientLink.objects.update(expires_at=last.starts_at + 400 * DAY)
        over = client.get(url)
    assert over.status_code == 409 and "The days for this visit are over" in text_of(over)
    assert f"tel:{site.phone}" in text_of(over)


def test_when_none_fits_asking_leaves_a_task(
    client: Client, url: str, last: Appointment, needling_device: Resource
) -> None:
    Resource.objects.filter(pk=needling_device.pk).update(is_active=False)
    text = text_of(client.get(url))
    assert "There is no free time at the moment" in text and "ask/" in text
    asked = client.post(f"{url}ask/", {"wish": "Mondays"}, follow=True)
    assert "We will call you" in text_of(asked)
    task = Task.objects.get()
    assert (task.title, task.wish) == ("Wants a touch-up", "Mondays")


def test_the_same_link_ends_the_mails_and_opens_nothing_else(
    client: Client, url: str, last: Appointment, front_desk: Staff, now: datetime
) -> None:
    patient = last.series.patient
    consent.give(patient=patient, purpose="marketing", channel="email", by=front_desk, now=now)
    assert client.get(f"{url}unsubscribe/").status_code == 200
    assert ("marketing", "email") in consent.standing([patient.pk])[patient.pk]
    for inner in ("preferences/", "questions/", "forms/", f"visits/{last.pk}/move/", "new-link/"):
        response = client.get(url + inner) if inner != "new-link/" else client.post(url + inner)
        assert response.status_code in (200, 404) and "10:00" not in text_of(response)
        assert inner == "new-link/" or response.status_code == 404
    assert client.post(f"{url}unsubscribe/").status_code == 200
    agreed = consent.standing([patient.pk])[patient.pk]
    assert ("marketing", "email") not in agreed and ("care", "email") in agreed
