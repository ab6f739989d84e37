"""Signing on a tablet that was handed over and by the patient's link, and what staff see of it."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from appointments.models import Appointment
from clinic.models import AuditEntry, ConsentForm, ProtocolVersion, Site, Staff
from patients.models import Patient, SignedForm
from patients.signing import signing
from patients.trail.rows import rows_of
from tests.api import api, refused
from tests.clinic.views.conftest import keeps_to_the_policy
from tests.links import issued
from tests.patients.signing.conftest import photo_forms, publish, treatment_form
from tests.personas import PASSWORD, a_patient

pytestmark = pytest.mark.django_db
__all__ = ["photo_forms", "treatment_form"]

DRAWN = "M20 100L60 40L100 120L140 60L180 110"
BORN = {"year": "1988", "month": "5", "day": "4"}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def tablet(
    desk: Client, visits: list[Appointment], patient: Patient, treatment_form: ConsentForm
) -> Client:
    """The front desk's device, handed over to the patient."""
    answer = desk.post(f"/patients/{patient.pk}/hand-over/", {"back": f"/visits/{visits[0].pk}/"})
    assert (answer.status_code, answer["Location"]) == (302, "/handover/?lang=en")
    assert answer["Clear-Site-Data"] == '"cache"'
    return desk


# --- The tablet -----------------------------------------------------------------------------------


def test_a_tablet_shows_the_patients_forms_and_takes_the_signature(
    tablet: Client, treatment_form: ConsentForm, photo_forms: list[ConsentForm], front_desk: Staff
) -> None:
    page = tablet.get("/handover/")
    keeps_to_the_policy(page)
    assert "no-store" in page["Cache-Control"]
    said = text_of(page)
    assert "Elena Sato" in said and "burns" in said and "It is not a condition" in said
    asked = {"forms": [treatment_form.pk, photo_forms[0].pk], "name": "Elena Sato"}
    done = tablet.post("/handover/", asked | {"drawing": DRAWN, "signer": "patient"})
    assert done.status_code == 303
    # Who handed it over, what the patient saw and that they signed stand in the trail.
    of_forms = AuditEntry.objects.filter(action__in=("record.view", "form.sign")).order_by("pk")
    told = rows_of(list(of_forms), front_desk)
    assert [(each.who, each.entry.via, each.entry.action) for each in told] == [
        ("Ana Front", "page", "record.view"),
        ("The patient", "patient_page", "record.view"),
        *[("The patient", "patient_page", "form.sign")] * 2,
    ]
    after = text_of(tablet.get(done["Location"]))
    assert "You signed 2 forms" in after and "give the tablet back" in after
    rows = SignedForm.objects.order_by("form__purpose")
    assert [(row.way, row.place, row.handed_by, row.ip) for row in rows] == [
        ("drawn", "clinic", front_desk, "127.0.0.1")
    ] * 2


def test_what_is_refused_keeps_what_was_typed_and_says_what_to_do(
    tablet: Client, treatment_form: ConsentForm
) -> None:
    asked = {"forms": [treatment_form.pk], "name": "Maria Lopez", "drawing": DRAWN}
    answer = tablet.post("/handover/?lang=es", asked)
    said = text_of(answer)
    assert answer.status_code == 422 and "No es el nombre que tenemos" in said
    assert 'value="Maria Lopez"' in said and f'd="{DRAWN}"' in said and " checked" in said
    at_field = '<p class="errorlist" id="name-problem">No es el nombre que tenemos'
    assert at_field in said and 'aria-describedby="name-problem"' in said
    for wrong in (
        {"forms": []},
        {"drawing": "M1 1"},
        {"forms": ["x"]},
        {"signer": "guardian"},
    ):  # type: dict[str, Any]
        assert tablet.post("/handover/", asked | {"name": "Elena"} | wrong).status_code == 422
    assert not SignedForm.objects.exists()


