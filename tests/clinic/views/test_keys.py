"""The little script of the staff pages, in a real browser under the real policy."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from clinic.models import Staff
from patients.models import Patient
from tests.personas import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, front_desk: Staff) -> Generator[Page]:
    """The preferences page, signed in; fails on anything that the browser complains of."""
    complaints: list[str] = []
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/login/?next=/preferences/")
    page.fill("#id_username", front_desk.email)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/preferences/")
    yield page
    context.close()
    assert complaints == []


def test_keys_press_what_the_page_shows(page: Page) -> None:
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("n?")
    assert page.input_value("#find") == "n?"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog")
    assert "Find patient" in keys.inner_text()
    assert "New series" in keys.inner_text()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_patients_are_found_from_anywhere_and_pages_by_two_keys(
    page: Page, patient: Patient
) -> None:
    page.keyboard.press("/")
    page.keyboard.type("sat")
    # What was found for less of the name is still replaced.
    expect(page.locator(".find[data-for=sat]")).to_be_visible()
    expect(page.locator("#find-list").get_by_role("link", name="Elena Sato")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")
    page.wait_for_url(f"**/series/new/?patient={patient.pk}")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/patients/")
    page.keyboard.press("/")
    page.keyboard.type("sat")
    expect(page.locator(".find[data-for=sat]")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{patient.pk}/")


def test_keys_that_are_switched_off_do_nothing(page: Page) -> None:
    page.get_by_label("One-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.", exact=True).wait_for()
    page.wait_for_load_state()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "find"


def test_a_notice_stays_until_it_is_dismissed(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    notice = page.get_by_text("Saved.", exact=True)
    notice.wait_for()
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    expect(notice).to_be_hidden()


def test_the_menu_signs_out(page: Page) -> None:
    page.get_by_role("button", name="You: Ana Front").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/")
    page.goto("/preferences/")
    assert "/login/" in page.url


def test_a_refused_sign_in_takes_the_focus_to_the_problem(page: Page) -> None:
    page.get_by_role("button", name="You: Ana Front").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login/")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").filter(has_text="There is a problem").wait_for()
    expect(page.locator(".error-summary")).to_be_focused()
