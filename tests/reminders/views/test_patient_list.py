"""The list of patients: finding, where each stands, and a constant number of queries."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment, TreatmentSeries
from clinic.models import Site, Staff
from patients import consent
from patients.models import ContactPoint, Patient
from tests.personas import a_patient
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db


def listed(client: Client, query: str = "", **headers: str) -> str:
    response = client.get("/patients/", {"q": query} if query else {}, headers=headers)
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_row_says_where_a_patient_stands(
    desk: Client, patient: Patient, visits: list[Appointment]
) -> None:
    text = listed(desk)
    for words in ("Elena Sato", "4 May 1988", "Thu 18 Feb 10:00", "0 of 3 done", "RM"):
        assert words in text
    assert 'class="flag"' not in text


def test_flags_stand_out_only_where_something_is_to_be_done(
    desk: Client, patient: Patient, front_desk: Staff, now: datetime
) -> None:
    for channel in ("sms", "email"):
        consent.withdraw(patient=patient, purpose="care", channel=channel, by=front_desk, now=now)
    ContactPoint.objects.update(retired_at=now, is_preferred=False)
    text = listed(desk)
    assert "no consent" in text
    assert "no contact" in text


@pytest.mark.parametrize("query", ["sato", "SÁTO", "0123", "1988-05-04", "5/4/1988", "ele sa"])
def test_patients_are_found_without_script(desk: Client, patient: Patient, query: str) -> None:
    text = listed(desk, query)
    assert "Elena Sato" in text
    assert "<html" in text


def test_htmx_gets_the_list_alone(desk: Client, patient: Patient) -> None:
    text = listed(desk, "sato", **{"HX-Request": "true"})
    assert "<html" not in text
    assert 'id="found"' in text


def test_the_field_of_every_page_finds_a_few_and_before_typing_who_was_seen_lately(
    desk: Client, patient: Patient, visits: list[Appointment]
) -> None:
    anywhere = {"HX-Request": "true", "HX-Target": "find-list"}
    assert "Elena Sato" not in listed(desk, **anywhere)
    text = listed(desk, "sato", **anywhere)
    assert "Thu 18 Feb 10:00</time>" in text and "4 May 1988" in text
    assert f'data-book="/series/new/?patient={patient.pk}"' in text
    desk.get(f"/patients/{patient.pk}/")
    assert "Elena Sato" in listed(desk, **anywhere)
    assert "Elena Sato" in listed(desk, "e", **anywhere)
    assert "/patients/new/?q=nobody" in listed(desk, "nobody", **anywhere)


def test_a_search_in_vain_offers_to_create_the_patient(desk: Client, patient: Patient) -> None:
    text = listed(desk, "O'Neil & <b>")
    assert "/patients/new/?q=O%27Neil%20%26%20%3Cb%3E" in text
    assert "Create “O&#x27;Neil &amp; &lt;b&gt;”" in text


def test_those_who_may_not_create_are_not_offered_it(
    sign_in: SignIn, provider: Staff, patient: Patient
) -> None:
    text = listed(sign_in(provider), "nobody")
    assert "/patients/new/" not in text


def test_staff_of_another_site_find_nobody(stranger: Client, patient: Patient) -> None:
    for query in ("", "sato", f"#{patient.pk}"):
        assert "Elena Sato" not in listed(stranger, query)


@pytest.mark.parametrize("query", ["\x00", "#²", "#" + "9" * 40, "%' OR 1=1", "x" * 3000, "ï¿½"])
def test_hostile_searches_find_nobody_and_break_nothing(
    desk: Client, patient: Patient, query: str
) -> None:
    assert "Elena Sato" not in listed(desk, query)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 40])
def test_any_page_number_shows_a_page(desk: Client, patient: Patient, page: str) -> None:
    assert desk.get("/patients/", {"page": page}).status_code == 200


def test_fifty_patients_take_as_few_queries_as_one(
    desk: Client,
    patient: Patient,
    series: TreatmentSeries,
    site: Site,
    front_desk: Staff,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(20) as one:
        listed(desk)
    for number in range(60):
        each = a_patient(site, front_desk, now, family=f"N{number}", email=f"n{number}@x.example")
        TreatmentSeries.objects.create(
            patient=each,
            site=site,
            protocol_version=series.protocol_version,
            areas=["face"],
            sessions=3,
            booked_at=now,
        )
    with django_assert_max_num_queries(len(one)):
        text = listed(desk)
    assert text.count('class="cover"') == 50
    assert "1–50 of 61" in text
    assert "next visit not booked" in text
