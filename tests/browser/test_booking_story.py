"""The main job in a real browser: book a series with few clicks, or by keys alone, and move it."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from appointments.charting import drafting, signing
from appointments.clearance import Treatment, answering
from appointments.models import Appointment, TreatmentRecord, TreatmentSeries
from clinic.models import ProtocolVersion, Role, Site, SiteRole, Staff
from clinic.protocols import loading as protocols
from clinic.wall_time import local
from patients.models import Patient, ScreeningMoment, SkinType
from patients.screening.answers import FITTING, Said
from patients.screening.questions import questions_of
from tests.appointments.charting.logs import a_log
from tests.browser.conftest import Complaints, Place, SignIn, a_visit_today
from tests.browser.looking import follow
from tests.history import a_past_visit
from tests.personas import PASSWORD, a_patient

pytestmark = pytest.mark.django_db(transaction=True)

# Who, what, where, the dates, and the booking; a click more for questions that are asked later,
# and two for each session that is put on another day.
CLICKS, ASKED_LATER, CHANGED = 6, 1, 2


class Hand:
    """Presses what is on the page, and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def press(self, role: str, name: str) -> None:
        self.click(self.page.get_by_role(role, name=name, exact=True).first)  # type: ignore[arg-type]

    def click(self, control: Locator) -> None:
        control.click()
        self.clicks += 1

    def choose(self, label: str) -> None:
        self.page.get_by_label(label).first.check()
        self.clicks += 1


IS_FOCUSED = "each => each === document.activeElement"


class Keys:
    """Presses keys, and counts; text that is typed counts nothing."""

    def __init__(self, page: Page) -> None:
        self.page, self.pressed = page, 0

    def press(self, *keys: str) -> None:
        # Before the script of a page runs, its keys do nothing.
        self.page.wait_for_load_state()
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def go_to(self, control: Locator) -> None:
        """By Tab, past what lies before it."""
        while not control.evaluate(IS_FOCUSED):
            self.press("Tab")
            assert self.pressed < 50, "it is not to be reached"

    def choose(self, tile: Locator) -> None:
        """The one of several tiles that has the focus by Space, another by the arrows."""
        while not tile.is_checked():
            self.press("Space" if tile.evaluate(IS_FOCUSED) else "ArrowDown")
            assert self.pressed < 50, "it is not to be reached"


def answer_all(treatment: Treatment, *, by: Staff, now: datetime) -> None:
    """Whatever the protocol asks, nothing stands against the treatment."""
    answering.answer(
        treatment=treatment,
        said={
            question.id: Said(FITTING[question.trigger][0])
            for question in questions_of(protocols.get(treatment.version))
        },
        moment=ScreeningMoment.CONSULT,
        skin_type=SkinType.III,
        by=by,
        now=now,
    )


def test_the_front_desk_books_moves_and_takes_back(
    page: Page,
    live_server: object,
    complaints: Complaints,
    front_desk: Staff,
    patient: Patient,
    of_four: ProtocolVersion,
) -> None:
    page.goto(f"{live_server}/day/")
    page.get_by_label("E-mail").fill(front_desk.email)
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
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
    hand.press("link", "Ask later")
    expect(page.get_by_text("What will be sent")).to_be_visible()
    hand.press("button", "Book 4 visits")
    expect(page.get_by_role("heading", name="4 visits booked")).to_be_visible()
    assert hand.clicks == CLICKS + ASKED_LATER
    series = TreatmentSeries.objects.get(patient=patient)
    second = series.appointments.get(session=2)
    assert series.appointments.count() == 4
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


def test_who_was_screened_is_not_asked_and_another_date_is_chosen_on_the_plan(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    complaints: Complaints,
    front_desk: Staff,
    patient: Patient,
    site: Site,
    of_four: ProtocolVersion,
    now: datetime,
) -> None:
    answer_all(Treatment(patient, site, of_four, ["face"]), by=front_desk, now=now)
    sign_in(front_desk)
    page.goto(f"{live_server}/patients/")
    hand = Hand(page)
    hand.press("link", "New series")
    page.get_by_label("Name, phone or birth date").fill("sat")
    hand.choose("Elena Sato")
    hand.choose("RF microneedling")
    hand.choose("Face")
    hand.press("button", "Propose dates")
    page.locator("[name=skip]").first.check()
    hand.press("button", "Change session 2")
    starts = page.locator("#session-2 .slots button")
    expect(starts.first).to_be_focused()
    assert page.locator("[name=skip]").first.is_checked()
    before = page.locator("#session-2 .date").inner_text()
    hand.click(starts.last)
    expect(page.locator("#session-2 .slots")).to_have_count(0)
    assert page.locator("#session-2 .date").inner_text() != before
    assert "visit=" in page.url
    page.reload()
    assert page.locator("[name=skip]").first.is_checked()
    hand.press("button", "Book 4 visits")
    expect(page.get_by_role("heading", name="4 visits booked")).to_be_visible()
    assert hand.clicks == CLICKS + CHANGED
    assert TreatmentSeries.objects.get(patient=patient).skips.exists()
    assert complaints.taken() == []


