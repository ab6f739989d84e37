"""The figures against rows that were made one by one, and who may see them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.lifecycle import State
from appointments.models import Appointment
from clinic.models import ProtocolVersion, Site, Staff
from clinic.wall_time import instant
from patients.models import Patient
from reminders.catalogue import Kind
from reminders.models import Message
from reminders.reporting import measuring
from reminders.reporting.figures import Share
from reminders.reporting.periods import weeks_before
from tests.history import a_past_visit

pytestmark = pytest.mark.django_db

ZONE = "America/New_York"
TODAY = date(2027, 3, 18)
Seen = Callable[..., Appointment]


@pytest.fixture
def seen(site: Site, patient: Patient, house: ProtocolVersion) -> Seen:
    return partial(a_past_visit, patient, site, house)


def figures(site: Site, protocol: str = "") -> dict[str, tuple[Share, Share]]:
    report = measuring.report(site, weeks_before(TODAY, 4, ZONE), protocol=protocol)
    return {each.name: (each.now, each.before) for each in report.figures}


# The four weeks before 15 March, and the four before those.
NOW, BEFORE = date(2027, 2, 17), date(2027, 1, 20)


def test_no_shows_are_counted_among_what_was_due(seen: Seen, site: Site) -> None:
    for _ in range(3):
        seen(NOW)
    seen(NOW, State.NO_SHOW)
    seen(NOW, State.CANCELLED)
    seen(BEFORE, State.NO_SHOW)
    assert figures(site)["No-shows"] == (Share(1, 4), Share(1, 1))


def test_the_first_and_the_last_instant_of_the_weeks_count_and_none_beyond(
    seen: Seen, site: Site
) -> None:
    for day in (date(2027, 2, 15), date(2027, 3, 14)):
        seen(day)
    seen(date(2027, 3, 15))
    seen(date(2027, 1, 17))
    assert figures(site)["No-shows"] == (Share(0, 2), Share(0, 0))


def test_who_left_with_the_next_visit_booked(seen: Seen, site: Site) -> None:
    first = seen(NOW, sessions=2)
    seen(date(2027, 3, 20), State.BOOKED, series=first.series, session=2, booked=NOW)
    late = seen(NOW, sessions=2)
    booked = NOW + timedelta(days=3)
    seen(date(2027, 3, 20), State.BOOKED, series=late.series, session=2, booked=booked)
    seen(NOW, sessions=2)  # nothing more is booked
    seen(NOW, sessions=1)  # nothing more is due
    assert figures(site)["Rebooked when they left"][0] == Share(1, 3)


def test_series_that_ended_count_by_how(seen: Seen, site: Site, house: ProtocolVersion) -> None:
    seen(NOW, ended="completed")
    seen(NOW, ended="ended")
    seen(NOW)
    assert figures(site)["Series completed"][0] == Share(1, 2)
    report = measuring.report(site, weeks_before(TODAY, 4, ZONE))
    assert [(bar.name, bar.share) for bar in report.by_protocol] == [(house.name, Share(1, 2))]


def test_messages_that_reached_nobody_count_among_those_that_were_sent(
    site: Site, patient: Patient
) -> None:
    at = instant(NOW, 12 * 60, ZONE)
    for number, state in enumerate(("sent", "delivered", "undelivered", "failed", "skipped")):
        Message.objects.create(
            key=f"report-{number}",
            reference=uuid4(),
            patient=patient,
            site=site,
            kind=Kind.CHECKIN,
            channel="sms",
            purpose="care",
            priority=5,
            due_at=at,
            expires_at=at + timedelta(days=1),
            state=state,
            reason="bad_number" if state in ("undelivered", "failed", "skipped") else "",
            accepted_at=at if state in ("sent", "delivered", "undelivered") else None,
            delivered_at=at if state == "delivered" else None,
            closed_at=None if state == "sent" else at,
            created_at=at,
        )
    assert figures(site)["Messages that failed"][0] == Share(2, 4)
    report = measuring.report(site, weeks_before(TODAY, 4, ZONE))
    assert [(bar.name, bar.share) for bar in report.by_kind] == [("checkin", Share(2, 4))]


def test_only_the_asked_protocol_and_site_count(
    seen: Seen, site: Site, other_site: Site, house: ProtocolVersion
) -> None:
    seen(NOW)
    assert figures(site, house.protocol)["No-shows"][0] == Share(0, 1)
    assert figures(site, "another")["No-shows"][0] == Share(0, 0)
    assert figures(other_site)["No-shows"][0] == Share(0, 0)


def test_ten_times_the_rows_cost_no_more_queries(seen: Seen, site: Site) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            figures(site)
        return len(captured)

    seen(NOW)
    before = asked()
    for _ in range(9):
        seen(NOW, ended="completed")
    assert asked() == before


# --- The page -------------------------------------------------------------------------------------


@pytest.fixture
def at_work() -> object:
    moment: datetime = instant(TODAY, 9 * 60, ZONE)
    with time_machine.travel(moment, tick=False):
        yield moment


def test_the_page_tells_shares_with_their_numbers(
    at_work: object, client: Client, manager: Staff, seen: Seen
) -> None:
    for _ in range(9):
        seen(NOW)
    seen(NOW, State.NO_SHOW)
    client.force_login(manager)
    page = client.get("/reports/?weeks=4").content.decode()
    assert "10.0%" in page and "1 of 10" in page
    assert "too few" in page
    assert client.get("/reports/?weeks=nine&protocol=%00").status_code == 200


def test_the_numbers_leave_as_a_file(
    at_work: object, client: Client, manager: Staff, seen: Seen
) -> None:
    seen(NOW, State.NO_SHOW)
    client.force_login(manager)
    answer = client.get("/reports/?weeks=4&format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert "No-shows,2027-02-15,1,1" in answer.content.decode()


def test_a_month_is_told_beside_the_one_before_and_as_a_file(
    at_work: object, client: Client, manager: Staff, seen: Seen
) -> None:
    for day in (date(2027, 2, 1), date(2027, 2, 28)):
        seen(day, State.NO_SHOW)
    for day in (date(2027, 1, 31), date(2027, 3, 1)):
        seen(day)
    client.force_login(manager)
    page = client.get("/reports/?month=2027-02").content.decode()
    assert "2 of 2; before 0 of 1." in page and "beside January 2027" in page
    assert "month=2027-01" in page and "month=2027-03" in page
    rows = client.get("/reports/?month=2027-02&format=csv").content.decode()
    assert "No-shows,2027-02-01,1,1" in rows and "No-shows,2027-02-22,1,1" in rows
    newest = client.get("/reports/?month=2027-03").content.decode()
    assert "month=2027-04" not in newest and "Mon 1 Mar – Wed 17 Mar" in newest


@pytest.mark.parametrize(
    ("asked", "said"),
    [("month=2027-04", "such as 2027-03"), ("month=x", "2027-03"), ("weeks=5", "4, 12, 26")],
)
def test_what_cannot_be_read_says_what_to_ask_for_and_is_no_file(
    at_work: object, client: Client, manager: Staff, site: Site, asked: str, said: str
) -> None:
    client.force_login(manager)
    answer = client.get(f"/reports/?{asked}&format=csv")
    assert answer["Content-Type"].startswith("text/html") and said in answer.content.decode()


def test_neither_the_front_desk_nor_an_outsider_nor_nobody_sees_them(
    at_work: object, client: Client, front_desk: Staff, outsider: Staff, site: Site
) -> None:
    assert client.get("/reports/").status_code == 302
    client.force_login(front_desk)
    refused = client.get("/reports/")
    assert refused.status_code == 403 and "manager" in refused.content.decode()
    client.force_login(outsider)
    assert client.get(f"/reports/?site={site.slug}").status_code == 403
