"""How much of their hours people, rooms and devices were in use."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.lifecycle import State
from appointments.models import Allocation, Appointment, Block
from clinic.models import OpeningHours, ProtocolVersion, Resource, Site, Staff
from clinic.wall_time import instant
from patients.models import Patient
from reminders.reporting import using
from reminders.reporting.periods import weeks_before
from tests.history import a_past_visit

pytestmark = pytest.mark.django_db

ZONE = "America/New_York"
WEEKS = weeks_before(date(2027, 3, 18), 4, ZONE)
IN, AFTER = date(2027, 2, 17), date(2027, 3, 15)
HOUR = timedelta(hours=1)


def hold(visit: Appointment, *resources: Resource) -> None:
    """A quarter of an hour before and after, as bookings hold."""
    quarter = HOUR / 4
    for resource in resources:
        Allocation.objects.create(
            resource=resource,
            appointment=visit,
            starts_at=visit.starts_at - quarter,
            ends_at=visit.ends_at + quarter,
            active=visit.state != State.CANCELLED,
        )


def shares(site: Site, protocol: str = "") -> dict[str, tuple[int, int]]:
    found = using.by_kind(site, WEEKS, protocol=protocol)
    return {bar.name: (bar.share.part, bar.share.whole) for bars in found.values() for bar in bars}


def test_what_visits_held_is_set_against_the_hours_without_blocks(
    site: Site,
    patient: Patient,
    house: ProtocolVersion,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
    manager: Staff,
    now: datetime,
) -> None:
    open_for = 4 * sum(row.closes - row.opens for row in OpeningHours.objects.filter(site=site))
    hold(a_past_visit(patient, site, house, IN), treatment_provider, room)
    hold(a_past_visit(patient, site, house, IN + timedelta(days=1), State.CANCELLED), room)
    hold(a_past_visit(patient, site, house, AFTER), room)
    before = shares(site)
    assert before["Room 1"] == (90, open_for)
    assert before["Needle 1"] == (0, open_for)
    assert before["Sam Okafor"][0] == 90 and before["Sam Okafor"][1] > 0
    assert shares(site, "something_else")["Room 1"] == (0, open_for)
    at = instant(IN, 11 * 60, ZONE)
    block = Block.objects.create(
        site=site, kind="maintenance", starts_at=at, ends_at=at + HOUR, created_at=now
    )
    Allocation.objects.create(
        resource=needling_device, block=block, starts_at=at, ends_at=at + HOUR
    )
    assert shares(site)["Needle 1"] == (0, open_for - 60)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        using.by_kind(site, WEEKS)
    assert len(asked) == 7
    assert list(using.by_kind(site, WEEKS)) == list(using.KINDS)


def test_the_page_shows_them_and_the_file_has_the_minutes(
    client: Client, manager: Staff, room: Resource, house: ProtocolVersion
) -> None:
    client.force_login(manager)
    page = client.get("/reports/").text
    assert page.count("too few to compare with") == 1 and "nothing to compare with" not in page
    for words in ("Time in use", "Room 1", "0 of 648 h"):
        assert words in page, words
    assert "Minutes in use: Room 1," in client.get("/reports/?format=csv").text
