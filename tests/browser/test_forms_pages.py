"""The pages of the clinical record, in every size and colour, and what needs a pointer."""

from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appointments.models import Appointment
from appointments.visits import booking
from clinic.consent_forms import loading, publishing
from clinic.models import ConsentForm, ProtocolVersion, Site, Staff
from patients.models import Patient, SignedForm
from tests.browser.conftest import Days, Look, Place, SignIn
from tests.links import issued

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def forms(clinical_lead: Staff, now: datetime) -> dict[str, ConsentForm]:
    """The forms that come with the product, published, by protocol or use of photos."""
    loading.load_library(now=now)
    return {
        draft.key: publishing.publish(
            draft=draft, seen=draft.digest, asks_anew=True, by=clinical_lead, now=now
        )
        for draft in ConsentForm.objects.exclude(protocol="ipl")
    }


@pytest.fixture
def visit(
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    manager: Staff,
    place: Place,
    days: Days,
    now: datetime,
) -> Appointment:
    series = booking.book_series(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[place(days.first)],
        by=manager,
        now=now,
    )
    return series.appointments.get()


def test_forms_are_handed_over_drawn_and_kept(
    page: Page,
    look: Look,
    sign_in: SignIn,
    front_desk: Staff,
    visit: Appointment,
    forms: dict[str, ConsentForm],
    live_server: Any,
) -> None:
    sign_in(front_desk)
    look("record-visit-to-sign", f"/visits/{visit.pk}/")
    page.get_by_role("button", name="Hand over to sign").click()
    expect(page.get_by_role("heading", name="Consent to RF microneedling")).to_be_visible()
    look("record-handover")
    page.get_by_label("I have read this and I agree: Consent to RF microneedling").check()
    page.get_by_label("I have read this and I agree: Photos for my record").check()
    page.get_by_label("Your whole name").fill("Nobody Else")
    draw(page)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not the name that we have")
    look("record-handover-refused")
    page.get_by_label("Your whole name").fill("Elena Sato")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("You signed 2 forms")
    look("record-handover-signed")
    signed = SignedForm.objects.get(form=forms["rf_microneedling"])
    assert signed.way == "drawn" and signed.drawing.count("L") > 10
    page.goto(f"{live_server}/visits/{visit.pk}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(front_desk)
    look("record-signed-form", f"/signed-forms/{signed.pk}/")
    look("record-patient-signed", f"/patients/{visit.series.patient_id}/")


def test_forms_are_written_and_signed_by_link(
    page: Page,
    look: Look,
    sign_in: SignIn,
    clinical_lead: Staff,
    visit: Appointment,
    forms: dict[str, ConsentForm],
    now: datetime,
) -> None:
    sign_in(clinical_lead)
    look("record-consent-forms", "/consent-forms/")
    look("record-consent-form", "/consent-forms/rf_microneedling/1/")
    look("record-consent-form-draft", "/consent-forms/ipl/1/")
    look("record-consent-form-edit", "/consent-forms/ipl/edit/")
    token = issued(patient_id=visit.series.patient_id, appointment=visit, now=now)
    look("record-care-locked", f"/p/{token}/")
    for label, typed in (("Month", "5"), ("Day", "4"), ("Year", "1988")):
        page.get_by_label(label).fill(typed)
    page.get_by_role("button", name="Show my page").click()
    page.get_by_role("link", name="Your forms (1)").click()
    look("record-link-forms")
    page.get_by_label("I have read this and I agree: Consent to RF microneedling").check()
    page.get_by_label("Your whole name").fill("Elena Sato")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("You signed one form")
    page.get_by_text("Withdraw my consent").click()
    look("record-link-signed")


def draw(page: Page) -> None:
    """A line with corners, drawn with the mouse."""
    page.locator("svg.pad").scroll_into_view_if_needed()
    box = page.locator("svg.pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    for step in range(1, 20):
        page.mouse.move(box["x"] + 20 + 12 * step, box["y"] + 20 + 40 * (step % 2))
    page.mouse.up()
