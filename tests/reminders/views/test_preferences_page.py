"""Patients say how they want to be written to: their own page, and nobody else's business."""

from datetime import datetime, time

import pytest
from django.test import Client

from appointments.models import Appointment, PatientLink
from clinic.models import AuditEntry, Site, Staff
from patients import consent
from patients.models import ContactConsent, Patient
from reminders.models import Suppression, SuppressionReason
from tests.links import issued
from tests.personas import a_patient
from tests.reminders.views.test_care_page import BORN, text_of

pytestmark = pytest.mark.django_db

CHOSEN = {
    "language": "es",
    "care_email": "on",
    "marketing_sms": "on",
    "quiet_from": "13:00",
    "quiet_until": "15:30",
}


@pytest.fixture
def url(visits: list[Appointment], patient: Patient, now: datetime) -> str:
    return f"/p/{issued(patient_id=patient.pk, appointment=visits[0], now=now)}/"


@pytest.fixture
def page(client: Client, url: str) -> str:
    """The page of a browser that gave the patient's birth date."""
    assert client.post(url, BORN).status_code == 303
    return f"{url}preferences/"


def agreed(patient: Patient) -> set[tuple[str, str]]:
    rows = ContactConsent.objects.filter(patient=patient, closed_at=None)
    return set(rows.values_list("purpose", "channel"))


CARE = {("care", "sms"), ("care", "email")}


def test_what_is_chosen_is_stored_with_its_source_and_shown_again(
    client: Client, page: str, patient: Patient
) -> None:
    assert 'name="care_sms" checked' in text_of(client.get(page))
    answer = client.post(page, CHOSEN)
    assert (answer.status_code, answer["Location"]) == (303, f"{page}?done=saved")
    assert agreed(patient) == {("care", "email"), ("marketing", "sms")}
    given = ContactConsent.objects.get(patient=patient, purpose="marketing")
    assert (given.opened_source, given.opened_by) == ("patient_page", None)
    before = patient.revision
    patient.refresh_from_db()
    assert (patient.language, patient.quiet_from) == ("es", time(13))
    assert patient.revision > before and patient.quiet_until == time(15, 30)
    assert AuditEntry.objects.filter(action="patient.change", by=None).count() == 1
    text = text_of(client.get(answer["Location"]))
    assert "Guardado." in text and 'value="13:00"' in text
    assert 'name="care_sms">' in text and 'name="marketing_sms" checked' in text
    assert "No es condición para el tratamiento" in text  # what is agreed to, word for word
    client.post(page, CHOSEN)
    assert AuditEntry.objects.filter(action="patient.change").count() == 1  # nothing new


def test_the_page_needs_no_script_and_names_no_address_whole(client: Client, page: str) -> None:
    text = text_of(client.get(page))
    assert "<script" not in text and "…0123" in text and "e…@patients.example" in text
    for secret in ("+12125550123", "elena@", "Sato", "microneedling"):
        assert secret not in text


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"quiet_from": "13:00"}, "Give both ends"),
        ({"quiet_from": "08:00", "quiet_until": "19:00"}, "at least two hours"),
        ({"quiet_from": "noon", "quiet_until": "15:00"}, "Write times such as 13:00"),
    ],
)
def test_hours_that_cannot_be_are_said_and_what_was_chosen_stays_on_the_page(
    client: Client, page: str, patient: Patient, told: dict[str, str], words: str
) -> None:
    answer = client.post(page, {"language": "en", "marketing_email": "on", **told})
    assert answer.status_code == 422
    assert words in text_of(answer) and 'name="marketing_email" checked' in text_of(answer)
    assert words in text_of(answer).split('id="quiet-problem">')[1]
    assert agreed(patient) == CARE


def test_who_holds_the_link_alone_sees_and_changes_nothing_but_may_end_everything(
    client: Client, url: str, patient: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    other = a_patient(site, front_desk, now, given="Ben", email="ben@patients.example")
    page = f"{url}preferences/"
    text = text_of(client.get(page))
    assert "0123" not in text and "care_sms" not in text
    assert client.post(page, CHOSEN).status_code == 403
    assert agreed(patient) == CARE
    for _ in range(2):
        assert client.post(page, {"stop": "1"})["Location"] == f"{page}?done=stopped"
    assert 'name="stop"' in text and 'name="stop"' not in text_of(
        client.get(f"{page}?done=stopped")
    )
    assert agreed(patient) == set()
    assert agreed(other) == CARE  # shares the telephone
    assert not Suppression.objects.exists()


def test_to_stop_is_offered_while_anything_is_agreed_to(
    client: Client, page: str, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    assert 'name="stop"' in text_of(client.get(page))
    stopped = client.post(page, {"stop": "1"})["Location"]
    assert "We write to you no more" in text_of(client.get(stopped))
    for address in (stopped, page):
        assert 'name="stop"' not in text_of(client.get(address)), address
    consent.give(patient=patient, purpose="care", channel="sms", by=front_desk, now=now)
    for address in (stopped, page):
        text = text_of(client.get(address))
        assert 'name="stop"' in text and "We write to you no more" not in text, address


def test_looking_changes_nothing_and_a_strangers_form_is_refused(
    url: str, patient: Patient
) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = f"{url}preferences/"
    for ask in (browser.get, browser.head):
        assert ask(page).status_code == 200
        assert ask(f"{page}?stop=1").status_code == 200
    assert browser.post(page, {"stop": "1"}).status_code == 403
    assert agreed(patient) == CARE


def test_a_number_that_is_closed_says_how_to_open_it(
    client: Client, page: str, site: Site, now: datetime
) -> None:
    Suppression.objects.create(
        channel="sms", address="+12125550123", reason=SuppressionReason.OPTED_OUT, since=now
    )
    assert f"text START to {site.sms_number}" in text_of(client.get(page))


def test_other_links_and_links_that_are_closed_open_nothing(
    client: Client, patient: Patient, url: str, now: datetime
) -> None:
    unsubscribe = issued(
        patient_id=patient.pk,
        appointment=None,
        now=now,
        purpose=PatientLink.Purpose.UNSUBSCRIBE,
    )
    PatientLink.objects.filter(purpose="care").update(revoked_at=now)
    for token, status in ((unsubscribe, 404), ("no-such-token", 404), (url.split("/")[2], 410)):
        page = f"/p/{token}/preferences/"
        assert client.get(page).status_code == status
        assert client.post(page, {"stop": "1"}).status_code == status
    assert agreed(patient) == CARE