# What may be pressed beside what is typed: from the search to a signed log.
MOST_PRESSES = 35
# Of a log in which last time's settings are put: what they leave open.
TODAY = {
    "session-cartridge_lot": "LOT-8",
    "session-anaesthetic": "Lidocaine 5 %, 45 min",
    "session-pain": "4",
    "session-reaction": "Redness",
    "session-outcome": "Completed",
    "zones-face-endpoint": "Pinpoint bleeding",
}


def test_by_keys_alone_from_the_search_to_a_signed_log(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    complaints: Complaints,
    front_desk: Staff,
    provider: Staff,
    manager: Staff,
    patient: Patient,
    site: Site,
    of_four: ProtocolVersion,
    place: Place,
    now: datetime,
) -> None:
    ben = a_patient(site, front_desk, now, given="Ben", family="Ode", phone="+12125550177")
    last = a_past_visit(ben, site, of_four, local(now, site.zone).date() - timedelta(weeks=5))
    drafting.save(appointment=last, log=a_log(), by=provider, now=now, expected_version=0)
    signing.sign(appointment=last, by=provider, now=now)
    visit = a_visit_today(ben, site, of_four, place, by=manager, now=now)
    answer_all(Treatment(ben, site, of_four, ["face"]), by=provider, now=now)
    SiteRole.objects.create(staff=provider, site=site, role=Role.FRONT_DESK)
    sign_in(provider)
    page.goto(f"{live_server}/board/")
    keys = Keys(page)
    keys.press("/")
    page.keyboard.type("sat")
    found = page.locator(".find[data-for=sat] .find-list a")
    expect(found).to_have_count(1)
    keys.press("ArrowDown")
    expect(found).to_be_focused()
    keys.press("b")
    expect(page.get_by_role("radio", name="RF microneedling")).to_be_focused()
    keys.press("Space")
    keys.go_to(page.get_by_label("Face").first)
    keys.press("Space", "Control+Enter")
    expect(page.get_by_role("heading", name="To ask before booking")).to_be_visible()
    keys.press("p")
    expect(page.get_by_text("What will be sent")).to_be_visible()
    keys.press("b")
    expect(page.get_by_role("heading", name="4 visits booked")).to_be_visible()
    assert TreatmentSeries.objects.get(patient=patient).appointments.count() == 4

    keys.press("g", "b")
    slip = page.locator(f"a.slip[data-visit='{visit.pk}']").first
    expect(slip).to_be_visible()
    keys.press("ArrowDown")
    expect(slip).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#panel").get_by_role("link", name="Ben Ode")).to_be_visible()
    expect(slip).to_be_focused()
    keys.press("c")
    expect(page.locator(".toast")).to_contain_text("Ben Ode: checked in")
    keys.press("s")
    expect(page.locator(".toast")).to_contain_text("Ben Ode: in treatment")
    keys.press("r")
    expect(page.get_by_role("button", name="Complete and sign")).to_be_visible()
    keys.press("l")
    expect(page.locator(f"#{next(iter(TODAY))}")).to_be_focused()
    for name, value in TODAY.items():
        entry = page.locator(f"#{name}")
        keys.go_to(entry)
        if entry.get_attribute("type") == "radio":
            keys.choose(page.locator(f".field:has(#{name})").get_by_label(value, exact=True))
        else:
            page.keyboard.type(value)
    keys.press("Control+Enter")
    expect(page.locator(".chip", has_text="Signed")).to_be_visible()
    record = TreatmentRecord.objects.get(appointment=visit)
    assert record.is_signed
    assert record.document["session"]["pain"] == 4
    assert keys.pressed <= MOST_PRESSES
    assert complaints.taken() == []
