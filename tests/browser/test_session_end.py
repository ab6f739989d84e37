"""A session that ends while somebody writes: with and without script nothing is lost."""

import re
from datetime import datetime

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.browser.conftest import Look, SignIn
from tests.personas import PASSWORD
from tests.reminders.ledger import a_visit

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = """document.querySelector("main").insertAdjacentHTML("beforeend", `<form>
<label>Plain <select><option>A</option><option>B</option></select></label>
<label>Chosen <select><option>A</option><option selected>B</option></select></label>
<label>Several <select multiple><option>A</option><option selected>B</option></select></label>
</form>`)"""


def sign_in_again(page: Page, who: Staff) -> None:
    expect(page.get_by_text("You were signed out meanwhile")).to_be_visible()
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_what_was_written_is_there_again_and_sent_by_a_press(
    page: Page, live_server: object, sign_in: SignIn, front_desk: Staff, patient: Patient
) -> None:
    sign_in(front_desk)
    page.goto(f"{live_server}/patients/{patient.pk}/edit/")
    page.get_by_label("Notes").fill("Likes <b>tea</b>\nand quiet")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save").click()
    sign_in_again(page, front_desk)
    expect(page.get_by_label("Notes")).to_have_value("Likes <b>tea</b>\nand quiet")
    assert Patient.objects.get().notes == ""
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Likes <b>tea</b>")).to_be_visible()


def test_a_press_on_a_part_of_a_page_signs_in_above_it(
    page: Page,
    look: Look,
    live_server: object,
    sign_in: SignIn,
    front_desk: Staff,
    site: Site,
    patient: Patient,
    protocol: ProtocolVersion,
    now: datetime,
) -> None:
    visit = a_visit(patient, site, protocol, now=now, starts_at=now)
    sign_in(front_desk)
    page.goto(f"{live_server}/day/")
    Session.objects.all().delete()
    page.get_by_role("button", name="Check in").first.click()
    dialog = page.get_by_role("dialog", name="You were signed out")
    dialog.get_by_label("E-mail").fill(front_desk.email)
    dialog.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("There is a problem")).to_be_visible()
    look("signed-out-beside", within="dialog")
    page.keyboard.press("Escape")
    dialog.get_by_label("Password").fill(PASSWORD)
    # The list beneath that is asked for anew takes nothing away.
    with page.expect_response(re.compile("/login/")):
        page.evaluate(
            "document.querySelector('[data-refresh]').dispatchEvent(new Event('refresh'))"
        )
    expect(dialog.get_by_label("Password")).to_have_value(PASSWORD)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert Appointment.objects.get(pk=visit.pk).state == "booked"
    page.get_by_role("button", name="Check in").first.click()
    expect(page.get_by_text("checked in")).to_be_visible()
    # Who closes it all the same sees nothing of what lay beneath.
    Session.objects.all().delete()
    page.evaluate("signInBeside()")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("/login/"))


def test_only_what_somebody_changed_counts_as_written(
    page: Page, live_server: object, sign_in: SignIn, front_desk: Staff
) -> None:
    sign_in(front_desk)
    page.goto(f"{live_server}/day/")
    page.evaluate(FIELDS)
    assert page.evaluate("isWritten()") is False
    for label, option in (("Plain", "B"), ("Chosen", "A"), ("Several", "A")):
        field = page.get_by_label(label)
        field.select_option(option)
        assert page.evaluate("isWritten()") is True, label
        field.evaluate("field => field.form.reset()")
        assert page.evaluate("isWritten()") is False, label
