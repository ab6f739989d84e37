"""Patients and consents over the API: who may, what is refused, what is kept."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Site, Staff
from patients.models import ContactConsent, Patient
from tests.api import CLOCK, api, refused
from tests.personas import a_patient

pytestmark = [pytest.mark.django_db, CLOCK]
PATIENTS = "/api/v1/patients/"


def new_patient(at: Site, **changes: Any) -> dict[str, Any]:
    return {
        "legal_given": "Noor",
        "legal_family": "Haddad",
        "birth_date": "1991-01-31",
        "phone": "(212) 555-0187",
        "email": "Noor@Patients.example",
        "language": "es",
        "site": at.pk,
        **changes,
    }


def test_a_registered_patient_is_found_and_read(front_desk: Staff, site: Site) -> None:
    client = api(front_desk)
    made = client.post(PATIENTS, new_patient(site))
    assert made.status_code == 201
    assert made.json()["contact_points"] == [
        {"kind": "email", "value": "noor@patients.example", "is_preferred": True},
        {"kind": "phone", "value": "+12125550187", "is_preferred": True},
    ]
    assert made.json()["sites"] == [site.pk]
    for query in ("had no", "0187", "1991-01-31", f"%23{made.json()['id']}"):
        found = client.get(f"{PATIENTS}?q={query}").json()
        assert [each["id"] for each in found["results"]] == [made.json()["id"]], query
    assert client.get(f"{PATIENTS}?q=nobody").json()["count"] == 0
    assert client.get(f"{PATIENTS}{made.json()['id']}/").json() == made.json()


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"birth_date": "2027-02-16"}, "patient_invalid", "birth_date"),
        ({"birth_date": "0001-01-01"}, "patient_invalid", "birth_date"),
        ({"zone": "Mars/Olympus"}, "patient_invalid", "zone"),
        ({"phone": "call me"}, "contact_invalid", "phone"),
        ({"email": "nowhere"}, "contact_invalid", "email"),
        ({"language": "fr"}, "invalid_choice", "language"),
        ({"legal_given": "x" * 61}, "max_length", "legal_given"),
        ({"legal_given": "a\x00b"}, "null_characters_not_allowed", "legal_given"),
        ({"site": True}, "invalid", "site"),
    ],
)
def test_what_cannot_be_a_patient_is_refused_with_its_field(
    change: dict[str, Any], code: str, field: str, front_desk: Staff, site: Site
) -> None:
    refused(api(front_desk).post(PATIENTS, new_patient(site, **change)), 400, code, field)
    assert not Patient.objects.exists()


def test_nobody_registers_at_a_site_of_others_nor_without_the_capability(
    outsider: Staff, provider: Staff, site: Site
) -> None:
    for pk in (site.pk, 10**30):
        refused(api(outsider).post(PATIENTS, new_patient(site, site=pk)), 404, "not_found", "site")
    denied = refused(api(provider).post(PATIENTS, new_patient(site)), 403, "forbidden")
    assert "front desk" in denied["sentence"]


def test_a_change_names_the_version_that_was_seen(front_desk: Staff, patient: Patient) -> None:
    client, address = api(front_desk), f"{PATIENTS}{patient.pk}/"
    changed = client.patch(address, {"version": 1, "preferred_name": "Lena", "email": ""})
    assert changed.status_code == 200
    assert (changed.json()["preferred_name"], changed.json()["version"]) == ("Lena", 2)
    [found] = client.get(f"{PATIENTS}?q=sato").json()["results"]
    for shown in (changed.json(), found):
        assert [each["kind"] for each in shown["contact_points"]] == ["phone"]
    late = client.patch(address, {"version": 1, "preferred_name": "Ela"})
    refused(late, 409, "stale_version", "version")
    refused(client.patch(address, {"preferred_name": "Ela"}), 400, "required", "version")
    refused(
        client.patch(address, {"version": 2, "deceased_at": None}),
        400,
        "unknown_field",
        "deceased_at",
    )


def test_an_outsider_finds_nothing_and_a_provider_changes_nothing(
    outsider: Staff, provider: Staff, patient: Patient
) -> None:
    address = f"{PATIENTS}{patient.pk}/"
    assert api(outsider).get(f"{PATIENTS}?q=elena").json()["count"] == 0
    for answer in (
        api(outsider).get(address),
        api(outsider).patch(address, {"version": 1}),
        api(outsider).get(f"{address}consents/"),
        api(outsider).post(f"{address}consents/", {"purpose": "care", "channel": "sms"}),
        api(outsider).post(f"{address}consents/withdraw/", {}),
    ):
        refused(answer, 404, "not_found")
    assert api(provider).get(address).status_code == 200
    refused(api(provider).patch(address, {"version": 1, "notes": "x"}), 403, "forbidden")
    sms = {"purpose": "marketing", "channel": "sms"}
    refused(api(provider).post(f"{address}consents/", sms), 403, "forbidden")
    refused(api(provider).post(f"{address}consents/withdraw/", sms), 403, "forbidden")


def test_a_consent_is_given_once_listed_and_withdrawn(front_desk: Staff, patient: Patient) -> None:
    client, address = api(front_desk), f"{PATIENTS}{patient.pk}/consents/"
    agreed = {"purpose": "marketing", "channel": "email", "source": "phone"}
    given = client.post(address, agreed)
    assert given.status_code == 201
    assert given.json()["opened_at"] == "2027-02-15T14:00:00Z"
    assert client.post(address, agreed).json()["id"] == given.json()["id"]
    assert client.post(f"{address}withdraw/", agreed).json() == {"withdrawn": True}
    assert client.post(f"{address}withdraw/", agreed).json() == {"withdrawn": False}
    listed = {each["id"]: each for each in client.get(address).json()}
    assert listed[given.json()["id"]]["closed_source"] == "phone"
    assert len(listed) == ContactConsent.objects.count() == 3


def test_a_consent_that_its_purpose_does_not_have_is_refused(
    front_desk: Staff, patient: Patient
) -> None:
    address = f"{PATIENTS}{patient.pk}/consents/"
    answer = api(front_desk).post(address, {"purpose": "photos", "channel": "sms"})
    refused(answer, 400, "consent_channel", "channel")
    refused(
        api(front_desk).post(address, {"purpose": "love", "channel": "any"}),
        400,
        "invalid_choice",
        "purpose",
    )


def test_possible_duplicates_are_those_of_ones_own_sites(
    front_desk: Staff, outsider: Staff, patient: Patient
) -> None:
    address = f"{PATIENTS}possible-duplicates/"
    person = {"legal_given": "Elena", "legal_family": "Saito", "birth_date": "1988-05-04"}
    assert [each["id"] for each in api(front_desk).post(address, person).json()] == [patient.pk]
    assert api(outsider).post(address, person).json() == []


def test_lists_come_in_pages_of_fifty_and_cost_the_same_queries_however_long(
    front_desk: Staff, site: Site, now: datetime
) -> None:
    client = api(front_desk)
    counts: list[int] = []
    page: dict[str, Any] = {}
    for _ in range(2):
        for _ in range(30):
            a_patient(site, front_desk, now)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(PATIENTS).json()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5
    assert (page["count"], len(page["results"])) == (60, 50)
    assert len(client.get(page["next"]).json()["results"]) == 10
    refused(client.get(f"{PATIENTS}?site=x"), 400, "invalid", "site")
    refused(client.get(f"{PATIENTS}?q=%00"), 400, "null_characters_not_allowed", "q")
