"""A plan is held while its page is open, in a real browser."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from appointments.models import Hold
from clinic.models import ProtocolVersion, Site, Staff
from clinic.wall_time import local
from patients.models import Patient
from tests.browser.conftest import Complaints
from tests.personas import PASSWORD
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_plan_is_held_while_it_is_looked_at_and_let_go_on_leaving(
    page: Page,
    live_server: object,
    complaints: Complaints,
    front_desk: Staff,
    site: Site,
    patient: Patient,
    house: ProtocolVersion,
    now: datetime,
) -> None:
    page.goto(f"{live_server}/login/")
    page.get_by_label("E-mail").fill(front_desk.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.goto(
        f"{live_server}/series/new/dates/"
        f"?patient={patient.pk}&protocol={house.pk}&area=face&sessions=2"
    )
    expect(page.get_by_text("Held for you until")).to_be_visible()
    held = Hold.objects.get()
    assert held.released_at is None
    first = held.allocations.order_by("starts_at").first()
    assert first is not None
    page.goto(f"{live_server}/patients/")
    eventually(lambda: Hold.objects.filter(released_at=None).count() == 0)
    page.go_back()
    expect(page.get_by_text("Held for you until")).to_be_visible()
    eventually(lambda: Hold.objects.filter(released_at=None).count() == 1)
    day = local(first.starts_at, site.zone).date()
    assert day > local(now, site.zone).date() - timedelta(days=1)
    assert complaints.taken() == []
    # What leaving sends is answered before the tables are emptied.
    page.goto(f"{live_server}/patients/")
    eventually(lambda: not Hold.objects.filter(released_at=None).exists())