def test_for_a_minor_the_page_begins_with_who_signs_for_them_and_keeps_what_was_said(
    tablet: Client, patient: Patient, treatment_form: ConsentForm
) -> None:
    as_patient = 'value="patient" checked'
    assert as_patient in text_of(tablet.get("/handover/"))
    Patient.objects.filter(pk=patient.pk).update(birth_date=date(2015, 1, 1))
    page = text_of(tablet.get("/handover/"))
    assert 'value="guardian" checked' in page and as_patient not in page
    assert "do not agree, do not sign" in page
    said = {"forms": [treatment_form.pk], "name": "Elena Sato", "signer": "patient"}
    refused = text_of(tablet.post("/handover/", said))
    assert "a parent or guardian signs" in refused and as_patient in refused


def test_nothing_but_the_forms_opens_on_a_tablet_until_staff_sign_in(
    tablet: Client, patient: Patient, visits: list[Appointment], front_desk: Staff
) -> None:
    for address in ("/day/", f"/patients/{patient.pk}/", f"/visits/{visits[0].pk}/", "/"):
        assert tablet.get(address)["Location"].startswith("/login/"), address
    refused(tablet.get("/api/v1/patients/"), 401, "not_authenticated")
    left = tablet.post("/handover/end/")
    assert left["Location"] == f"/login/?next=%2Fvisits%2F{visits[0].pk}%2F"
    assert tablet.get("/handover/").status_code == 410
    answer = tablet.post(left["Location"], {"username": front_desk.email, "password": PASSWORD})
    assert answer["Location"] == f"/visits/{visits[0].pk}/"


def test_signing_in_on_the_tablet_leaves_nothing_of_the_handover_in_the_session(
    tablet: Client, front_desk: Staff
) -> None:
    tablet.post("/login/", {"username": front_desk.email, "password": PASSWORD})
    assert "handover" not in tablet.session
    assert tablet.session.get_expiry_age() > 3600
    assert tablet.get("/handover/").status_code == 302


def test_a_tablet_forgets_after_half_an_hour(
    tablet: Client, clock: time_machine.Traveller, treatment_form: ConsentForm
) -> None:
    clock.shift(timedelta(minutes=31))
    asked = {"forms": [treatment_form.pk], "name": "Elena Sato"}
    assert tablet.get("/handover/").status_code == 410
    assert tablet.post("/handover/", asked).status_code == 410
    for address, language in (("/handover/?lang=es", "en"), ("/handover/", "es-MX")):
        over = tablet.get(address, headers={"Accept-Language": language})
        assert "Esta página está cerrada" in over.content.decode(), address
    assert not SignedForm.objects.exists()


def test_only_who_sees_the_patient_hands_a_tablet_over(patient: Patient, stranger: Client) -> None:
    address = f"/patients/{patient.pk}/hand-over/"
    assert stranger.post(address).status_code == 404
    assert Client().post(address)["Location"].startswith("/login/")
    assert Client().get("/handover/").status_code == 410


def test_the_way_back_from_a_tablet_leads_nowhere_outside(desk: Client, patient: Patient) -> None:
    desk.post(f"/patients/{patient.pk}/hand-over/", {"back": "https://evil.example/"})
    back = desk.post("/handover/end/")["Location"]
    assert back == f"/login/?next=%2Fpatients%2F{patient.pk}%2F"


# --- The patient's link ---------------------------------------------------------------------------


@pytest.fixture
def mine(visits: list[Appointment], patient: Patient, now: Any, treatment_form: Any) -> Any:
    """The patient's browser, with the birth date given, and the address of their page."""
    browser, url = Client(), f"/p/{issued(patient_id=patient.pk, appointment=None, now=now)}/"
    assert browser.post(url, BORN).status_code == 303
    return browser, url


