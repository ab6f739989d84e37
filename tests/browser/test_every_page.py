"""Every page of planning, full, empty and refused: accessible, quiet, and no wider than a phone."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from appointments.absences import blocks
from appointments.claiming import holding
from appointments.feeds import subscriptions
from appointments.importing import working
from appointments.models import (
    Appointment,
    BlockKind,
    FeedDetail,
    Gap,
    Hold,
    WaitlistEntry,
)
from appointments.visits import cancelling, locking
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit
from appointments.waitlist.wishes import Wishes
from clinic import closures, exceptional_hours
from clinic.durations import Duration
from clinic.models import ProtocolVersion, Resource, Site, Staff
from clinic.protocols.schema import Protocol
from patients.models import Patient
from reminders.views.book_series.draft import written
from tests.browser.conftest import DAY, REFUSED, WEEK, Book, Days, Look, Place, SignIn
from tests.browser.looking import follow
from tests.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)


SAMPLES = Path(__file__).parents[2] / "docs" / "samples"


# --- Booking --------------------------------------------------------------------------------------


def test_booking_a_series(
    page: Page,
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    front_desk: Staff,
    site: Site,
    house: ProtocolVersion,
    patient: Patient,
    people: dict[str, Patient],
    ada: list[Appointment],
    place: Place,
    days: Days,
) -> None:
    sign_in(manager)
    look("book-empty", "/series/new/")
    look("book-found", f"/series/new/?find=a&patient={patient.pk}")
    asked = f"patient={patient.pk}&protocol={house.pk}&area=face"
    look("book-missing", f"/series/new/dates/?{asked[:10]}&sessions=3")
    look("book-screening", f"/series/new/screening/?{asked}&sessions=3")
    page.goto(page.url.split("/series")[0] + f"/series/new/dates/?{asked}&sessions=3")
    expect(page.get_by_text("Held for you until")).to_be_visible()
    look("plan-held")
    page.get_by_role("button", name="Change session 2").click()
    expect(page.locator("#session-2 .slots button").first).to_be_visible()
    look("plan-change", within="#session-2")
    Hold.objects.update(expires_at=timezone.now())
    shown = page.locator("[data-release]").get_attribute("data-release") or ""
    page.evaluate("(url) => htmx.ajax('GET', url, '#hold')", shown.removesuffix("release/"))
    expect(page.get_by_text("No longer held")).to_be_visible()
    look("plan-hold-ran-out", within="#hold")
    holding.hold_plan(
        patient=people["zoe"],
        site=site,
        version=house,
        areas=["face"],
        visits=[place(days.second + WEEK)],
        by=front_desk,
        now=timezone.now(),
    )
    mine = f"{asked}&sessions=1&visit={written(place(days.second + WEEK))}"
    page.goto(page.url.split("/series")[0] + f"/series/new/dates/?{mine}")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    look("plan-hold-refused", within="#hold")
    over = {
        "patient": patient.pk,
        "protocol": house.pk,
        "area": "face",
        "sessions": 1,
        "visit": written(place(days.first, "14:15")),
    }
    refused = ".error-summary, #session-1, .split > .stack > .panel"
    look("plan-taken", "/series/new/book/", over, refused)
    look("plan-overlap", "/series/new/book/", {**over, "overlap": "1"}, refused)
    never = "weekday=6&earliest=17:00&only=1"
    look("plan-none", f"/series/new/dates/?{asked}&sessions=3&{never}", within="#plan")
    look("booked", f"/series/{ada[0].series_id}/booked/")
    look("day-with-hold", f"/day/?date={days.second + WEEK}")


# --- Visits that stand ----------------------------------------------------------------------------


def test_changing_what_is_booked(
    page: Page,
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    clinical_lead: Staff,
    house: ProtocolVersion,
    microneedling: Protocol,
    people: dict[str, Patient],
    book: Book,
    elena: list[Appointment],
    ada: list[Appointment],
    place: Place,
    days: Days,
    now: datetime,
) -> None:
    sign_in(manager)
    (over,) = book(
        people["zoe"], place(days.first, "10:30"), overlap=True, override_reason="Sam agreed"
    )
    locking.lock(appointment=ada[2], by=manager, now=now)
    look("visit", f"/visits/{elena[0].pk}/")
    look("visit-screening", f"/visits/{elena[0].pk}/screening/")
    look("visit-over-another", f"/visits/{over.pk}/")
    look("day-with-overlap", f"/day/?date={days.first}")
    move = f"/visits/{ada[0].pk}/move/"
    look("move", move)
    look("move-unreadable-day", f"{move}?day=31.12.2026")
    typed = {"version": ada[0].version, "day": days.first, "time": "10:15"}
    look("move-taken", move, typed, ".error-summary, #choose .panel")
    soon = {"version": 1, "day": days.first + DAY, "time": "15:00"}
    look("move-too-early", f"/visits/{ada[1].pk}/move/", soon, ".error-summary")
    later = {"version": elena[1].version, "place": written(place(days.second + 2 * WEEK))}
    look("ripple", f"/visits/{elena[1].pk}/move/", later)
    look("swap", f"/visits/{elena[0].pk}/swap/?day={days.first}")
    look("swap-empty", f"/visits/{elena[0].pk}/swap/?day=soon")
    series = elena[0].series_id
    look("end", f"/series/{series}/end/")
    look("end-without-reason", f"/series/{series}/end/", {"reason": ""}, REFUSED)
    look("next", f"/series/{over.series_id}/next/?day=soon")
    look("patient", f"/patients/{elena[0].series.patient_id}/")
    publish(_longer(microneedling), instead_of=house, by=clinical_lead, now=now)
    look("migrate", f"/series/{series}/migrate/")
    look("migrate-locked", f"/series/{ada[0].series_id}/migrate/")


def _longer(protocol: Protocol) -> Protocol:
    """Every area takes a quarter of an hour more."""
    areas = {
        name: replace(area, chair=Duration(seconds=(area.chair.minutes + 15) * 60))
        for name, area in protocol.applicability.areas.items()
    }
    return replace(
        protocol, version="99.0.0", applicability=replace(protocol.applicability, areas=areas)
    )


# --- The clinic itself ----------------------------------------------------------------------------


def test_blocks_hours_settings_and_feeds(
    page: Page,
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    site: Site,
    elena: list[Appointment],
    ada: list[Appointment],
    needling_device: Resource,
    second_device: Resource,
    treatment_provider: Resource,
    place: Place,
    days: Days,
    now: datetime,
) -> None:
    sign_in(manager)
    for label in ("blocks", "hours", "feeds"):
        look(f"{label}-empty", f"/{label}/")
    block = blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.MAINTENANCE,
        starts_at=place(days.first, "07:00").starts_at,
        ends_at=place(days.first, "12:00").starts_at,
        reason="Handpiece is being repaired",
        over_visits=True,
        by=manager,
        now=now,
    )
    away = blocks.block(
        site=site,
        resources=[treatment_provider],
        kind=BlockKind.TIME_OFF,
        starts_at=place(days.first, "13:00").starts_at,
        ends_at=place(days.first, "18:00").starts_at,
        over_visits=True,
        by=manager,
        now=now,
    )
    exceptional_hours.set_day(
        site=site,
        day=days.second,
        stretches=[(720, 1080)],
        reason="Inspection",
        by=manager,
        now=now,
    )
    exceptional_hours.set_day(
        site=site,
        provider=treatment_provider,
        day=days.second + DAY,
        stretches=[],
        by=manager,
        now=now,
    )
    closed = closures.close(
        site=site,
        first_day=days.third + DAY,
        last_day=days.third + 3 * DAY,
        reason="Public holiday",
        by=manager,
        now=now,
    )
    subscriptions.make(site=site, provider=None, detail=FeedDetail.BUSY, by=manager, now=now)
    look("blocks", "/blocks/")
    form = {"resources": second_device.pk, "kind": "maintenance", "starts_day": "soon"}
    look("blocks-refused", "/blocks/", form, REFUSED)
    look("block", f"/blocks/{block.pk}/")
    look("block-away", f"/blocks/{away.pk}/")
    look("hours", "/hours/")
    look("hours-refused", "/hours/", {"whose": "site", "day": days.second}, REFUSED)
    on = f"/hours/{site.slug}/{days.second}/site/"
    look("hours-day", on)
    stale = {"hours": "these", "first_from": "10:00", "first_until": "", "seen": "0"}
    look("hours-day-refused", on, {**stale, "hours": "other"}, REFUSED)
    look("hours-day-stale", on, {"hours": "none", "seen": "0"}, ".notice.warn")
    look("hours-day-usual", f"/hours/{site.slug}/{days.first}/{treatment_provider.pk}/")
    look("closure", f"/hours/closures/{closed.pk}/")
    look("scheduling", "/scheduling/")
    settings = dict.fromkeys(_SETTINGS, "1")
    wrong = {**settings, "hold_minutes": "61", "late": "much"}
    look("scheduling-refused", "/scheduling/", wrong, REFUSED)
    seen = {f"seen_{name}": "7" for name in _SETTINGS}
    look("scheduling-stale", "/scheduling/", {**settings, **seen, "late": "3"}, ".notice.warn")
    look("feeds-made", "/feeds/", {"whose": treatment_provider.pk, "detail": "initials"})
    page.goto(page.url.split("/feeds")[0] + f"/blocks/{block.pk}/")
    page.get_by_role("button", name="Move all that are ticked").click()
    expect(page.get_by_text("1 visit moved.")).to_be_visible()
    look("block-moved")


_SETTINGS = (
    *("hold_minutes", "offer_minutes", "early", "late", "other_provider", "other_weekday"),
    *("off_time", "most_off_time", "finish", "device_load", "idle_gap", "usable_minutes"),
    *("unchanged", "notice_hours"),
)


# --- The wait-list --------------------------------------------------------------------------------


def test_the_wait_list(
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    site: Site,
    house: ProtocolVersion,
    people: dict[str, Patient],
    elena: list[Appointment],
    book: Book,
    place: Place,
    days: Days,
) -> None:
    sign_in(manager)
    look("waitlist-empty", "/waitlist/")
    gaps: list[Gap] = []
    for number, key in enumerate(("omar", "ines", "zoe")):
        (visit,) = book(people[key], place(days.first + WEEK, f"{10 + 2 * number}:00"))
        cancelling.cancel(appointment=visit, by=manager, now=timezone.now())
        gaps.append(Gap.objects.latest("pk"))
    noor, _ = book(people["noor"], place(days.first + 3 * WEEK), place(days.first + 9 * WEEK))
    waiting: list[WaitlistEntry] = []
    for target, wishes in (
        (EarlierVisit(noor), Wishes(priority=2, note="Wedding in spring")),
        (FirstVisit(people["ben"], site, house, ("face",)), Wishes(latest=780)),
        (FirstVisit(people["ada"], site, house, ("face",)), Wishes(weekdays=(0,))),
    ):
        waiting.append(entries.add(target=target, wishes=wishes, by=manager, now=timezone.now()))
    look("waitlist-matches", f"/waitlist/?gap={gaps[0].pk}")
    look("waitlist-nobody", f"/waitlist/?gap={gaps[2].pk}", within=".panes")
    offering.offer(
        gap=gaps[0],
        entries=waiting[:2],
        by=manager,
        now=timezone.now(),
    )
    book(people["zoe"], place(days.first + WEEK, "12:00"))
    look("waitlist-offered", f"/waitlist/?gap={gaps[0].pk}", within=".panes")
    look("waitlist-taken", f"/waitlist/?gap={gaps[1].pk}", within=".panes")
    look("waitlist-choose", f"/waitlist/add/?patient={elena[0].series.patient_id}")
    add = f"/waitlist/add/?patient={people['ines'].pk}&protocol={house.pk}&site={site.slug}"
    look("waitlist-add", add)
    wrong = {"earliest": "14:00", "latest": "09:00", "first_day": "soon"}
    look("waitlist-add-refused", add, wrong, REFUSED)
    look("waitlist-change", f"/waitlist/entries/{waiting[2].pk}/")


# --- Cut-over -------------------------------------------------------------------------------------


def test_an_import(
    page: Page,
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    site: Site,
    house: ProtocolVersion,
    settings: Settings,
    tmp_path: Path,
) -> None:
    settings.PRIVATE_ROOT = tmp_path
    sign_in(manager)
    look("imports-empty", "/imports/")
    page.set_input_files("input[type=file]", SAMPLES / "patients.csv")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("button", name="Check the file")).to_be_visible()
    look("import-columns")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_label("Last name").select_option("given")
    follow(page.get_by_role("button", name="Check the file"))
    look("import-columns-refused", within=REFUSED)
    page.get_by_label("Last name").select_option("family")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    look("import-checking")
    working.work(clock=timezone.now)
    # The page that waits comes to it by itself.
    expect(page.get_by_role("button", name="Import 4 rows")).to_be_visible(timeout=15_000)
    look("import-checked")
    page.get_by_role("button", name="Import 4 rows").click()
    working.work(clock=timezone.now)
    expect(page.get_by_text("New patients 4")).to_be_visible(timeout=15_000)
    look("import-done")
    look("imports", "/imports/")
    look("keeping-records", "/retention/")
