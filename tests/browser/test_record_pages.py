"""The record's pages: accessible in every size, and a draft that survives a lost connection."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from appointments.charting import amending, courses, drafting, reporting, signing
from appointments.charting.log import Log
from appointments.models import Appointment, TreatmentRecord
from appointments.visits import booking
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols.schema import Protocol
from clinic.wall_time import local
from patients.models import Patient
from tests.appointments.charting.logs import REGIONS, SESSION, a_log, with_a_map
from tests.browser.conftest import Days, Look, Place, SignIn
from tests.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mapped(
    house: ProtocolVersion, microneedling: Protocol, clinical_lead: Staff, now: Any
) -> ProtocolVersion:
    return publish(with_a_map(microneedling), instead_of=house, by=clinical_lead, now=now)


@pytest.fixture
def visits(
    site: Site,
    mapped: ProtocolVersion,
    patient: Patient,
    manager: Staff,
    place: Place,
    days: Days,
    now: Any,
) -> list[Appointment]:
    """Three sessions of face and neck: done, in treatment and booked."""
    series = booking.book_series(
        patient=patient,
        site=site,
        version=mapped,
        areas=["face", "neck"],
        visits=[place(day) for day in (days.first, days.second, days.third)],
        by=manager,
        now=now,
    )
    done, begun, booked = series.appointments.order_by("session")
    Appointment.objects.filter(pk=done.pk).update(
        state="done", done_at=now, starts_at=now - timedelta(days=28)
    )
    Appointment.objects.filter(pk=begun.pk).update(state="in_treatment", starts_at=now)
    for visit in (done, begun, booked):
        visit.refresh_from_db()
    return [done, begun, booked]


def test_the_log_and_the_providers_day(
    look: Look,
    sign_in: SignIn,
    provider: Staff,
    clinical_lead: Staff,
    visits: list[Appointment],
    now: Any,
) -> None:
    done, begun, booked = visits
    zones = ("face", "neck")
    sign_in(provider)
    look("log-not-yet", f"/log/{booked.pk}/")
    look("log-new", f"/log/{begun.pk}/")
    whole = a_log(
        zones=zones,
        depth=8.5,
        more={
            "reasons": {f"zones.{zone}.depth": "As the device asks" for zone in zones},
            "cartridge": {"code": "AX-1", "expires_on": "2031-01-31", "life": 5000},
            "products": [{"name": "Mineral SPF 50", "amount": "2 ml", "lot": "S-11"}],
            "note": "Tolerated well.",
            "regions": REGIONS,
        },
    )
    drafting.save(appointment=done, log=whole, by=provider, now=now, expected_version=0)
    look("my-day", "/my-day/")
    signing.sign(appointment=done, by=provider, now=now)
    amending.amend(
        appointment=done,
        reason="Misread the display",
        text="The depth was 1.8 mm.",
        corrections={"zones.face.depth": 1.8, "regions.brow.shots": 6},
        by=provider,
        now=now,
    )
    look("log-signed", f"/log/{done.pk}/")
    look("log-amend-refused", f"/log/{done.pk}/amend/", {"reason": ""}, ".amend")
    form = {"version": 0, "act": "copy", "treated": "face", "session.pain": "11"}
    form |= {"regions.cheeks.shots": "400", "regions.neck.shots": "9"}
    form |= {f"session.{name}": SESSION[name] for name in ("device_serial", "pins", "anaesthetic")}
    look("log-copied", f"/log/{begun.pk}/", form)
    look("log-refused", f"/log/{begun.pk}/", {**form, "version": 1, "act": "sign"})
    stale = {"version": 1, "act": "save", "treated": ["face", "neck"], "zones.face.depth": "2"}
    stale |= {"regions.cheeks.shots": "50"}
    look("log-stale", f"/log/{begun.pk}/", stale)
    drafting.take_over(appointment=begun, by=clinical_lead, now=now)
    look("log-anothers", f"/log/{begun.pk}/")
    look("log-lost", f"/log/{begun.pk}/", {**form, "version": 3}, ".notice, .panel")
    aborted = Log(session={"outcome": "aborted"}, note="Felt faint")
    record = TreatmentRecord.objects.get(appointment=begun)
    drafting.save(
        appointment=begun,
        log=aborted,
        by=clinical_lead,
        now=now,
        expected_version=record.version,
    )
    signing.sign(appointment=begun, by=clinical_lead, now=now, complete=True)
    sign_in(clinical_lead)
    look("log-aborted", f"/log/{begun.pk}/")
    look("my-day-empty", "/my-day/?all=1")


def test_adverse_events_and_the_course(
    look: Look,
    sign_in: SignIn,
    provider: Staff,
    visits: list[Appointment],
    patient: Patient,
    now: Any,
) -> None:
    done = visits[0]
    sign_in(provider)
    look("events-empty", "/events/")
    look("event-report", f"/events/new/?visit={done.pk}")
    look("event-report-refused", f"/events/new/?visit={done.pk}", {"what": ""})
    event = reporting.report(
        patient=patient,
        site=done.site,
        appointment=done,
        what="Blister on the left cheek",
        severity="moderate",
        noticed_at=now,
        areas=["face"],
        by=provider,
        now=now,
    )
    courses.score(series=done.series, kind="laxity", value=2, by=provider, now=now)
    look("events", "/events/")
    look("event", f"/events/{event.pk}/")
    look("event-close-refused", f"/events/{event.pk}/close/", {"version": 1})
    look("patient-course", f"/patients/{patient.pk}/")
    look("visit-log", f"/visits/{done.pk}/")
    reporting.close(
        event=event, outcome="resolved", conclusion="Healed", by=provider, now=timezone.now()
    )
    look("event-closed", f"/events/{event.pk}/")


def test_a_draft_saves_itself_and_survives_a_lost_connection(
    page: Page,
    context: BrowserContext,
    live_server: object,
    sign_in: SignIn,
    provider: Staff,
    visits: list[Appointment],
    site: Site,
) -> None:
    begun, status = visits[1], page.locator("#saved")

    def kept() -> Any:
        return TreatmentRecord.objects.get(appointment=begun).document["session"]

    sign_in(provider)
    page.goto(f"{live_server}/log/{begun.pk}/")
    page.get_by_label("Pain 0–10").fill("4")
    expect(status).to_contain_text("Saved ")
    assert kept()["pain"] == 4
    context.set_offline(True)
    page.get_by_label("Pain 0–10").fill("6")
    expect(status).to_contain_text("Kept on this device")
    assert kept()["pain"] == 4
    # The tablet is closed and opened again, and there is a connection.
    page.goto("about:blank")
    context.set_offline(False)
    page.goto(f"{live_server}/log/{begun.pk}/")
    expect(page.get_by_label("Pain 0–10")).to_have_value("6")
    hours = {f"{local(at, site.zone):%H}" for at in (begun.starts_at, timezone.now())}
    expect(status).to_contain_text(re.compile(f"Saved ({'|'.join(hours)}):"))
    assert kept()["pain"] == 6
    assert page.evaluate("Object.keys(localStorage)") == []
    # Somebody else saved meanwhile: nothing is overwritten, and one press shows both.
    record = TreatmentRecord.objects.get(appointment=begun)
    drafting.save(
        appointment=begun,
        log=a_log(zones=("face", "neck"), pain=2),
        by=provider,
        now=begun.starts_at,
        expected_version=record.version,
    )
    page.get_by_label("Pain 0–10").fill("7")
    expect(page.locator("#unsaved")).to_contain_text("Press “Save draft” to see them")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-path='session.pain'] .stored")).to_contain_text("2")
    expect(page.get_by_label("Pain 0–10")).to_have_value("7")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".toast")).to_contain_text("the draft is saved")
    assert kept()["pain"] == 7
    # A region of the face leads to its line, and what is typed there grows the totals.
    page.get_by_role("link", name="Cheeks").click()
    expect(page.get_by_label("Cheeks: Pulses there")).to_be_focused()
    page.keyboard.type("31")
    page.get_by_label("Neck: Pulses there").fill("9")
    expect(page.locator("tfoot")).to_contain_text("40")
    expect(page.get_by_role("link", name="Cheeks 31")).to_be_visible()