def test_a_patient_signs_withdraws_and_keeps_a_copy_by_their_link(
    mine: Any, treatment_form: ConsentForm
) -> None:
    browser, url = mine
    assert "Please read and sign (1)" in text_of(browser.get(url))
    page = browser.get(f"{url}forms/")
    keeps_to_the_policy(page)
    assert "no-store" in page["Cache-Control"]
    asked = {"forms": [treatment_form.pk], "name": "Elena Sato", "signer": "patient"}
    done = browser.post(f"{url}forms/?lang=es", asked)
    assert done.status_code == 303
    assert "Ha firmado un formulario" in text_of(browser.get(done["Location"]))
    row = SignedForm.objects.get()
    assert (row.language, row.way, row.place, row.handed_by) == ("es", "typed", "link", None)
    copy = browser.get(f"{url}forms/{row.pk}/sheet.pdf")
    assert copy.content == bytes(row.sheet) and "no-store" in copy["Cache-Control"]
    assert browser.post(f"{url}forms/{row.pk}/withdraw/").status_code == 303
    row.refresh_from_db()
    assert row.withdrawn_source == "patient_page" and row.withdrawn_by is None
    said = text_of(browser.get(f"{url}forms/?withdrawn=1&lang=en"))
    assert "Your consent is withdrawn" in said and "You withdrew your consent" in said


def test_without_the_birth_date_the_link_shows_and_signs_nothing(
    mine: Any, treatment_form: ConsentForm
) -> None:
    browser, url = mine
    browser.post(f"{url}forms/", {"forms": [treatment_form.pk], "name": "Elena Sato"})
    row = SignedForm.objects.get()
    holder = Client()
    asked = {"forms": [treatment_form.pk], "name": "Elena"}
    assert holder.get(f"{url}forms/").status_code == 302
    assert holder.post(f"{url}forms/", asked).status_code == 302
    assert holder.get(f"{url}forms/{row.pk}/sheet.pdf").status_code == 302
    assert holder.post(f"{url}forms/{row.pk}/withdraw/").status_code == 302
    assert SignedForm.objects.get().withdrawn_at is None
    assert Client().get("/p/unknown/forms/").status_code == 404


def test_a_link_reaches_the_signatures_of_its_own_patient_only(
    mine: Any, treatment_form: ConsentForm, site: Site, front_desk: Staff, now: Any
) -> None:
    other = a_patient(site, front_desk, now, given="Omar", phone="+12125550178", email="")
    [row] = signing.sign(
        patient=other,
        forms=[treatment_form],
        signature=signing.Signature("Omar Sato"),
        language="en",
        site=site,
        handed_by=front_desk,
        ip=None,
        now=now,
    )
    browser, url = mine
    assert browser.get(f"{url}forms/{row.pk}/sheet.pdf").status_code == 404
    browser.post(f"{url}forms/{row.pk}/withdraw/")
    row.refresh_from_db()
    assert row.withdrawn_at is None


# --- Staff ----------------------------------------------------------------------------------------


def test_staff_see_what_is_lacking_on_the_day_the_visit_and_the_patient(
    desk: Client,
    visits: list[Appointment],
    patient: Patient,
    treatment_form: ConsentForm,
    clinical_lead: Staff,
    front_desk: Staff,
    now: Any,
) -> None:
    day, visit, person = "/day/?date=2027-02-18", f"/visits/{visits[0].pk}/", patient.pk
    assert "form not signed" in text_of(desk.get(day))
    page = desk.get(visit)
    keeps_to_the_policy(page)
    assert "Not signed" in text_of(page) and "Hand over to sign" in text_of(page)
    sign(treatment_form, patient, visits[0].site, front_desk, now)
    assert "form not signed" not in text_of(desk.get(day))
    publish(clinical_lead, now, note="a new risk")
    assert "form to sign anew" in text_of(desk.get(day))
    said = text_of(desk.get(f"/patients/{person}/"))
    assert "The form changed since it was signed" in said and "All that was ever signed (1)" in said
    Staff.objects.filter(pk=front_desk.pk).update(language="es")
    said = text_of(desk.get(f"/patients/{person}/"))
    assert ">Consentimiento</" in said and "Consentimiento, edición 1" in said
    assert "Consent to needling" not in said


