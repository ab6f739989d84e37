"""Every page that a patient opens by a link."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.utils import timezone
from playwright.sync_api import Page, expect

from appointments import links
from appointments.models import (
    Appointment,
    Invitation,
    PatientLink,
)
from clinic.models import ProtocolVersion, Site, Staff
from clinic.wall_time import local
from patients.models import Patient
from reminders.patient_pages.self_service import PROOF
from tests.browser.conftest import DAY, Book, Days, Look, Place
from tests.browser.looking import follow
from tests.history import a_past_visit
from tests.links import issued

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_offer_as_the_patient_sees_it(
    page: Page, look: Look, live_server: object, invitation: Invitation, manager: Staff
) -> None:
    token, link = links.prepare(
        patient_id=invitation.entry.patient_id,
        appointment=None,
        now=timezone.now(),
        purpose=PatientLink.Purpose.OFFER,
        invitation_id=invitation.pk,
    )
    link.save()
    address = f"/p/{token}/"
    look("offer-open", address)
    asked = Invitation.objects.filter(pk=invitation.pk)
    for answer in ("gone", "expired", "withdrawn", "declined"):
        asked.update(answer=answer, answered_at=timezone.now())
        look(f"offer-{answer}", address)
    asked.update(answer="", answered_at=None)
    page.goto(f"{live_server}{address}")
    follow(page.locator("button[value=accept]"))
    look("offer-accepted")
    look("offer-unknown", "/p/no-such-token-of-ours/")


def test_how_the_patient_wants_to_be_written_to(
    page: Page, look: Look, live_server: object, patient: Patient
) -> None:
    token, link = links.prepare(patient_id=patient.pk, appointment=None, now=timezone.now())
    link.save()
    address = f"/p/{token}/preferences/"
    look("preferences-locked", address)
    # The page of visits asks for the birth date only where there is a visit.
    page.context.add_cookies([proof_of(link, f"{live_server}", f"/p/{token}/")])
    look("preferences", address)
    page.locator("input[name=quiet_from]").fill("13:00")
    follow(page.get_by_role("button", name="Save"))
    look("preferences-refused")


def test_what_the_patient_changes_by_link(
    page: Page, look: Look, live_server: object, elena: list[Appointment]
) -> None:
    """Three presses move a visit; two take it back or cancel it. No page has a script."""
    token, link = links.prepare(
        patient_id=elena[1].series.patient_id, appointment=elena[1], now=timezone.now()
    )
    link.save()
    look("patient-visits", f"/p/{token}/")
    expect(page.get_by_role("button", name="Yes, I will come")).to_be_in_viewport()
    follow(page.get_by_role("link", name="Change the time", exact=True).first)
    look("patient-move")
    expect(page.locator("script")).to_have_count(0)
    follow(page.get_by_role("link", name="See every free day"))
    look("patient-days", within="main")
    follow(page.locator("a.slot").first)
    look("patient-day", within="main")
    follow(page.locator("button.slot").first)
    look("patient-sure", within="main")
    follow(page.get_by_role("button", name="Yes, change it"))
    look("patient-moved", within="main")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("h1")).to_have_text("It is as it was")
    look("patient-cancel", f"/p/{token}/visits/{elena[1].pk}/cancel/", within="main")
    follow(page.get_by_role("link", name="No, keep the visit"))
    look("patient-ask", f"/p/{token}/visits/{elena[1].pk}/ask/", within="main")
    Appointment.objects.filter(pk=elena[1].pk).update(is_locked=True)
    look("patient-cannot", f"/p/{token}/visits/{elena[1].pk}/move/", within="main")


def test_a_touch_up_is_booked_by_link_with_one_press(
    page: Page, look: Look, patient: Patient, site: Site, house: ProtocolVersion, now: datetime
) -> None:
    on = local(now, site.zone).date() - 200 * DAY
    last = a_past_visit(patient, site, house, on, ended="completed")
    purpose = PatientLink.Purpose.TOUCH_UP
    token = issued(patient_id=patient.pk, appointment=last, now=now, purpose=purpose)
    look("touch-up", f"/p/{token}/")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("button.slot")).to_have_count(3)
    expect(page.locator("button.slot").last).to_be_in_viewport()
    page.locator("button.slot").first.click()
    expect(page.get_by_text("Your visit is booked")).to_be_visible()
    look("touch-up-booked", within="main")


def proof_of(link: PatientLink, server: str, path: str) -> Any:
    """The cookie of a browser that gave the birth date."""
    signed = signing.TimestampSigner(salt="reminders.patient_pages.self_service").sign(str(link.pk))
    return {"name": PROOF, "value": signed, "domain": urlsplit(server).hostname, "path": path}


def test_the_questions_before_a_visit(
    page: Page,
    look: Look,
    live_server: object,
    patient: Patient,
    book: Book,
    place: Place,
    days: Days,
) -> None:
    # Sooner than the other visits: what is asked weeks before would have to be asked again.
    (visit,) = book(patient, place(days.next))
    token, link = links.prepare(patient_id=patient.pk, appointment=visit, now=timezone.now())
    link.save()
    address = f"/p/{token}/questions/"
    page.context.add_cookies([proof_of(link, f"{live_server}", f"/p/{token}/")])
    look("questions", address)
    # A card each, although the questions are fields as well.
    expect(page.locator(".question").first).to_have_css("padding-left", "16px")
    follow(page.get_by_role("button", name="Send my answers"))
    look("questions-refused")
