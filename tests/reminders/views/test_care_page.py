"""The patient's own page: what a link shows to whoever holds it, and what only to the patient."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from icalendar import Calendar

from appointments.models import Appointment, PatientLink
from appointments.visits import attendance, cancelling, moving, resizing
from clinic.audit import LOOKED
from clinic.models import AuditEntry, Site, Staff
from config.logs import Discreet
from patients import consent
from patients.models import Patient
from tests.links import issued

pytestmark = pytest.mark.django_db

BORN = {"year": "1988", "month": "5", "day": "4"}
Clock = time_machine.Traveller


@pytest.fixture
def patients_browser() -> Client:
    """A stranger's browser that checks forgery as a real one does."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def token(visits: list[Appointment], patient: Patient, now: datetime) -> str:
    return issued(patient_id=patient.pk, appointment=visits[0], now=now)


@pytest.fixture
def url(token: str) -> str:
    return f"/p/{token}/"


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_the_page_shows_time_and_place_and_no_treatment(
    client: Client, url: str, site: Site
) -> None:
    response = client.get(url)
    text = text_of(response)
    assert response.status_code == 200
    assert "Thu 18 Feb 10:00" in text
    assert "Thu 18 Mar 10:00" in text  # the other visits that are booked
    assert site.address in text
    assert f"tel:{site.phone}" in text
    for secret in ("microneedling", "Sato", "Sam Okafor", "Room 1", "1988", "retino"):
        assert secret not in text


def test_the_page_is_kept_by_no_cache_and_no_search_engine_and_has_no_script(
    client: Client, url: str
) -> None:
    response = client.get(url)
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"
    assert 'content="same-origin"' in text_of(response)
    assert "<script" not in text_of(response)


def test_scanners_that_open_the_page_change_nothing(
    client: Client, url: str, patient: Patient
) -> None:
    def everything() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM appointments_patientlink ORDER BY id")
            rows = cursor.fetchall()
        looked = AuditEntry.objects.filter(action=LOOKED).count()
        return [rows, AuditEntry.objects.count() - looked, patient.consents.count()]

    before = everything()
    assert client.head(url).status_code == 200
    for _ in range(5):
        assert client.get(url).status_code == 200
        assert client.get(f"{url}visits.ics").status_code == 200
    assert everything() == before


def test_the_birth_date_opens_the_advice_with_its_dates(client: Client, url: str) -> None:
    response = client.post(url, BORN)
    assert response.status_code == 303
    cookie = response.cookies["afterglow_care"]
    assert cookie["path"] == url
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    text = text_of(client.get(url))
    assert "RF microneedling" in text
    assert "Stay out of strong sun" in text
    assert "until Sat 20 Mar" in text  # thirty days after the visit
    assert "Before your visit" in text
    assert "spreading redness, pus or fever" in text
    assert "Mineral sun cream" in text
    assert 'name="year"' not in text


def test_a_step_whose_moment_had_passed_asks_instead(client: Client, url: str) -> None:
    client.post(url, BORN)
    assert "Has the area been tanned, sunburnt or self-tanned" in text_of(client.get(url))


def test_after_the_visit_only_the_after_care_is_shown(
    client: Client,
    url: str,
    visits: list[Appointment],
    front_desk: Staff,
    clock: Clock,
) -> None:
    visit = visits[0]
    for at, act in (
        (visit.starts_at, attendance.check_in),
        (visit.starts_at, attendance.start),
        (visit.ends_at, attendance.complete),
    ):
        act(appointment=visit, by=front_desk, now=at)
    clock.move_to(visit.ends_at + timedelta(hours=2))
    client.post(url, BORN)
    text = text_of(client.get(url))
    assert "Your visit was on" in text
    assert "After your visit" in text
    assert "Before your visit" not in text


def test_progress_is_on_the_page_of_the_last_visit_and_photos_need_consent(
    client: Client,
    visits: list[Appointment],
    patient: Patient,
    front_desk: Staff,
    now: datetime,
) -> None:
    url = f"/p/{issued(patient_id=patient.pk, appointment=visits[2], now=now)}/"
    client.post(url, BORN)
    asked = "Twelve weeks"
    assert asked not in text_of(client.get(url))
    consent.give(patient=patient, purpose="photos", channel="any", by=front_desk, now=now)
    text = text_of(client.get(url))
    assert asked in text
    assert "Your progress" in text


