"""Forms and photos, in every size and colour, and what needs a pointer."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from appointments.models import Appointment, Photo
from appointments.photos import adding
from appointments.visits import booking
from clinic.consent_forms import loading, publishing
from clinic.models import ConsentForm, ProtocolVersion, Site, Staff
from patients.models import Patient, SignedForm
from patients.signing import signing
from tests.appointments.photos.pictures import picture
from tests.browser.conftest import Days, Look, Place, SignIn
from tests.browser.looking import follow
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
    page.get_by_label("Your full name").fill("Nobody Else")
    draw(page)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("not the name that we have")
    look("record-handover-refused")
    page.get_by_label("Your full name").fill("Elena Sato")
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
    follow(page.get_by_role("link", name="Please read and sign (1)"))
    look("record-link-forms")
    page.get_by_label("I have read this and I agree: Consent to RF microneedling").check()
    page.get_by_label("Your full name").fill("Elena Sato")
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


def test_photos_are_taken_compared_and_looked_at(
    page: Page,
    look: Look,
    sign_in: SignIn,
    provider: Staff,
    visit: Appointment,
    forms: dict[str, ConsentForm],
    now: datetime,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.PRIVATE_ROOT = tmp_path
    patient, site = visit.series.patient, visit.site
    home = f"/patients/{patient.pk}/photos/"
    sign_in(provider)
    look("photos-not-agreed", home)
    signing.sign(
        patient=patient,
        forms=[forms["photos_record"], forms["photos_education"]],
        signature=signing.Signature("Elena Sato"),
        language="en",
        site=site,
        handed_by=provider,
        ip=None,
        now=now,
    )
    kept = [
        adding.add(
            patient=patient,
            site=site,
            area="face",
            view="front",
            content=picture(size=(900, 1200), made_by=f"Phone {days}"),
            by=provider,
            now=now - timedelta(days=days),
        )
        for days in (60, 30)
    ]
    adding.receive(patient=patient, site=site, content=picture(size=(800, 600)), now=now)
    look("photos", f"{home}?visit={visit.pk}")
    late: list[Route] = []
    page.route("**/screen.jpg", lambda route: late.append(route))
    compare = page.get_by_role("link", name="Compare Face, Front: first and last")
    beside = f"{page.url.split('/patients')[0]}{compare.get_attribute('href')}"
    page.goto(beside, wait_until="domcontentloaded")
    expect(page.get_by_label("From before to after")).to_be_visible()
    place = page.locator("#reveal").bounding_box()
    assert late
    # Lets go on whatever was held back, and what comes after it.
    page.unroute("**/screen.jpg")
    page.wait_for_load_state()
    assert page.locator("#reveal").bounding_box() == place
    page.get_by_label("From before to after").fill("20")
    assert "20%" in page.locator(".over .top").evaluate("each => each.style.clipPath")
    look("photos-compare")
    look("photo-add", f"{home}add/?area=face&view=front&visit={visit.pk}")
    page.get_by_role("button", name="Keep this photo").click()
    expect(page.locator(".error-summary")).to_contain_text("Take or choose a photo")
    page.set_input_files("#id_file", files=[file_of(picture("PNG"))])
    page.get_by_role("button", name="Keep this photo").click()
    expect(page.locator(".toast")).to_contain_text("The photo is kept")
    page.goto(f"{page.url.split('/patients')[0]}{home}add/?area=face&view=front")
    page.get_by_role("button", name="Use the camera of this device").click()
    expect(page.get_by_label("How much the last photo shows through")).to_be_visible()
    expect(page.locator(".frame .ghost")).to_be_visible()
    taken = "document.getElementById('id_taken').files.length"
    page.get_by_role("button", name="Take the photo").click()
    page.get_by_role("button", name="Take it again").click()
    assert page.evaluate(taken) == 0
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("button", name="Take it again")).to_be_visible()
    assert page.evaluate(taken) == 1
    page.get_by_role("button", name="Keep this photo").click()
    expect(page.locator(".toast")).to_contain_text("The photo is kept")
    assert Photo.objects.filter(source="camera").count() == 1
    look("photo", f"/photos/{kept[0].pk}/")
    token = issued(patient_id=patient.pk, appointment=visit, now=now)
    look("photos-care", f"/p/{token}/")
    for label, typed in (("Month", "5"), ("Day", "4"), ("Year", "1988")):
        page.get_by_label(label).fill(typed)
    page.get_by_role("button", name="Show my page").click()
    follow(page.get_by_role("link", name="Send us photos"))
    look("photos-send")


def file_of(content: bytes) -> Any:
    return {"name": "photo.png", "mimeType": "image/png", "buffer": content}
