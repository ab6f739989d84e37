"""The main job in a real browser: sign in, book a series, move one visit, take it back."""

import pytest
from playwright.sync_api import Page, expect

from appointments.models import Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, Staff
from patients.models import Patient
from tests.browser.conftest import Complaints
from tests.personas import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

MOST_CLICKS = 8


class Hand:
    """Presses what is on the page, and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def press(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]
        self.clicks += 1

    def choose(self, label: str) -> None:
        self.page.get_by_label(label).first.check()
        self.clicks += 1


def test_the_front_desk_books_moves_and_takes_back(
    page: Page,
    live_server: object,
    complaints: Complaints,
    front_desk: Staff,
    patient: Patient,
    house: ProtocolVersion,
) -> None:
    page.goto(f"{live_server}/day/")
    page.get_by_label("E-mail").fill(front_desk.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    with page.expect_response(lambda answer: "/day/" in answer.url) as fresh:
        page.evaluate(
            "document.querySelector('[data-refresh]').dispatchEvent(new Event('refresh'))"
        )
    assert "<html" not in fresh.value.text()
    expect(page.get_by_role("heading", name="No visits")).to_be_visible()

    hand = Hand(page)
    hand.press("link", "New series")
    page.get_by_label("Name, phone or birth date").fill("sat")
    hand.choose("Elena Sato")
    hand.choose("RF microneedling")
    hand.choose("Face")
    hand.press("button", "Propose dates")
    # Who was screened lately is not asked again, and is booked with a click less.
    hand.press("link", "Ask later")
    expect(page.get_by_text("What will be sent")).to_be_visible()
    hand.press("button", "Book 3 visits")
    expect(page.get_by_role("heading", name="3 visits booked")).to_be_visible()
    assert hand.clicks <= MOST_CLICKS
    series = TreatmentSeries.objects.get(patient=patient)
    second = series.appointments.get(session=2)
    assert series.appointments.count() == 3
    assert not series.skips.exists()

    page.get_by_role("link", name="Feb").or_(page.locator(".card-list a")).nth(1).click()
    page.get_by_role("link", name="Move").click()
    page.locator(".week a").filter(has_not=page.locator("[aria-current]")).first.wait_for()
    starts = page.locator("[aria-label^='Free starts'] button:not([aria-current])")
    starts.last.click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Elena Sato: session 2 moved to")
    moved = Appointment.objects.get(pk=second.pk)
    assert moved.starts_at != second.starts_at

    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("Elena Sato: back to what it was.")
    assert Appointment.objects.get(pk=second.pk).starts_at == second.starts_at
    assert complaints.taken() == []


def test_another_date_is_chosen_on_the_plan_without_leaving_it(
    page: Page,
    live_server: object,
    complaints: Complaints,
    front_desk: Staff,
    patient: Patient,
    house: ProtocolVersion,
) -> None:
    page.goto(
        f"{live_server}/login/?next=/series/new/dates/%3Fpatient={patient.pk}"
        f"%26protocol={house.pk}%26area=face%26sessions=2"
    )
    page.get_by_label("E-mail").fill(front_desk.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    skip = page.locator("[name=skip]").first
    skip.check()
    page.get_by_role("button", name="Change session 2").click()
    starts = page.locator("#session-2 .slots button")
    expect(starts.first).to_be_focused()
    assert page.locator("[name=skip]").first.is_checked()
    before = page.locator("#session-2 .date").inner_text()
    starts.last.click()
    expect(page.locator("#session-2 .slots")).to_have_count(0)
    assert page.locator("#session-2 .date").inner_text() != before
    assert "visit=" in page.url
    page.reload()
    assert page.locator("[name=skip]").first.is_checked()
    assert complaints.taken() == []