def test_a_signature_without_an_end_counts_until_it_is_withdrawn(
    desk: Client,
    patient: Patient,
    site: Site,
    treatment_form: ConsentForm,
    photo_forms: list[ConsentForm],
    front_desk: Staff,
    now: Any,
) -> None:
    said = {photo_forms[0]: "; counts until it is withdrawn", treatment_form: "; counts for "}
    for form, words in said.items():
        row = sign(form, patient, site, front_desk, now)
        assert words in text_of(desk.get(f"/signed-forms/{row.pk}/"))


def test_staff_read_a_signature_and_write_a_withdrawal_down(
    desk: Client,
    stranger: Client,
    patient: Patient,
    site: Site,
    treatment_form: ConsentForm,
    front_desk: Staff,
    house: ProtocolVersion,
    now: Any,
) -> None:
    row = sign(treatment_form, patient, site, front_desk, now)
    address = f"/signed-forms/{row.pk}/"
    page = desk.get(address)
    keeps_to_the_policy(page)
    assert row.facts_digest in text_of(page) and f'd="{DRAWN}"' in text_of(page)
    sheet = desk.get(f"{address}sheet.pdf")
    assert sheet["Content-Type"] == "application/pdf" and "no-store" in sheet["Cache-Control"]
    for part in ("", "sheet.pdf"):
        assert stranger.get(address + part).status_code == 404
        assert Client().get(address + part).status_code == 302
    assert stranger.post(f"{address}withdraw/").status_code == 404
    desk.post(f"{address}withdraw/", {"source": "phone", "reason": "second thoughts"})
    row.refresh_from_db()
    assert (row.withdrawn_source, row.withdrawn_reason) == ("phone", "second thoughts")
    said = text_of(desk.get(address))
    assert "second thoughts" in said and not re.search(r"<button[^>]*>Withdraw<", said)


def sign(form: ConsentForm, patient: Patient, site: Site, by: Staff, now: Any) -> SignedForm:
    [row] = signing.sign(
        patient=patient,
        forms=[form],
        signature=signing.Signature("Elena Sato", path=DRAWN),
        language="en",
        site=site,
        handed_by=by,
        ip=None,
        now=now,
    )
    return row


# --- API ------------------------------------------------------------------------------------------


def test_the_api_signs_lists_and_withdraws(
    patient: Patient,
    site: Site,
    treatment_form: ConsentForm,
    front_desk: Staff,
    outsider: Staff,
) -> None:
    asked = {
        "patient": patient.pk,
        "site": site.pk,
        "forms": [treatment_form.pk],
        "name": "Elena Sato",
        "drawing": DRAWN,
        "language": "en",
    }
    desk, address = api(front_desk), "/api/v1/signed-forms/"
    forms = f"/api/v1/patients/{patient.pk}/forms/?protocol=rf_microneedling"
    assert [each["standing"] for each in desk.get(forms).json()] == ["missing"]
    refused(api(outsider).post(address, asked), 404, "not_found", "patient")
    refused(desk.post(address, {**asked, "name": "Maria"}), 400, "signing_refused", "name")
    refused(desk.post(address, {**asked, "drawing": "M1"}), 400, "drawing_refused", "drawing")
    made = desk.post(address, asked)
    assert made.status_code == 201, made.content
    assert [each["standing"] for each in desk.get(forms).json()] == ["signed"]
    here = f"{address}{made.json()[0]['id']}/"
    assert desk.get(f"{here}sheet/").content.startswith(b"%PDF-")
    for path in (here, f"{here}sheet/"):
        refused(api(outsider).get(path), 404, "not_found")
    refused(api(outsider).post(f"{here}withdraw/", {}), 404, "not_found")
    assert api(outsider).get(address).json()["count"] == 0
    assert desk.post(f"{here}withdraw/", {"reason": "x"}).json()["withdrawn_at"]
    refused(desk.post(f"{here}withdraw/", {}), 409, "withdrawn_already", "signed_form")
    listed = desk.get(f"{address}?patient={patient.pk}").json()["results"]
    assert [each["signer_name"] for each in listed] == ["Elena Sato"]
