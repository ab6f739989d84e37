"""A protocol being written, the reports, and writing to who is due: looked at in every size."""

from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from appointments.models import AdverseEvent, Task
from appointments.visits import booking
from clinic import site_settings
from clinic.models import ProtocolDraft, ProtocolVersion, Site, SiteRole, Staff
from clinic.protocols import drafting, loading
from clinic.wall_time import local
from patients.models import Patient
from reminders.views.site_settings_form import written
from tests.browser.conftest import Days, Look, Place, SignIn
from tests.history import DAY, a_past_visit
from tests.personas import a_patient

REFUSED = ".error-summary, .field.error"

pytestmark = pytest.mark.django_db(transaction=True)


def test_pages_of_the_lead_and_the_desk(
    page: Page,
    live_server: object,
    look: Look,
    sign_in: SignIn,
    manager: Staff,
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    place: Place,
    days: Days,
    now: datetime,
) -> None:
    SiteRole.objects.create(staff=manager, site=site, role="clinical_lead")
    loading.load_library(now=now)
    base = ProtocolVersion.objects.get(protocol="ipl")
    drafting.begin(base=base, by=manager, now=now)
    day = local(now, site.zone).date() - 30 * DAY
    due = a_past_visit(patient, site, house, day, sessions=3)
    other = a_patient(
        site, manager, now, given="Omar", family="Diaz", phone="+12125550188", email=""
    )
    a_past_visit(other, site, house, day, sessions=3)
    AdverseEvent.objects.create(
        patient=other, site=site, areas=["face"], what="Blister", severity="mild", noticed_at=now,
        reported_at=now, reported_by=manager,
    )  # fmt: skip
    sign_in(manager)
    page.goto(f"{live_server}/protocols/{house.protocol}/{house.version}/")
    page.get_by_role("link", name="Sources (").click()
    expect(page.locator(".evidence a").first).to_be_visible()
    look("protocol-draft", "/protocols/ipl/draft/")
    draft = ProtocolDraft.objects.get()
    text = draft.text.replace('min = "P21D"', 'min = "P21"').replace('code = "IP"', "code = IP")
    wrong = {"text": text, "revision": draft.revision, "publish": ""}
    look("protocol-draft-wrong", "/protocols/ipl/draft/", wrong, within=".drafting")
    draft.refresh_from_db()
    drafting.take_back(draft=draft, seen=draft.revision, by=manager, now=now)
    look("protocol-draft-rows", "/protocols/ipl/draft/steps/", within=".drafting")
    page.goto(f"{live_server}/protocols/ipl/draft/series/")
    page.get_by_label("Usual number of sessions").fill("9")
    # The picture and what is wrong follow as one types; nothing is kept by that.
    page.get_by_label("Unit of Ideal").select_option("weeks")
    page.get_by_text("Must be “Least” ≤ “Ideal” ≤ “Longest”").first.wait_for()
    page.get_by_role("button", name="Save and check").click()
    page.get_by_text("are to be mended here").wait_for()
    look("protocol-draft-form", within=".drafting")
    look("reports", "/reports/")
    look("recall", "/recall/")
    look("recall-write", f"/recall/write/?series={due.series_id}")
    for number, whose in enumerate((patient, patient, other, None)):
        Task.objects.create(
            key=f"t{number}", site=site, patient=whose, kind="call", title="Call about the skin",
            detail="Ask how it heals.", due_at=now, created_at=now,
        )  # fmt: skip
    look("tasks", "/tasks/")
    look("patients", "/patients/?series=open&flag=no_visit")
    look("patients-none", "/patients/?series=ended", within="#found")
    booking.book_series(
        patient=patient, site=site, version=house, areas=["face"],
        visits=[place(days.first)], by=manager, now=now,
    )  # fmt: skip
    look("settings", "/settings/")
    changes = {
        "clearance_from": local(now, site.zone).date().isoformat(),
        "seen_clearance_from": "",
    }
    standing = site_settings.settings_of(site, by=manager)
    shown = {name: written(value, site.zone) for name, value in standing.items()}
    sent = shown | {f"seen_{name}": value for name, value in shown.items()} | changes
    look("settings-effect", "/settings/", sent, ".notice.warn")
    look("settings-refused", "/settings/", sent | {"phone": "5"}, REFUSED)
