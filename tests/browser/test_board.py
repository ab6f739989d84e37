"""The board under real hands: dragged, pressed, refused, by keys alone, and in every size."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from appointments.models import Appointment
from appointments.visits import booking
from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from tests.browser.conftest import Complaints, Days, Look, Place, SignIn
from tests.personas import a_patient

pytestmark = pytest.mark.django_db(transaction=True)

ROW = 8  # pixels of five minutes
Book = Callable[[Patient, str], Appointment]


@pytest.fixture
def book(
    site: Site, house: ProtocolVersion, manager: Staff, now: datetime, place: Place, days: Days
) -> Book:
    def make(patient: Patient, wall: str) -> Appointment:
        series = booking.book_series(
            patient=patient,
            site=site,
            version=house,
            areas=["face"],
            visits=[place(days.first, wall)],
            by=manager,
            now=now,
        )
        return series.appointments.get()

    return make


@pytest.fixture
def ben(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Ben", family="Ode", phone="+12125550177")


def slip(page: Page, visit: Appointment) -> Locator:
    return page.locator(f"a.slip[data-visit='{visit.pk}']").first


def box_of(slip: Locator) -> FloatRect:
    box = slip.bounding_box()
    assert box is not None
    return box


def drag(page: Page, visit: Appointment, minutes: int) -> None:
    """Takes the visit by its head and lets it go so many minutes later."""
    box = box_of(slip(page, visit))
    x, y = box["x"] + 30, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 20, steps=3)
    page.mouse.move(x, y + minutes / 5 * ROW, steps=5)
    page.mouse.up()


def time_of(visit: Appointment) -> datetime:
    visit.refresh_from_db()
    return visit.starts_at


def test_a_visit_is_dragged_taken_back_and_refused_where_another_is(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    complaints: Complaints,
    front_desk: Staff,
    patient: Patient,
    ben: Patient,
    book: Book,
    days: Days,
) -> None:
    visit, other = book(patient, "09:30"), book(ben, "14:00")
    was, address = visit.starts_at, f"{live_server}/board/?date={days.first}"
    sign_in(front_desk)
    page.goto(address)
    drag(page, visit, 60)
    expect(page.get_by_text("Elena Sato: session 1 moved")).to_be_visible()
    assert (time_of(visit) - was).total_seconds() == 3600
    assert page.url == address
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("back to what it was")).to_be_visible()
    assert time_of(visit) == was

    # By its lower edge it is made longer, and starts when it did.
    box, until = box_of(slip(page, visit)), visit.ends_at
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] + 2 * ROW - 3, steps=6)
    page.mouse.up()
    expect(page.get_by_text("Elena Sato: session 1 lasts")).to_be_visible()
    assert (time_of(visit), visit.ends_at - until) == (was, timedelta(minutes=10))
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("back to what it was")).to_be_visible()

    drag(page, visit, 240)
    expect(page.get_by_role("heading", name="Not moved")).to_be_visible()
    for cause in ("Sam Okafor is taken", "Room 1 is taken", "Needle 1 is taken"):
        expect(page.get_by_text(cause)).to_be_visible()
    expect(page.locator("#panel .slot")).to_have_count(3)
    assert time_of(visit) == was
    # One press takes the nearest place instead.
    page.locator("#panel .slot").first.click()
    expect(page.get_by_text("Elena Sato: session 1 moved")).to_be_visible()
    assert time_of(visit) != was
    # A short press still opens the panel.
    expect(page.get_by_role("heading", name="Not moved")).not_to_be_visible()
    slip(page, other).click()
    expect(page.locator("#panel").get_by_role("link", name="Ben Ode")).to_be_visible()
    assert f"visit={other.pk}" in page.url
    assert complaints.taken() == []


def test_by_keys_alone_a_visit_is_chosen_picked_up_and_put_down(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    complaints: Complaints,
    front_desk: Staff,
    patient: Patient,
    ben: Patient,
    book: Book,
    days: Days,
) -> None:
    visit, other = book(patient, "09:30"), book(ben, "14:00")
    was = other.starts_at
    sign_in(front_desk)
    page.goto(f"{live_server}/board/?date={days.first}&cols=all")
    slip(page, visit).focus()
    page.keyboard.press("ArrowDown")
    expect(slip(page, other)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"a.slip[data-visit='{other.pk}']").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel").get_by_role("link", name="Ben Ode")).to_be_visible()
    expect(page.locator(f"a.slip[data-visit='{other.pk}']").nth(1)).to_have_attribute(
        "aria-current", "true"
    )
    page.keyboard.press("Escape")
    expect(page.locator("#panel h2")).to_have_count(0)
    expect(slip(page, other)).to_be_focused()

    # A key on the card of one visit acts on that one, whichever panel is open.
    slip(page, visit).focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#panel[data-visit='{visit.pk}']")).to_be_visible()
    slip(page, other).focus()
    page.keyboard.press("m")
    expect(page.get_by_text("Press a free start")).to_be_visible()
    # The free start that is nearest to its time of day is at hand on whatever day is looked at.
    expect(page.locator(".start button:focus")).to_have_text("14:00")
    page.keyboard.press("]")
    expect(page.locator(".start button:focus")).to_have_text("14:00")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ben Ode: session 1 moved")).to_be_visible()
    assert time_of(other) - was == timedelta(days=1, minutes=15)
    expect(slip(page, other)).to_be_focused()
    assert "pick=" not in page.url
    assert complaints.taken() == []


def test_a_press_marks_its_card_before_the_panel_is_there(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    front_desk: Staff,
    patient: Patient,
    ben: Patient,
    book: Book,
    days: Days,
) -> None:
    visit, other = book(patient, "09:30"), book(ben, "14:00")
    sign_in(front_desk)
    page.goto(f"{live_server}/board/?date={days.first}&visit={visit.pk}")
    waiting: list[Route] = []
    page.route(f"**/board/*visit={other.pk}", lambda route: waiting.append(route))
    slip(page, other).click()
    expect(slip(page, other)).to_have_attribute("aria-current", "true")
    expect(slip(page, visit)).not_to_have_attribute("aria-current", "true")
    expect(page.locator(f"#panel[data-visit='{visit.pk}']")).to_be_visible()
    expect(page.locator("#progress")).to_have_class(re.compile("htmx-request"))

    # No answer: what is marked is again what the panel tells of.
    waiting[0].abort()
    expect(slip(page, visit)).to_have_attribute("aria-current", "true")
    expect(slip(page, other)).not_to_have_attribute("aria-current", "true")


DRAW_ANEW = """() => new Promise((drawn) => {
  addEventListener("htmx:afterSettle", () => drawn(), {once: true});
  document.querySelector("#board").dispatchEvent(new Event("refresh"));
})"""


def test_the_columns_keep_their_place_when_they_are_drawn_anew(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    front_desk: Staff,
    patient: Patient,
    book: Book,
    days: Days,
) -> None:
    visit = book(patient, "16:00")
    sign_in(front_desk)
    page.set_viewport_size({"width": 1024, "height": 500})
    page.goto(f"{live_server}/board/?date={days.first}")
    page.locator(".board-scroll").evaluate("(element) => { element.scrollTop = 300; }")
    before = box_of(slip(page, visit))["y"]
    with page.expect_response(lambda answer: "/board/" in answer.url) as fresh:
        page.evaluate(DRAW_ANEW)
    assert "<html" not in fresh.value.text()
    assert box_of(slip(page, visit))["y"] == before


# Of visits as short as can be, in columns as narrow as can be: whether each shows its session.
WHOLE = """() => [...document.querySelectorAll("li > a.slip")].map((slip) => {
  slip.parentElement.style.height = "48px";
  const [all, session] = [slip, slip.querySelector(".what")].map((e) => e.getBoundingClientRect());
  return session.bottom <= all.bottom;
})"""

# Whatever is seen of a slip in a place of `width` and `height` is seen from its top to its bottom,
# and the name always. Answers what is cut.
CUT = """([width, height]) => [...document.querySelectorAll("li > a.slip")].flatMap((slip) => {
  slip.parentElement.style.cssText = `width: ${width}px; height: ${height}px`;
  const all = slip.getBoundingClientRect();
  return [...slip.querySelectorAll(".i, b, time, .what, .word, .flag")].filter((part) => {
    const { top, bottom, left, right, width } = part.getBoundingClientRect();
    if (width <= 1) return false;
    const outside = top >= all.bottom - 0.5 && part.tagName !== "B";
    const level = top >= all.top - 1 && bottom <= all.bottom + 1;
    return !outside && !(level && left >= all.left && right <= all.right);
  }).map((part) => part.textContent || part.className.baseVal);
})"""


def test_every_face_of_the_board(
    page: Page,
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    patient: Patient,
    ben: Patient,
    book: Book,
    days: Days,
    treatment_provider: Resource,
) -> None:
    visit, other = book(patient, "09:30"), book(ben, "14:00")
    Patient.objects.filter(pk=ben.pk).update(legal_family="Featherstonehaugh-Smythe")
    sign_in(manager)
    at = f"/board/?date={days.first}"
    look("board-full", f"{at}&cols=all&visit={visit.pk}")
    shown = page.evaluate(WHOLE)
    assert len(shown) >= 2
    assert all(shown), "a long name hides when, and which session it is"
    cut = {
        (width, height): parts
        for width in (76, 105, 159, 171, 200, 300)
        for height in (16, 24, 32, 48, 72, 96)
        if (parts := page.evaluate(CUT, [width, height]))
    }
    assert not cut
    look("board-week", f"{at}&view=week&of={treatment_provider.pk}", within="#board")
    look("board-pick", f"{at}&pick={visit.pk}", within="#board")
    place = f"/visits/{visit.pk}/place/"
    start = other.starts_at.strftime("%Y%m%dT%H%M")
    refused = {"version": visit.version, "start": start, "next": at}
    look("board-refused", place, refused, within="#panel")
    closed = days.first.replace(year=days.first.year + 1)
    look("board-empty", f"/board/?date={closed}&cols=rooms", within="#board")
