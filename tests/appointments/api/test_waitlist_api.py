"""The wait-list over the API: the same acts, the same refusals, nothing for outsiders."""

from datetime import date, datetime
from typing import Any

import pytest

from appointments.models import Appointment, Gap, Invitation, TreatmentSeries, WaitlistEntry
from appointments.visits import cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, Book, Wish
from tests.personas import a_patient

pytestmark = [pytest.mark.django_db, CLOCK]

URL = "/api/v1"


@pytest.fixture
def gap(book: Book, wish: Wish, front_desk: Staff, now: datetime) -> Gap:
    visit = book(wish(FIRST)).appointments.get()
    cancelling.cancel(appointment=visit, by=front_desk, now=now)
    return Gap.objects.get()


@pytest.fixture
def noor(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")


@pytest.fixture
def entry(
    noor: Patient, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> WaitlistEntry:
    target = FirstVisit(noor, site, house, ("face",))
    return entries.add(target=target, by=front_desk, now=now)


@pytest.fixture
def invitation(gap: Gap, entry: WaitlistEntry, front_desk: Staff, now: datetime) -> Invitation:
    made = offering.offer(gap=gap, entries=[entry], by=front_desk, now=now)
    return made.invitations.get()


def post(staff: Staff, path: str, body: Any = None) -> Any:
    return api(staff).post(f"{URL}/{path}", body or {}, format="json")


def test_a_patient_is_put_on_the_list_changed_and_taken_off(
    front_desk: Staff, series: TreatmentSeries
) -> None:
    visit = series.appointments.get(session=2)
    body = {"appointment": visit.pk, "weekdays": [1, 3], "last_day": "2027-03-30", "priority": 2}
    made = post(front_desk, "waitlist/", body)
    assert made.status_code == 201
    shown = made.json()
    assert (shown["appointment"], shown["series"]) == (visit.pk, series.pk)
    assert (shown["weekdays"], shown["last_day"]) == ([1, 3], "2027-03-30")
    assert shown["asked_start"] == "2027-04-01T14:00:00Z"
    refused(post(front_desk, "waitlist/", body), 409, "already_waiting", "patient")
    changed = post(front_desk, f"waitlist/{shown['id']}/change/", {"earliest": 840})
    assert (changed.json()["earliest"], changed.json()["weekdays"]) == (840, [])
    off = post(front_desk, f"waitlist/{shown['id']}/withdraw/")
    assert off.json()["closed_as"] == "withdrawn"
    refused(post(front_desk, f"waitlist/{shown['id']}/withdraw/"), 409, "not_waiting", "entry")


def test_what_is_waited_for_is_said_once(
    front_desk: Staff, series: TreatmentSeries, noor: Patient, site: Site, house: ProtocolVersion
) -> None:
    first = {"patient": noor.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}
    refused(post(front_desk, "waitlist/", {}), 400, "invalid")
    refused(post(front_desk, "waitlist/", {"patient": noor.pk}), 400, "invalid")
    refused(post(front_desk, "waitlist/", {"series": series.pk, **first}), 400, "invalid")
    refused(
        post(front_desk, "waitlist/", {"series": series.pk}), 409, "nothing_to_wait_for", "series"
    )
    assert post(front_desk, "waitlist/", first).status_code == 201


def test_the_lists_are_filtered(front_desk: Staff, invitation: Invitation, site: Site) -> None:
    for path, count in (
        (f"waitlist/?site={site.pk}&waiting=true", 1),
        ("waitlist/?waiting=false", 0),
        ("gaps/?open=true&date=2027-03-04", 1),
        ("gaps/?date=2027-03-05", 0),
        (f"offers/?open=true&site={site.pk}", 1),
    ):
        assert api(front_desk).get(f"{URL}/{path}").json()["count"] == count, path


def test_a_gap_tells_who_matches_and_who_does_not(
    front_desk: Staff,
    gap: Gap,
    entry: WaitlistEntry,
    book: Book,
    wish: Wish,
    now: datetime,
) -> None:
    visit = book(wish(date(2027, 3, 2), "14:00")).appointments.get()
    entries.add(target=EarlierVisit(visit), by=front_desk, now=now)
    found = api(front_desk).get(f"{URL}/gaps/{gap.pk}/matches/").json()
    [match] = found["matches"]
    assert match["entry"]["id"] == entry.pk
    assert match["place"]["starts_at"] == "2027-03-04T15:00:00Z"
    assert match["reasons"]
    [other] = found["others"]
    assert other["sentence"].startswith("Comes earlier already")


def test_a_gap_is_offered_declined_taken_back_and_accepted(
    front_desk: Staff, gap: Gap, entry: WaitlistEntry, noor: Patient
) -> None:
    made = post(front_desk, f"gaps/{gap.pk}/offer/", {"entries": [entry.pk]}).json()
    assert made["expires_at"] == "2027-02-15T14:15:00Z"
    refused(
        post(front_desk, f"gaps/{gap.pk}/offer/", {"entries": [entry.pk]}),
        409,
        "being_offered",
        "offer",
    )
    back = post(front_desk, f"offers/{made['id']}/withdraw/").json()
    assert (back["closed_as"], back["invitations"][0]["answer"]) == ("withdrawn", "withdrawn")
    lost = back["invitations"][0]["id"]
    refused(post(front_desk, f"invitations/{lost}/accept/"), 409, "offer_closed", "offer")
    made = post(front_desk, f"gaps/{gap.pk}/offer/", {"entries": [entry.pk]}).json()
    won = made["invitations"][0]["id"]
    visit = post(front_desk, f"invitations/{won}/accept/").json()
    assert (visit["patient"], visit["starts_at"]) == (noor.pk, "2027-03-04T15:00:00Z")
    shown = api(front_desk).get(f"{URL}/invitations/{won}/").json()
    assert (shown["answer"], shown["appointment"]) == ("accepted", visit["id"])


def test_who_declines_is_not_matched_again(front_desk: Staff, invitation: Invitation) -> None:
    declined = post(front_desk, f"invitations/{invitation.pk}/decline/").json()
    assert declined["answer"] == "declined"
    gap = invitation.offer.gap_id
    refused(
        post(front_desk, f"gaps/{gap}/book/", {"entry": invitation.entry_id}),
        409,
        "no_match",
        "entries",
    )


def test_a_gap_is_booked_directly_dismissed_and_reopened(
    front_desk: Staff, gap: Gap, entry: WaitlistEntry
) -> None:
    assert post(front_desk, f"gaps/{gap.pk}/dismiss/").json()["closed_as"] == "dismissed"
    assert post(front_desk, f"gaps/{gap.pk}/reopen/").json()["closed_as"] == ""
    booked = post(front_desk, f"gaps/{gap.pk}/book/", {"entry": entry.pk})
    assert booked.status_code == 201
    assert Appointment.objects.get(pk=booked.json()["id"]).starts_at == gap.starts_at
    refused(post(front_desk, f"gaps/{gap.pk}/dismiss/"), 409, "gap_closed", "gap")


def test_an_outsider_sees_and_does_nothing(
    outsider: Staff,
    invitation: Invitation,
    entry: WaitlistEntry,
    noor: Patient,
    site: Site,
    house: ProtocolVersion,
) -> None:
    gap, offer = invitation.offer.gap_id, invitation.offer_id
    for path in ("waitlist/", "gaps/", "offers/"):
        assert api(outsider).get(f"{URL}/{path}").json()["count"] == 0
    for path in (
        f"waitlist/{entry.pk}/",
        f"gaps/{gap}/",
        f"gaps/{gap}/matches/",
        f"offers/{offer}/",
        f"invitations/{invitation.pk}/",
    ):
        refused(api(outsider).get(f"{URL}/{path}"), 404, "not_found")
    for path in (
        f"waitlist/{entry.pk}/change/",
        f"waitlist/{entry.pk}/withdraw/",
        f"gaps/{gap}/offer/",
        f"gaps/{gap}/book/",
        f"gaps/{gap}/dismiss/",
        f"gaps/{gap}/reopen/",
        f"offers/{offer}/withdraw/",
        f"invitations/{invitation.pk}/accept/",
        f"invitations/{invitation.pk}/decline/",
    ):
        refused(post(outsider, path), 404, "not_found")
    first = {"patient": noor.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}
    assert post(outsider, "waitlist/", first).status_code == 404
    invitation.refresh_from_db()
    assert invitation.answer == ""
