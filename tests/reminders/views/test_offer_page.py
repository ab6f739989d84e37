"""The patient's page of an offer: what it shows, what a press does, and how it ends."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from appointments import links
from appointments.models import Appointment, Gap, Invitation, PatientLink, TreatmentSeries
from appointments.visits import cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit
from clinic.models import Site, Staff
from patients.models import Patient
from tests.appointments.conftest import book, wish
from tests.personas import NOW, a_patient

__all__ = ["book", "wish"]

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def series(book: Any, wish: Any, site: Site, front_desk: Staff, now: datetime) -> TreatmentSeries:
    noor = a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")
    booked: TreatmentSeries = book(wish(date(2027, 3, 18)), wish(date(2027, 4, 29)), patient=noor)
    return booked


@pytest.fixture
def invitation(
    series: TreatmentSeries, book: Any, wish: Any, front_desk: Staff, now: datetime
) -> Invitation:
    """Noor may come on 4 March instead of 18 March; asked at NOW, for fifteen minutes."""
    elena = book(wish(date(2027, 3, 4))).appointments.get()
    cancelling.cancel(appointment=elena, by=front_desk, now=now)
    visit = series.appointments.get(session=1)
    entry = entries.add(target=EarlierVisit(visit), by=front_desk, now=now)
    made = offering.offer(gap=Gap.objects.get(), entries=[entry], by=front_desk, now=now)
    return made.invitations.get()


@pytest.fixture
def url(invitation: Invitation, now: datetime) -> str:
    token, link = links.prepare(
        patient_id=invitation.entry.patient_id,
        appointment=None,
        now=now,
        purpose=PatientLink.Purpose.OFFER,
        invitation_id=invitation.pk,
    )
    link.save()
    return f"/p/{token}/"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW + MINUTE, tick=False) as travelled:
        yield travelled


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_the_page_shows_both_times_and_what_moves_along_and_no_treatment(
    client: Client, url: str, site: Site
) -> None:
    response = client.get(url)
    text = text_of(response)
    assert response.status_code == 200
    assert "Thu 4 Mar 10:00" in text and "Thu 18 Mar 10:00" in text
    assert "Your later visits move along" in text
    assert "until 09:15" in text
    assert site.address in text
    for secret in ("microneedling", "Haddad", "Sam Okafor", "Room 1", "<script"):
        assert secret not in text
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_looking_changes_nothing_and_a_press_needs_the_pages_own_form(
    url: str, invitation: Invitation
) -> None:
    browser = Client(enforce_csrf_checks=True)
    for _ in range(3):
        browser.get(url)
        browser.head(url)
    assert browser.post(url, {"answer": "accept"}).status_code == 403
    invitation.refresh_from_db()
    assert invitation.answer == ""


def test_one_press_takes_the_time_and_a_second_says_the_same(
    client: Client, url: str, invitation: Invitation, series: TreatmentSeries
) -> None:
    for _ in range(2):
        answer = client.post(url, {"answer": "accept"})
        assert (answer.status_code, answer["Location"]) == (303, url)
        text = text_of(client.get(url))
        assert "This time is yours" in text and "Thu 4 Mar 10:00" in text
    assert series.appointments.get(session=1).starts_at == invitation.starts_at
    assert Appointment.objects.filter(series=series).count() == 2


def test_who_took_the_time_takes_the_visits_along_as_a_calendar_file(
    client: Client, url: str, invitation: Invitation, series: TreatmentSeries
) -> None:
    assert "visits.ics" not in text_of(client.get(url))
    early = client.get(f"{url}visits.ics")
    assert (early.status_code, early["Location"]) == (302, url)
    client.post(url, {"answer": "accept"})
    assert '<a class="btn p" href="visits.ics">Add to calendar</a>' in text_of(client.get(url))
    file = client.get(f"{url}visits.ics")
    assert file["Content-Type"].startswith("text/calendar")
    assert (file["X-Robots-Tag"], "no-store" in file["Cache-Control"]) == (
        "noindex, nofollow",
        True,
    )
    events: list[Any] = list(Calendar.from_ical(file.content).walk("VEVENT"))
    assert [event["DTSTART"].dt for event in events] == [
        visit.starts_at for visit in series.appointments.order_by("starts_at")
    ]
    # The invitation by mail has the same name for the visit and a later one takes its place.
    moved = series.appointments.get(session=1)
    assert events[0]["UID"].startswith(f"visit-{moved.pk}@")
    assert events[0]["SEQUENCE"] == moved.version
    assert "microneedling" not in file.content.decode().lower()
    PatientLink.objects.update(revoked_at=NOW)
    assert client.get(f"{url}visits.ics").status_code == 410


def test_who_declines_stays_on_the_list(client: Client, url: str, invitation: Invitation) -> None:
    text = text_of(client.post(url, {"answer": "decline"}, follow=True))
    assert "you stay on our list" in text
    invitation.refresh_from_db()
    assert (invitation.answer, invitation.entry.closed_at) == ("declined", None)
    assert "Take this time" not in text_of(client.get(url))


@pytest.mark.parametrize(
    ("how", "title"),
    [
        ("expired", "This time is no longer kept"),
        ("withdrawn", "This time is no longer open"),
        ("gone", "Somebody else was first"),
    ],
)
def test_each_end_has_its_own_page_and_a_late_press_changes_nothing(
    client: Client,
    url: str,
    invitation: Invitation,
    front_desk: Staff,
    clock: Any,
    how: str,
    title: str,
) -> None:
    if how == "expired":
        clock.move_to(invitation.offer.expires_at)
    elif how == "withdrawn":
        offering.withdraw(offer=invitation.offer, by=front_desk, now=NOW)
    else:
        Invitation.objects.update(answer="gone", answered_at=NOW)
    for response in (client.get(url), client.post(url, {"answer": "accept"}, follow=True)):
        assert response.status_code == 410
        assert title in text_of(response)
        assert "tel:" in text_of(response)
    assert invitation.entry.appointment is not None
    assert Appointment.objects.get(pk=invitation.entry.appointment.pk).version == 1


def test_a_time_that_no_longer_fits_says_so_and_leads_on(
    client: Client, url: str, invitation: Invitation, front_desk: Staff, series: TreatmentSeries
) -> None:
    first = series.appointments.get(session=1)
    cancelling.cancel(appointment=first, by=front_desk, now=NOW)
    response = client.post(url, {"answer": "accept"})
    assert response.status_code == 409
    assert "We could not give you this time" in text_of(response)


def test_the_page_speaks_the_patients_language(
    client: Client, url: str, invitation: Invitation
) -> None:
    Patient.objects.filter(pk=invitation.entry.patient_id).update(language="es")
    text = text_of(client.get(url))
    assert "Tomar esta hora" in text and "jue 4 mar 10:00" in text


def test_a_link_for_care_opens_no_offer(client: Client, url: str) -> None:
    assert client.get("/p/not-a-token/").status_code == 404
    PatientLink.objects.update(revoked_at=NOW)
    response = client.get(url)
    assert response.status_code == 410
    assert "Take this time" not in text_of(response)
