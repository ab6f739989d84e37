"""The wait-list as staff see it: openings, matches, offers, and who waits."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from appointments.models import (
    Appointment,
    Gap,
    Offer,
    SchedulingSettings,
    TreatmentSeries,
    WaitlistEntry,
)
from appointments.visits import cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.appointments.conftest import FIRST, Book, Wish
from tests.personas import NOW, a_patient

pytestmark = pytest.mark.django_db

ADD = "/waitlist/add/"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as travelled:
        yield travelled


@pytest.fixture
def desk(client: Client, front_desk: Staff) -> Client:
    client.force_login(front_desk)
    return client


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
    return entries.add(target=target, by=front_desk, now=now - timedelta(days=3))


def text_of(response: Any) -> str:
    return " ".join(str(response.content.decode()).split())


def test_an_empty_list_says_what_it_is_and_leads_on(desk: Client, site: Site) -> None:
    text = text_of(desk.get("/waitlist/"))
    assert "No openings" in text and "Nobody waits" in text


def test_the_opening_stands_beside_who_matches_and_why(
    desk: Client, gap: Gap, entry: WaitlistEntry
) -> None:
    assert "They have up to 15 minutes to answer" in text_of(desk.get("/waitlist/"))
    SchedulingSettings.objects.update_or_create(site=gap.site, defaults={"offer_minutes": 20})
    text = text_of(desk.get("/waitlist/"))
    assert "They have up to 20 minutes to answer" in text
    assert "Thu 4 Mar" in text and "Sam Okafor" in text
    assert "Noor Haddad" in text and "Waits for 3 days." in text
    assert "First visit" in text


def test_ticked_entries_are_offered_the_place_and_the_offer_taken_back(
    desk: Client, gap: Gap, entry: WaitlistEntry
) -> None:
    done = desk.post(f"/waitlist/gaps/{gap.pk}/offer/", {"entry": entry.pk}, follow=True)
    made = Offer.objects.get()
    text = text_of(done)
    assert "Offered to 1 patient" in text and "15 min left" in text
    Offer.objects.update(expires_at=made.expires_at + timedelta(hours=9))
    assert "Offered, 9 h 15 min left" in text_of(desk.get("/waitlist/"))
    assert "Accepts" in text
    text = text_of(desk.post(f"/waitlist/offers/{made.pk}/take-back/", follow=True))
    assert "The offer is taken back" in text
    assert "Was asked before" in text


def test_nobody_ticked_is_a_sentence_and_no_fault(
    desk: Client, gap: Gap, entry: WaitlistEntry
) -> None:
    for sent in ({}, {"entry": "x"}, {"entry": "9" * 40}):
        answer = desk.post(f"/waitlist/gaps/{gap.pk}/offer/", sent, follow=True)
        assert answer.status_code == 200
        assert "Choose 1 to 10" in text_of(answer)


def test_staff_book_for_the_patient_and_answer_for_them(
    desk: Client, gap: Gap, entry: WaitlistEntry, noor: Patient, front_desk: Staff, now: datetime
) -> None:
    made = offering.offer(gap=gap, entries=[entry], by=front_desk, now=now)
    invitation = made.invitations.get()
    text = text_of(desk.post(f"/waitlist/invitations/{invitation.pk}/decline/", follow=True))
    assert "does not want this place" in text
    assert "Did not want this place." in text
    text = text_of(desk.post(f"/waitlist/gaps/{gap.pk}/book/", {"book": entry.pk}, follow=True))
    assert "Noor Haddad: Did not want this place." in text
    made.invitations.update(answer="expired")
    text = text_of(desk.post(f"/waitlist/gaps/{gap.pk}/book/", {"book": entry.pk}, follow=True))
    assert "Noor Haddad comes on Thu 4 Mar 10:00." in text
    assert Appointment.objects.get(series__patient=noor).starts_at == gap.starts_at


def test_a_gap_is_dismissed_with_an_undo(desk: Client, gap: Gap) -> None:
    text = text_of(desk.post(f"/waitlist/gaps/{gap.pk}/dismiss/", follow=True))
    assert "is offered to nobody" in text
    assert f"/waitlist/gaps/{gap.pk}/reopen/" in text
    desk.post(f"/waitlist/gaps/{gap.pk}/reopen/")
    assert Gap.objects.open().get() == gap


def test_a_place_that_was_booked_over_is_marked(
    desk: Client, gap: Gap, book: Book, wish: Wish, noor: Patient, entry: WaitlistEntry
) -> None:
    book(wish(FIRST), patient=noor)
    assert "Taken meanwhile" in text_of(desk.get(f"/waitlist/?gap={gap.pk}"))


def test_a_patient_is_put_on_the_list_from_a_visit_with_wishes(
    desk: Client, series: TreatmentSeries
) -> None:
    visit = series.appointments.get(session=2)
    assert f"{ADD}?visit={visit.pk}" in text_of(desk.get(f"/visits/{visit.pk}/"))
    page = text_of(desk.get(f"{ADD}?visit={visit.pk}"))
    assert "Earlier than Thu 1 Apr 10:00 (session 2/3)" in page
    sent = {
        "weekdays": ["1", "3"],
        "earliest": "14:00",
        "latest": "17:30",
        "last_day": "2027-03-30",
        "notice_minutes": "240",
        "priority": "1",
        "note": "after work",
    }
    text = text_of(desk.post(f"{ADD}?visit={visit.pk}", sent, follow=True))
    entry = WaitlistEntry.objects.get()
    assert (entry.weekdays, entry.earliest, entry.latest) == ([1, 3], 840, 1050)
    assert (entry.last_day, entry.notice_minutes) == (date(2027, 3, 30), 240)
    assert "Tue, Thu · 14:00 to 17:30 · until Tue 30 Mar · 4 h notice" in text
    again = desk.post(f"{ADD}?visit={visit.pk}", sent)
    assert again.status_code == 422
    assert "on the wait-list for this already" in text_of(again)


def test_a_patient_is_put_on_the_list_for_a_first_visit(
    desk: Client, noor: Patient, house: ProtocolVersion
) -> None:
    page = text_of(desk.get(f"{ADD}?patient={noor.pk}"))
    assert f"?patient={noor.pk}&amp;protocol={house.pk}" in page
    url = f"{ADD}?patient={noor.pk}&protocol={house.pk}"
    assert desk.post(url, {"notice_minutes": "120", "priority": "0"}).status_code == 422
    desk.post(url, {"areas": ["face"], "notice_minutes": "120", "priority": "0"})
    assert WaitlistEntry.objects.get().areas == ["face"]


def test_wishes_are_changed_and_a_patient_taken_off(desk: Client, entry: WaitlistEntry) -> None:
    url = f"/waitlist/entries/{entry.pk}/"
    assert "Noor Haddad on the wait-list" in text_of(desk.get(url))
    bad = desk.post(
        url, {"earliest": "12:00", "latest": "11:00", "notice_minutes": "0", "priority": "0"}
    )
    assert bad.status_code == 422
    assert "must not lie before the earliest" in text_of(bad)
    desk.post(url, {"earliest": "12:00", "notice_minutes": "0", "priority": "2"})
    entry.refresh_from_db()
    assert (entry.earliest, entry.priority) == (720, 2)
    assert "is off the wait-list" in text_of(desk.post(f"{url}withdraw/", follow=True))


def test_at_night_the_page_says_when_an_offer_would_be_heard_of(
    desk: Client, clock: Any, gap: Gap, entry: WaitlistEntry, front_desk: Staff
) -> None:
    assert "Messages wait" not in text_of(desk.get("/waitlist/"))
    clock.move_to(NOW + timedelta(hours=13))
    desk.force_login(front_desk)
    waits = "Messages wait until Tue 16 Feb 08:00"
    assert waits in text_of(desk.get("/waitlist/"))
    done = desk.post(f"/waitlist/gaps/{gap.pk}/offer/", {"entry": entry.pk}, follow=True)
    assert f"kept until Tue 16 Feb 08:15. {waits}" in text_of(done)


def test_the_cancel_form_says_how_many_may_want_the_place(
    desk: Client, series: TreatmentSeries, entry: WaitlistEntry
) -> None:
    visit = series.appointments.get(session=1)
    assert "Up to 1 on the" in text_of(desk.get(f"/visits/{visit.pk}/cancel/"))


def test_an_outsider_finds_nothing_of_it(
    client: Client,
    outsider: Staff,
    gap: Gap,
    entry: WaitlistEntry,
    noor: Patient,
    site: Site,
    book: Book,
    wish: Wish,
    front_desk: Staff,
    now: datetime,
) -> None:
    made = offering.offer(gap=gap, entries=[entry], by=front_desk, now=now)
    invitation = made.invitations.get()
    series = book(wish(date(2027, 3, 12)))
    visit = series.appointments.get()
    waiting = entries.add(target=EarlierVisit(visit), by=front_desk, now=now)
    client.force_login(outsider)
    assert client.get(f"/waitlist/?site={site.slug}").status_code == 403
    assert "Noor" not in text_of(client.get(f"/waitlist/?gap={gap.pk}"))
    for url in (
        f"{ADD}?visit={visit.pk}",
        f"{ADD}?series={series.pk}",
        f"{ADD}?patient={noor.pk}",
        f"/waitlist/entries/{waiting.pk}/",
    ):
        assert client.get(url).status_code == 404, url
    for url in (
        f"/waitlist/gaps/{gap.pk}/offer/",
        f"/waitlist/gaps/{gap.pk}/book/",
        f"/waitlist/gaps/{gap.pk}/dismiss/",
        f"/waitlist/gaps/{gap.pk}/reopen/",
        f"/waitlist/offers/{made.pk}/take-back/",
        f"/waitlist/invitations/{invitation.pk}/accept/",
        f"/waitlist/invitations/{invitation.pk}/decline/",
        f"/waitlist/entries/{waiting.pk}/withdraw/",
    ):
        assert client.post(url, {"entry": entry.pk, "book": entry.pk}).status_code == 404, url
