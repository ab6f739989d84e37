"""For how long records are kept is decided by managers, dated, and never changed afterwards."""

from contextlib import nullcontext
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from clinic import retention
from clinic.access import Forbidden
from clinic.models import AuditEntry, RecordRetention, Site, Staff
from clinic.retention import RetentionRefused
from tests.api import CLOCK, api, refused

pytestmark = [pytest.mark.django_db, CLOCK]

ASKED = {"begins_on": "2027-02-15", "years": 6, "basis": "8 NYCRR 29.2"}


def test_what_is_in_force_is_the_latest_that_has_begun(
    site: Site, manager: Staff, now: datetime
) -> None:
    assert retention.years_at([site.pk], on=now.date()) == {site.pk: retention.DEFAULT_YEARS}
    for day, years in ((date(2027, 2, 15), 6), (date(2028, 1, 1), 8)):
        retention.decide(site=site, begins_on=day, years=years, basis="A law", by=manager, now=now)
    found = {
        on: retention.years_at([site.pk], on=on)[site.pk]
        for on in (date(2027, 2, 14), date(2027, 2, 15), date(2027, 12, 31), date(2028, 1, 1))
    }
    assert list(found.values()) == [retention.DEFAULT_YEARS, 6, 6, 8]


def test_it_begins_today_on_the_clock_of_the_clinic_or_later(site: Site, manager: Staff) -> None:
    evening = datetime(2027, 2, 16, 2, tzinfo=UTC)
    for day, is_past in ((date(2027, 2, 14), True), (date(2027, 2, 15), False)):
        with pytest.raises(RetentionRefused, match="later day") if is_past else nullcontext():
            retention.decide(
                site=site, begins_on=day, years=6, basis="A law", by=manager, now=evening
            )


def test_it_is_decided_on_the_page_and_through_the_api(
    site: Site, manager: Staff, front_desk: Staff, outsider: Staff, client: Client, now: datetime
) -> None:
    client.force_login(manager)
    page = client.post("/retention/", {**ASKED, "years": 2})
    assert page.status_code == 422 and "Write 3 to 50 years." in page.content.decode()
    assert client.post("/retention/", ASKED).status_code == 302
    shown = client.get("/retention/").content.decode()
    assert "kept for 6 years" in shown and "8 NYCRR 29.2" in shown
    address = "/api/v1/record-retention/"
    asked = {**ASKED, "site": site.pk}
    refused(api(manager).post(address, asked), 400, "retention_refused", "begins_on")
    later = api(manager).post(address, {**asked, "begins_on": "2027-03-01"})
    assert later.status_code == 201
    listed = api(manager).get(address).json()["results"]
    assert [each["begins_on"] for each in listed] == ["2027-03-01", "2027-02-15"]
    assert AuditEntry.objects.filter(action="retention.decide", by=manager).count() == 2
    # Neither others of the site, nor of other sites, nor nobody.
    refused(api(front_desk).post(address, asked), 403, "forbidden")
    refused(api(front_desk).get(address), 403, "forbidden")
    refused(api(outsider).post(address, asked), 404, "not_found", "site")
    with pytest.raises(Forbidden):
        retention.decide(
            site=site, begins_on=now.date(), years=6, basis="A law", by=outsider, now=now
        )
    client.force_login(front_desk)
    assert client.get("/retention/").status_code == 403
    client.logout()
    assert client.get("/retention/").status_code == 302


def test_a_decision_never_changes(site: Site, manager: Staff, now: datetime) -> None:
    retention.decide(site=site, begins_on=now.date(), years=6, basis="A law", by=manager, now=now)
    for statement in ("UPDATE clinic_recordretention SET years = 3", "DELETE FROM {}"):
        for role in ("afterglow_app", "NONE"):
            with pytest.raises(DatabaseError, match=r"permission denied|never changed"):
                _run_as(role, statement.format("clinic_recordretention"))
    for wrong in ({"years": 2}, {"years": 51}, {"basis": ""}):
        row = {"site": site, "years": 6, "basis": "x", "begins_on": date(2030, 1, 1)}
        with pytest.raises(IntegrityError), transaction.atomic():
            RecordRetention.objects.create(**(row | wrong), decided_by=manager, decided_at=now)


@transaction.atomic
def _run_as(role: str, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(statement)