def test_a_link_about_the_whole_series_opens_the_progress_after_its_last_session(
    client: Client,
    visits: list[Appointment],
    patient: Patient,
    front_desk: Staff,
    now: datetime,
    clock: Clock,
) -> None:
    consent.give(patient=patient, purpose="photos", channel="any", by=front_desk, now=now)
    for visit in visits:
        attendance.check_in(appointment=visit, by=front_desk, now=visit.starts_at)
        attendance.start(appointment=visit, by=front_desk, now=visit.starts_at)
        attendance.complete(appointment=visit, by=front_desk, now=visit.ends_at)
    later = visits[2].ends_at + timedelta(weeks=4)
    clock.move_to(later)
    url = f"/p/{issued(patient_id=patient.pk, appointment=None, now=later)}/"
    assert "Thu 15 Apr 10:00" in text_of(client.get(url))
    client.post(url, BORN)
    assert "Four weeks: first changes" in text_of(client.get(url))


def test_the_page_speaks_the_patients_language(client: Client, url: str, patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="es")
    text = text_of(client.get(url))
    assert '<html lang="es">' in text
    assert "jue 18 feb 10:00" in text
    assert "Su fecha de nacimiento" in text
    assert text.index('name="day"') < text.index('name="month"')
    client.post(url, BORN)
    text = text_of(client.get(url))
    assert "Evite el sol fuerte" not in text or "Antes de su cita" in text
    assert "Llámenos si nota" in text
    assert "hasta el sáb 20 mar" in text


def test_five_wrong_birth_dates_close_the_page(client: Client, url: str) -> None:
    wrong = {**BORN, "day": "5"}
    for left in (4, 3, 2, 1):
        response = client.post(url, wrong)
        assert response.status_code == 422
        assert f"Tries left: {left}." in text_of(response)
    last = client.post(url, wrong)
    assert last.status_code == 410
    assert "This page is closed" in text_of(last)
    assert client.post(url, BORN).status_code == 410
    assert client.get(url).status_code == 410


@pytest.mark.parametrize(
    "typed",
    [
        {"year": "1988", "month": "2", "day": "31"},
        {"year": "x", "month": "", "day": "\x00"},
        {"year": "9" * 5000, "month": "5", "day": "4"},
        {},
    ],
)
def test_what_is_no_date_costs_no_try(client: Client, url: str, typed: dict[str, str]) -> None:
    response = client.post(url, typed)
    assert response.status_code == 422
    assert "There is a problem" in text_of(response)
    assert PatientLink.objects.get().failed_tries == 0


def test_a_post_without_its_token_against_forgery_is_refused(
    patients_browser: Client, url: str
) -> None:
    assert patients_browser.post(url, {**BORN, "day": "5"}).status_code == 403
    assert PatientLink.objects.get().failed_tries == 0


def test_the_proof_counts_for_this_link_only_and_half_an_hour(
    client: Client,
    url: str,
    visits: list[Appointment],
    patient: Patient,
    now: datetime,
    clock: Clock,
) -> None:
    signed = client.post(url, BORN).cookies["afterglow_care"].value
    other = f"/p/{issued(patient_id=patient.pk, appointment=visits[1], now=now)}/"
    stranger = Client()
    stranger.cookies["afterglow_care"] = signed
    assert "microneedling" in text_of(stranger.get(url))
    assert "microneedling" not in text_of(stranger.get(other))
    stranger.cookies["afterglow_care"] = signed[:-1] + "x"
    assert "microneedling" not in text_of(stranger.get(url))
    clock.shift(timedelta(minutes=31))
    stranger.cookies["afterglow_care"] = signed
    assert "microneedling" not in text_of(stranger.get(url))


