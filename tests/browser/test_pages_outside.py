"""What opens before one signs in, what opens nothing, and links that are over: looked at."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from appointments.models import Appointment, PatientLink
from clinic import staffing
from clinic.models import Site, Staff
from tests.browser.conftest import REFUSED, Look, SignIn
from tests.browser.looking import follow
from tests.links import issued

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_opens_before_signing_in_and_what_opens_nothing(
    page: Page, look: Look, sign_in: SignIn, site: Site, manager: Staff, provider: Staff
) -> None:
    look("sign-in", "/login/?next=/day/")
    page.get_by_label("E-mail").fill(manager.email)
    page.get_by_label("Password").fill("not this one")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.locator(".error-summary")).to_be_visible()
    look("sign-in-refused", within=REFUSED)
    welcome = staffing.invite(staff=provider, by=manager, now=timezone.now())
    look("welcome", welcome)
    for field in page.locator("input[type=password]").all():
        field.fill("short")
    follow(page.get_by_role("button", name="Save"))
    look("welcome-refused", within=REFUSED)
    look("welcome-over", f"{welcome[:-2]}/")
    sign_in(provider)
    look("nothing-here", "/patients/918273002/")
    look("not-yours", "/staff/")
    look("not-to-open", "/my-day/sign/")


def test_links_of_patients_that_are_over_or_for_one_thing_only(
    page: Page, look: Look, elena: list[Appointment], now: datetime
) -> None:
    visit = elena[0]
    patient = visit.series.patient_id
    stop = issued(
        patient_id=patient, appointment=visit, now=now, purpose=PatientLink.Purpose.UNSUBSCRIBE
    )
    look("unsubscribe", f"/p/{stop}/unsubscribe/")
    follow(page.get_by_role("button").first)
    look("unsubscribed")
    look("link-of-nobody", f"/p/{'x' * 43}/")
    old = issued(patient_id=patient, appointment=None, now=now - timedelta(days=400))
    PatientLink.objects.filter(created_at__lt=now - timedelta(days=300)).update(
        expires_at=now - timedelta(days=30)
    )
    look("link-over", f"/p/{old}/")
    follow(page.get_by_role("button").first)
    look("link-sent-anew")
