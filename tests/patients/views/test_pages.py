"""The forms of a patient: what they keep, refuse, warn of, and who may use them."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from clinic.models import Site, Staff
from patients import consent, registration
from patients.models import ContactConsent, Patient
from tests.patients.views.conftest import signed_in

pytestmark = pytest.mark.django_db

NEW = "/patients/new/"
ELENA: dict[str, Any] = {
    "legal_given": "Elena",
    "legal_family": "Sato",
    "birth_date": "1988-05-04",
    "phone": "(212) 555-0123",
    "email": "Elena@Patients.Example",
    "language": "es",
    "care_sms": "on",
    "source": "phone",
}


def text_of(response: Any) -> str:
    return str(response.content.decode())


def edit_of(patient: Patient, **changed: Any) -> dict[str, Any]:
    return {
        "legal_given": patient.legal_given,
        "legal_family": patient.legal_family,
        "birth_date": patient.birth_date.isoformat(),
        "phone": "+12125550123",
        "email": "elena@patients.example",
        "language": patient.language,
        "version": str(patient.version),
        "shown": "care_email care_sms",
        "care_sms": "on",
        "care_email": "on",
        **changed,
    }


def test_a_patient_is_registered_with_contacts_and_consents(desk: Client, site: Site) -> None:
    response = desk.post(NEW, ELENA)
    patient = Patient.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/patients/{patient.pk}/"
    assert list(patient.sites.all()) == [site]
    points = {point.kind: point.value for point in patient.contact_points.all()}
    assert points == {"phone": "+12125550123", "email": "elena@patients.example"}
    [given] = ContactConsent.objects.all()
    assert (given.purpose, given.channel, given.opened_source) == ("care", "sms", "phone")
    assert given.wording == consent.WORDINGS["care"]


def test_the_page_that_asked_for_a_patient_is_told_which(desk: Client, site: Site) -> None:
    asking = "/series/new/?site=harbour&weekday=3&patient=0"
    page = desk.get(NEW, {"next": asking})
    assert text_of(page).count("/series/new/?site=harbour&amp;weekday=3") == 2
    response = desk.post(f"{NEW}?{urlencode({'next': asking})}", ELENA)
    patient = Patient.objects.get()
    there = f"/series/new/?site=harbour&weekday=3&patient={patient.pk}"
    assert response["Location"] == there
    again = desk.post(f"{NEW}?{urlencode({'next': asking})}", {**ELENA, "email": ""})
    assert there.replace("&", "&amp;") in text_of(again)
    elsewhere = f"{NEW}?{urlencode({'next': '//evil.example/'})}"
    response = desk.post(elsewhere, {**ELENA, "anyway": "1"})
    assert response["Location"].startswith("/patients/")


def test_the_form_shows_the_wording_of_every_consent(desk: Client) -> None:
    text = text_of(desk.get(NEW))
    for words in ("Messages about my visits", "not a condition of treatment", "not encrypted"):
        assert words in text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("Ana María Sato", 'value="Ana María"'),
        ("Sato", 'value="Sato"'),
        ("1988-05-04", 'value="1988-05-04"'),
        ("212 555 0199", 'value="212 555 0199"'),
        ("", 'name="legal_given"'),
    ],
)
def test_what_was_searched_in_vain_is_filled_in(desk: Client, query: str, field: str) -> None:
    assert field in text_of(desk.get(NEW, {"q": query}))


def test_what_few_patients_need_is_folded_away_until_it_is_written_or_wrong(
    desk: Client, patient: Patient
) -> None:
    edit = f"/patients/{patient.pk}/edit/"
    folded, unfolded = '<details class="panel stack seldom">', 'seldom" open>'
    assert folded in text_of(desk.get(NEW))
    assert folded in text_of(desk.get(edit))
    assert unfolded in text_of(desk.post(NEW, {**ELENA, "zone": "Mars"}))
    assert (
        desk.post(edit, edit_of(patient, quiet_from="21:00", quiet_until="08:00")).status_code
        == 302
    )
    assert unfolded in text_of(desk.get(edit))


def test_errors_stand_at_their_fields_and_what_was_written_is_kept(desk: Client) -> None:
    response = desk.post(
        NEW, {**ELENA, "legal_family": "", "phone": "555", "zone": "Mars", "notes": "kept & safe"}
    )
    text = text_of(response)
    assert response.status_code == 422
    assert "There is a problem" in text
    assert 'href="#id_legal_family"' in text
    assert "Write the legal family name." in text
    assert "This is not a phone number." in text
    assert "kept &amp; safe" in text
    assert not Patient.objects.exists()
    response = desk.post(NEW, {**ELENA, "zone": "Mars"})
    assert "is not a time zone" in text_of(response)


def test_a_likely_duplicate_is_shown_first_and_may_be_created_anyway(
    desk: Client, patient: Patient
) -> None:
    response = desk.post(NEW, ELENA)
    text = text_of(response)
    assert response.status_code == 409
    assert f'href="/patients/{patient.pk}/"' in text
    assert "Create anyway" in text
    assert Patient.objects.count() == 1
    assert desk.post(NEW, {**ELENA, "anyway": "1"}).status_code == 302
    assert Patient.objects.count() == 2


def test_a_duplicate_at_a_site_of_others_is_not_betrayed(
    stranger: Client, patient: Patient
) -> None:
    response = stranger.post(NEW, ELENA)
    assert response.status_code == 302
    assert Patient.objects.count() == 2


def test_an_edit_saves_fields_and_consents_together(desk: Client, patient: Patient) -> None:
    response = desk.post(
        f"/patients/{patient.pk}/edit/",
        edit_of(patient, preferred_name="Lena", care_email="", photos_any="on"),
    )
    assert response.status_code == 302
    patient.refresh_from_db()
    assert (patient.preferred_name, patient.version) == ("Lena", 2)
    assert consent.standing([patient.pk])[patient.pk] == {("care", "sms"), ("photos", "any")}


def test_a_stale_edit_shows_both_values_and_can_then_be_saved(
    desk: Client, patient: Patient, front_desk: Staff, now: Any
) -> None:
    url = f"/patients/{patient.pk}/edit/"
    registration.change(
        patient=patient, expected_version=1, by=front_desk, now=now, notes="Theirs <b>"
    )
    response = desk.post(url, edit_of(patient, notes="Mine", care_email=""))
    text = text_of(response)
    assert response.status_code == 409
    assert "Theirs &lt;b&gt;" in text
    assert "Mine" in text
    assert 'name="version" value="2"' in text
    assert consent.standing([patient.pk])[patient.pk] == {("care", "sms"), ("care", "email")}
    assert desk.post(url, edit_of(patient, notes="Mine", version="2")).status_code == 302
    patient.refresh_from_db()
    assert patient.notes == "Mine"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_form_without_a_good_version_saves_nothing(
    desk: Client, patient: Patient, version: str
) -> None:
    response = desk.post(
        f"/patients/{patient.pk}/edit/", edit_of(patient, notes="Lost", version=version)
    )
    assert response.status_code in (409, 422)
    patient.refresh_from_db()
    assert patient.notes == ""


def test_consents_are_given_and_withdrawn_on_the_spot(desk: Client, patient: Patient) -> None:
    base = f"/patients/{patient.pk}/consents"
    assert desk.post(f"{base}/marketing/email/give/").status_code == 302
    assert desk.post(f"{base}/care/sms/withdraw/").status_code == 302
    standing = consent.standing([patient.pk])[patient.pk]
    assert standing == {("care", "email"), ("marketing", "email")}
    assert desk.get(f"{base}/marketing/email/give/").status_code == 405
    for wrong in ("photos/sms", "care/any", "spam/email"):
        assert desk.post(f"{base}/{wrong}/give/").status_code == 404


def test_staff_of_another_site_meet_nobody(stranger: Client, patient: Patient) -> None:
    base = f"/patients/{patient.pk}"
    assert stranger.get(f"{base}/edit/").status_code == 404
    assert stranger.post(f"{base}/edit/", edit_of(patient)).status_code == 404
    assert stranger.post(f"{base}/consents/photos/any/give/").status_code == 404
    assert stranger.post(f"{base}/consents/care/sms/withdraw/").status_code == 404


def test_those_who_may_not_edit_are_told_who_may(
    provider: Staff, clinical_lead: Staff, patient: Patient
) -> None:
    base = f"/patients/{patient.pk}"
    for staff in (provider, clinical_lead):
        client = signed_in(staff)
        for answer in (
            client.get(NEW),
            client.post(NEW, ELENA),
            client.get(f"{base}/edit/"),
            client.post(f"{base}/edit/", edit_of(patient)),
            client.post(f"{base}/consents/photos/any/give/"),
            client.post(f"{base}/consents/care/sms/withdraw/"),
        ):
            assert answer.status_code == 403
            assert "front desk, manager" in text_of(answer)
    assert Patient.objects.count() == 1


def test_nobody_sees_a_form_without_signing_in(client: Client, patient: Patient) -> None:
    for url in (NEW, f"/patients/{patient.pk}/edit/"):
        assert client.get(url)["Location"].startswith("/login/")


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", '"><img src=x onerror=x>', "'; DROP TABLE x;"],
)
def test_a_name_is_shown_as_it_is_written(desk: Client, hostile: str) -> None:
    assert desk.post(NEW, {**ELENA, "legal_given": hostile, "notes": hostile}).status_code == 302
    patient = Patient.objects.get()
    for url in (f"/patients/{patient.pk}/", f"/patients/{patient.pk}/edit/", "/patients/"):
        text = text_of(desk.get(url))
        assert "<script>alert" not in text
        assert "<img src=x" not in text


@pytest.mark.parametrize("bad", ["\x00", "x" * 5000])
def test_what_cannot_be_stored_is_refused_at_its_field(desk: Client, bad: str) -> None:
    for field in ("legal_given", "preferred_name", "phone", "email", "zone", "notes", "birth_date"):
        assert desk.post(NEW, {**ELENA, field: bad}).status_code == 422, field
    assert not Patient.objects.exists()