def test_dead_links_say_why_and_lead_to_the_phone(
    client: Client,
    url: str,
    visits: list[Appointment],
    front_desk: Staff,
    site: Site,
    now: datetime,
    clock: Clock,
) -> None:
    clock.shift(timedelta(minutes=1))
    cancelling.cancel(appointment=visits[0], by=front_desk, now=now + timedelta(minutes=1))
    response = client.get(url)
    assert response.status_code == 410
    assert "This visit was cancelled" in text_of(response)
    assert f"tel:{site.phone}" in text_of(response)
    assert "18 Feb" not in text_of(response)


def test_a_link_about_another_time_says_that_the_visit_was_moved(
    client: Client,
    url: str,
    visits: list[Appointment],
    front_desk: Staff,
    clock: Clock,
    now: datetime,
) -> None:
    clock.shift(timedelta(minutes=2))
    moving.move(
        appointment=visits[0],
        starts_at=visits[0].starts_at + timedelta(hours=3),
        by=front_desk,
        now=now + timedelta(minutes=1),
    )
    for path in (url, f"{url}visits.ics"):
        response = client.get(path)
        assert response.status_code == 410
        assert "This visit was moved" in text_of(response)


def test_the_calendar_file_is_a_later_one_after_another_length(
    client: Client, url: str, visits: list[Appointment], front_desk: Staff, now: datetime
) -> None:
    def event() -> Any:
        [found] = Calendar.from_ical(client.get(f"{url}visits.ics").content).walk("VEVENT")[:1]
        return found

    first = event()
    assert event() == first
    changed = now + timedelta(hours=1)
    resizing.change_length(appointment=visits[0], minutes=120, by=front_desk, now=changed)
    later = event()
    assert later["SEQUENCE"] > first["SEQUENCE"]
    assert (first.DTSTART, changed) == (later.DTSTART, later.DTSTAMP)


def test_a_link_runs_out_a_month_after_its_visit(
    client: Client, url: str, visits: list[Appointment], clock: Clock
) -> None:
    clock.move_to(visits[0].ends_at + timedelta(days=31))
    assert "This visit is over" in text_of(client.get(url))


def test_a_link_without_a_visit_runs_out_after_a_month(
    client: Client, patient: Patient, now: datetime, clock: Clock
) -> None:
    url = f"/p/{issued(patient_id=patient.pk, appointment=None, now=now)}/"
    assert "You have no visits booked" in text_of(client.get(url))
    clock.shift(timedelta(days=31))
    assert "This link has run out" in text_of(client.get(url))


@pytest.mark.parametrize("token", ["x", "x" * 4000, "%00", "<script>"])
def test_an_unknown_link_gives_nothing_but_the_numbers_to_call(
    client: Client, site: Site, token: str
) -> None:
    response = client.get(f"/p/{token}/")
    assert response.status_code == 404
    text = text_of(response)
    assert "<script" not in text
    if "This link does not open a page" in text:
        assert site.phone in text


def test_a_link_to_unsubscribe_opens_no_care_page(
    client: Client, visits: list[Appointment], patient: Patient, now: datetime
) -> None:
    stop = issued(
        patient_id=patient.pk,
        appointment=None,
        now=now,
        purpose=PatientLink.Purpose.UNSUBSCRIBE,
    )
    assert client.get(f"/p/{stop}/").status_code == 404
    assert client.get(f"/p/{stop}/unsubscribe/").status_code == 200


def test_the_calendar_file_names_the_visits_as_the_mails_do(
    client: Client, url: str, visits: list[Appointment]
) -> None:
    response = client.get(f"{url}visits.ics")
    body = text_of(response)
    assert response["Content-Type"].startswith("text/calendar")
    assert body.count("BEGIN:VEVENT") == 3
    for visit in visits:
        assert f"UID:visit-{visit.pk}@testserver" in body
    assert "SUMMARY:Appointment" in body
    assert "microneedling" not in body


def test_no_token_is_written_to_a_log(
    client: Client, url: str, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.post(url, {**BORN, "day": "5"})
    client.get(f"/p/{token}x/")
    client.get(f"/p/{token}/no-such-page/")
    written = [Discreet().format(record) for record in caplog.records]
    assert any("/p/…/" in line for line in written)
    assert not any(token in line for line in written)


def test_the_page_asks_the_database_the_same_few_times_whatever_is_booked(
    client: Client, url: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client.post(url, BORN)
    with django_assert_max_num_queries(26):
        client.get(url)
