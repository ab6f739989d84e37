"""The page of calendar feeds, and the calendars as a program reads them."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from icalendar import Calendar
from time_machine import TimeMachineFixture

from appointments.feeds import subscriptions
from appointments.models import Appointment, CalendarFeed, FeedDetail
from appointments.visits import cancelling
from clinic.models import Resource, Role, Site, Staff
from tests.api import CLOCK
from tests.clinic.views.conftest import keeps_to_the_policy
from tests.personas import provider_resource, staff_at

pytestmark = [pytest.mark.django_db, CLOCK]
PAGE = "/feeds/"


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def address(site: Site, treatment_provider: Resource, manager: Staff, now: datetime) -> str:
    token, _ = subscriptions.make(
        site=site, provider=treatment_provider, detail=FeedDetail.INITIALS, by=manager, now=now
    )
    return f"/feeds/{token}.ics"


# --- The page -------------------------------------------------------------------------------------


def test_a_manager_makes_a_feed_and_sees_its_address_this_once(
    site: Site, manager: Staff, treatment_provider: Resource, visits: list[Appointment]
) -> None:
    client = signed_in(manager)
    assert "No feeds yet" in client.get(PAGE).content.decode()
    answer = client.post(PAGE, {"whose": treatment_provider.pk, "detail": "initials"})
    html = answer.content.decode()
    found = re.search(r'value="http[^"]*(/feeds/[\w-]{20,}\.ics)"', html)
    assert found and answer.headers["Cache-Control"] == "no-store"
    assert 'href="webcal://' in html and "shown this once" in html
    keeps_to_the_policy(answer)
    assert Client().get(found[1]).status_code == 200
    later = client.get(PAGE).content.decode()
    assert found[1] not in later and "Sam Okafor" in later


def test_a_manager_makes_the_feed_of_the_whole_site(site: Site, manager: Staff) -> None:
    signed_in(manager).post(PAGE, {"whose": "site", "detail": "busy"})
    feed = CalendarFeed.objects.get()
    assert (feed.provider, feed.detail, feed.site) == (None, "busy", site)


def test_a_provider_is_offered_the_own_calendar_alone(
    site: Site, provider: Staff, treatment_provider: Resource, modality: object
) -> None:
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Ines Roth"), modality)  # type: ignore[arg-type]
    client = signed_in(provider)
    html = client.get(PAGE).content.decode()
    assert "Sam Okafor</option>" in html and "Ines Roth" not in html and "Everybody" not in html
    for whose in (other.pk, "site", "x", ""):
        refused = client.post(PAGE, {"whose": whose, "detail": "busy"})
        assert "There is a problem" in refused.content.decode()
    assert not CalendarFeed.objects.exists()


def test_the_front_desk_sees_what_is_open_and_who_makes_feeds(
    address: str, front_desk: Staff
) -> None:
    html = signed_in(front_desk).get(PAGE).content.decode()
    assert "Sam Okafor" in html and "Never" in html
    assert "Revoke<" not in html and "Make the address" not in html
    assert "managers make those of others" in html
    refused = signed_in(front_desk).post(PAGE, {"whose": "site", "detail": "busy"})
    assert CalendarFeed.objects.count() == 1 and refused.status_code == 200


def test_revoking_says_that_it_is_for_good_and_offers_no_undo(address: str, manager: Staff) -> None:
    client, feed = signed_in(manager), CalendarFeed.objects.get()
    assert "Revoking cannot be undone" in client.get(PAGE).content.decode()
    answer = client.post(f"/feeds/{feed.pk}/revoke/", follow=True)
    html = answer.content.decode()
    assert "revoked for good" in html and "No feeds yet" in html
    assert "Undo</button>" not in html
    assert Client().get(address).status_code == 404


def test_an_outsider_sees_none_of_the_feeds_and_revokes_none(
    address: str, outsider: Staff, site: Site
) -> None:
    client, feed = signed_in(outsider), CalendarFeed.objects.get()
    assert "Sam Okafor" not in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}?site={site.slug}").status_code == 403
    assert client.post(f"/feeds/{feed.pk}/revoke/").status_code == 404
    assert Client().get(address).status_code == 200


def test_the_page_is_for_who_is_signed_in_and_looking_revokes_nothing(
    address: str, manager: Staff
) -> None:
    assert Client().get(PAGE).status_code == 302
    feed = CalendarFeed.objects.get()
    assert signed_in(manager).get(f"/feeds/{feed.pk}/revoke/").status_code == 405
    assert Client().get(address).status_code == 200


def test_the_menu_of_a_staff_member_leads_here(front_desk: Staff) -> None:
    assert 'href="/feeds/"' in signed_in(front_desk).get("/preferences/").content.decode()


# --- The calendar ---------------------------------------------------------------------------------


def test_a_program_without_a_session_reads_the_calendar(
    address: str, visits: list[Appointment]
) -> None:
    answer = Client().get(address)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert not answer.cookies
    calendar = Calendar.from_ical(answer.content)
    assert isinstance(calendar, Calendar)
    host = urlsplit(settings.PUBLIC_URL).hostname
    read = {(str(each["UID"]), each.start, each.end) for each in calendar.events}
    assert read == {
        (f"visit-{visit.pk}@{host}", visit.starts_at, visit.ends_at) for visit in visits
    }
    assert Client().head(address).status_code == 200
    assert Client().post(address).status_code == 405


def test_who_has_the_content_already_is_told_so_by_etag_and_by_time(
    address: str, visits: list[Appointment], front_desk: Staff, time_machine: TimeMachineFixture
) -> None:
    whole = Client().get(address)
    time_machine.shift(timedelta(minutes=20))
    etag, since = whole.headers["ETag"], whole.headers["Last-Modified"]
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": since}):
        answer = Client().get(address, headers=headers)
        assert (answer.status_code, answer.content) == (304, b"")
        assert (answer.headers["ETag"], answer.headers["Last-Modified"]) == (etag, since)
        assert answer.headers["Cache-Control"] == "private, no-cache"
    cancelling.cancel(
        appointment=visits[0], by=front_desk, now=visits[0].booked_at + timedelta(minutes=21)
    )
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": since}):
        answer = Client().get(address, headers=headers)
        assert answer.status_code == 200 and b"STATUS:CANCELLED" in answer.content
        assert answer.headers["ETag"] != etag and answer.headers["Last-Modified"] != since


def test_an_unknown_and_a_revoked_address_are_answered_alike(
    address: str, manager: Staff, now: datetime
) -> None:
    subscriptions.revoke(feed=CalendarFeed.objects.get(), by=manager, now=now)
    revoked, unknown = Client().get(address), Client().get("/feeds/no-such-token.ics")
    assert revoked.status_code == unknown.status_code == 404
    assert revoked.content == unknown.content
    assert {**revoked.headers} == {**unknown.headers}
    assert b"revoked" in revoked.content
    assert Client().get("/feeds/%00%ff.ics").status_code == 404
