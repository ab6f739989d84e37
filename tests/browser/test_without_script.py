"""The main acts where there is no script: a booking, a move, a visit run, an offer accepted."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from appointments import links
from appointments.charting import phrasing
from appointments.lifecycle import State
from appointments.models import Appointment, Gap, PatientLink, TreatmentSeries
from appointments.visits import booking, cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.browser.conftest import Days, Place, SignIn, a_visit_today
from tests.personas import a_patient

pytestmark = pytest.mark.django_db(transaction=True)

WEEK = timedelta(days=7)


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    phone = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}
    return {**browser_context_args, **phone}


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def test_a_series_is_booked_by_another_plan_and_a_message_is_left_out(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    front_desk: Staff,
    patient: Patient,
    house: ProtocolVersion,
) -> None:
    sign_in(front_desk)
    page.goto(f"{live_server}/series/new/")
    page.get_by_label("Name, phone or birth date").fill("sat")
    press(page, "Find")
    page.get_by_label("Elena Sato").check()
    page.get_by_label("RF microneedling").first.check()
    page.get_by_label("Face").first.check()
    press(page, "Propose dates")
    page.get_by_role("link", name="Ask later").click()
    first = page.locator("#session-1 .date").inner_text()
    page.get_by_role("button", name="Plan 2").click()
    expect(page.locator("#session-1 .date")).not_to_have_text(first)
    chosen = page.locator("#session-1 .date time").first.get_attribute("datetime")
    page.locator("[name=skip]:not(:checked)").first.check()
    press(page, "Book 3 visits")
    expect(page.get_by_role("heading", name="3 visits booked")).to_be_visible()
    series = TreatmentSeries.objects.get(patient=patient)
    assert series.skips.exists()
    starts = series.appointments.get(session=1).starts_at
    assert starts.strftime("%Y-%m-%dT%H:%M:%SZ") == chosen


def test_a_visit_is_moved_and_the_series_follows(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    front_desk: Staff,
    site: Site,
    patient: Patient,
    house: ProtocolVersion,
    place: Place,
    days: Days,
) -> None:
    series = booking.book_series(
        patient=patient,
        site=site,
        version=house,
        areas=["face"],
        visits=[place(days.first), place(days.second), place(days.third)],
        by=front_desk,
        now=timezone.now(),
    )
    second, third = series.appointments.filter(session__gt=1).order_by("session")
    sign_in(front_desk)
    page.goto(f"{live_server}/visits/{second.pk}/")
    page.get_by_role("link", name="Move").click()
    page.get_by_label("Date", exact=True).fill(str(days.second + 2 * WEEK))
    page.get_by_label("Time at").fill("11:00")
    page.get_by_label("Time at").press("Enter")
    expect(page.get_by_role("heading", name="the series follows")).to_be_visible()
    press(page, "Move 2 visits")
    expect(page.locator(".toast")).to_contain_text("2 visits moved.")
    third.refresh_from_db()
    assert third.starts_at >= second.starts_at + 5 * WEEK
    press(page, "Undo")
    expect(page.locator(".toast")).to_contain_text("2 visits back to what they were.")


def test_a_provider_runs_a_visit_and_puts_a_phrase_into_its_log(
    page: Page,
    live_server: object,
    sign_in: SignIn,
    provider: Staff,
    manager: Staff,
    site: Site,
    patient: Patient,
    house: ProtocolVersion,
    place: Place,
) -> None:
    visit = a_visit_today(patient, site, house, place, by=manager, now=timezone.now())
    phrasing.add(site=site, text="Cooled.", by=provider, now=timezone.now())
    sign_in(provider)
    page.goto(f"{live_server}/day/")
    page.get_by_role("link", name="Elena Sato").click()
    for act, word in (("Check in", "Arrived"), ("Start", "In treatment"), ("Complete", "Done")):
        page.get_by_role("button", name=act).first.click()
        expect(page.locator(".page-head .chip.status")).to_have_text(word)
    visit.refresh_from_db()
    assert visit.state == State.DONE
    page.goto(f"{live_server}/log/{visit.pk}/")
    page.get_by_label("Note").fill("Calm.")
    press(page, "Cooled.")
    expect(page.get_by_label("Note")).to_have_value("Calm. Cooled.")
    assert visit.record.document["note"] == "Calm. Cooled."


def test_a_patient_accepts_an_offer_by_its_link(
    page: Page,
    live_server: object,
    front_desk: Staff,
    site: Site,
    patient: Patient,
    house: ProtocolVersion,
    place: Place,
    days: Days,
) -> None:
    now = timezone.now()
    noor = a_patient(site, front_desk, now, given="Noor", phone="+12125550187")

    def book(who: Patient, *visits: Any) -> list[Appointment]:
        made = booking.book_series(
            patient=who,
            site=site,
            version=house,
            areas=["face"],
            visits=visits,
            by=front_desk,
            now=now,
        )
        return list(made.appointments.order_by("session"))

    (given_back,) = book(patient, place(days.first))
    sooner, later = book(noor, place(days.first + 3 * WEEK), place(days.first + 9 * WEEK))
    cancelling.cancel(appointment=given_back, by=front_desk, now=now)
    entry = entries.add(target=EarlierVisit(sooner), by=front_desk, now=now)
    offer = offering.offer(gap=Gap.objects.get(), entries=[entry], by=front_desk, now=now)
    token, link = links.prepare(
        patient_id=noor.pk,
        appointment=None,
        now=now,
        purpose=PatientLink.Purpose.OFFER,
        invitation_id=offer.invitations.get().pk,
    )
    link.save()
    page.goto(f"{live_server}/p/{token}/")
    expect(page.get_by_text("Your later visits move along")).to_be_visible()
    press(page, "Take this time")
    expect(page.get_by_role("heading", name="This time is yours")).to_be_visible()
    sooner.refresh_from_db()
    later.refresh_from_db()
    assert sooner.starts_at == given_back.starts_at
    assert later.starts_at < place(days.first + 9 * WEEK).starts_at
