from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from appointments.models import PatientLink
from clinic.models import Site, Staff
from patients import consent
from patients.models import ConsentChannel, ContactConsent, Patient, Purpose
from reminders.models import Suppression
from tests.links import issued
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

ONE_CLICK: Mapping[str, str] = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def address(patient: Patient, front_desk: Staff, now: datetime) -> str:
    """The link of a marketing mail to a patient who agreed to such mail."""
    consent.give(
        patient=patient,
        purpose=Purpose.MARKETING,
        channel=ConsentChannel.EMAIL,
        by=front_desk,
        now=now - timedelta(days=365),
    )
    token = issued(
        patient_id=patient.pk,
        appointment=None,
        now=timezone.now(),
        purpose=PatientLink.Purpose.UNSUBSCRIBE,
    )
    return f"/p/{token}/unsubscribe/"


def agrees(purpose: Purpose = Purpose.MARKETING) -> bool:
    return ContactConsent.objects.filter(
        purpose=purpose, channel=ConsentChannel.EMAIL, closed_at=None
    ).exists()


def test_looking_at_the_page_changes_nothing(client: Client, address: str) -> None:
    for ask in (client.get, client.head):
        assert ask(address).status_code == 200
    assert agrees()


def test_one_post_without_a_page_before_ends_marketing_and_nothing_else(address: str) -> None:
    mail_program = Client(enforce_csrf_checks=True)
    answers = [mail_program.post(address, ONE_CLICK) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert not agrees()
    assert agrees(Purpose.CARE)


def test_the_page_speaks_the_patients_language(
    client: Client, address: str, patient: Patient
) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="es")
    assert "No recibir más" in client.get(address).content.decode()


def test_a_closed_link_says_so_in_the_patients_language_with_the_number_to_call(
    client: Client, address: str, patient: Patient, site: Site
) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="es")
    run_out = timezone.now() - timedelta(hours=1)
    PatientLink.objects.update(created_at=run_out - timedelta(days=30), expires_at=run_out)
    response = client.post(address)
    page = response.content.decode()
    assert response.status_code == 410 and agrees()
    assert "Este enlace ha caducado" in page and "quitaremos de la lista" in page
    assert f"tel:{site.phone}" in page and "new-link" not in page


def test_a_token_of_nobody_changes_nothing(client: Client, address: str) -> None:
    assert client.post("/p/not-a-token/unsubscribe/").status_code == 404
    assert agrees()


def test_the_page_is_not_kept_by_anybody(client: Client, address: str) -> None:
    assert "no-store" in client.get(address)["Cache-Control"]


def test_whoever_shares_the_address_gets_no_more_offers_either(
    address: str, patient: Patient, site: Site, front_desk: Staff, now: datetime
) -> None:
    child = a_patient(site, front_desk, now, given="Kim", phone="+12125550177")
    consent.give(
        patient=child,
        purpose=Purpose.MARKETING,
        channel=ConsentChannel.EMAIL,
        by=front_desk,
        now=now,
    )
    assert Client(enforce_csrf_checks=True).post(address, ONE_CLICK).status_code == 200
    assert not agrees()
    assert not Suppression.objects.exists()


def test_scanners_change_nothing_and_a_person_who_asks_twice_changes_it_once(
    client: Client, address: str
) -> None:
    client.head(address)
    for _ in range(5):
        client.get(address)
    client.get(address, ONE_CLICK)
    assert agrees()
    for _ in range(2):
        assert client.post(address).status_code == 200
    closed = ContactConsent.objects.filter(purpose=Purpose.MARKETING).get()
    assert closed.closed_source == "patient_page"
