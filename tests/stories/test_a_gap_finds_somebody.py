"""From a cancellation to a filled place: who is asked, who is first, and what everybody hears."""

import re
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from appointments.models import Appointment, Gap, Invitation, Offer, TreatmentSeries
from appointments.visits import cancelling
from appointments.waitlist import entries, matching, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit
from clinic.models import ProtocolVersion, Site, Staff
from clinic.retelling import retold
from patients.models import Patient
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.conftest import Book, Wish, at
from tests.personas import a_patient
from tests.stories.conftest import Advance

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, LATER, LAST = date(2027, 3, 4), date(2027, 3, 18), date(2027, 4, 29)
MINUTE = timedelta(minutes=1)
NOOR, OMAR = "+12125550187", "+12125550188"


@pytest.fixture
def noor(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(
        site, front_desk, now, given="Noor", family="Haddad", phone=NOOR, email="noor@p.example"
    )


@pytest.fixture
def omar(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(
        site, front_desk, now, given="Omar", family="Diaz", phone=OMAR, email="omar@p.example"
    )


@pytest.fixture
def series(book: Book, wish: Wish, noor: Patient) -> TreatmentSeries:
    return book(wish(LATER), wish(LAST), patient=noor)


@pytest.fixture
def offer(
    series: TreatmentSeries,
    book: Book,
    wish: Wish,
    omar: Patient,
    site: Site,
    house: ProtocolVersion,
    front_desk: Staff,
    advance: Advance,
    now: datetime,
) -> Offer:
    """Elena cancels; her place is offered to Noor, who would come earlier, and to Omar."""
    elena = book(wish(FIRST)).appointments.get()
    noors = entries.add(
        target=EarlierVisit(series.appointments.get(session=1)), by=front_desk, now=now
    )
    omars = entries.add(target=FirstVisit(omar, site, house, ("face",)), by=front_desk, now=now)
    advance(now + 3 * MINUTE)
    cancelling.cancel(appointment=elena, by=front_desk, now=now + 9 * MINUTE, by_patient=True)
    gap = Gap.objects.get()
    made_at = now + 10 * MINUTE
    matched = {each.entry for each in matching.matches_of(gap=gap, now=made_at).matches}
    assert matched == {noors, omars}
    return offering.offer(gap=gap, entries=[noors, omars], by=front_desk, now=made_at)


def texts_to(providers: StandIn, number: str) -> list[str]:
    return [text.text for text in providers.texts if text.to == number]


def page_in(text: str) -> str:
    """The address in a text, without its host."""
    found = re.search(r"/p/[\w-]+/", text)
    assert found, text
    return found[0]


def kinds(patient: Patient, state: str) -> set[str]:
    return set(Message.objects.filter(patient=patient, state=state).values_list("kind", flat=True))


def test_the_place_is_offered_taken_and_told(
    offer: Offer,
    series: TreatmentSeries,
    noor: Patient,
    omar: Patient,
    providers: StandIn,
    advance: Advance,
    client: Client,
    now: datetime,
) -> None:
    heard = {number: len(texts_to(providers, number)) for number in (NOOR, OMAR)}
    advance(offer.made_at)
    [noors] = texts_to(providers, NOOR)[heard[NOOR] :]
    [omars] = texts_to(providers, OMAR)[heard[OMAR] :]
    for text in (noors, omars):
        assert "A time has opened for you: Thu 4 Mar 10:00" in text
        assert "microneedling" not in text.lower()
    assert page_in(noors) != page_in(omars)
    message = Message.objects.get(patient=noor, kind="waitlist_offer", channel="sms")
    assert retold(message.why[0]).startswith("Ana Front offered the place on Thu 4 Mar 10:00")

    with time_machine.travel(now + 12 * MINUTE, tick=False):
        page = client.get(page_in(noors)).content.decode()
        assert "Thu 4 Mar 10:00" in page and "Thu 18 Mar 10:00" in page
        assert "Your later visits move along" in page
        taken = client.post(page_in(noors), {"answer": "accept"}, follow=True)
        assert "This time is yours" in taken.content.decode()

    first, second = series.appointments.order_by("session")
    assert first.starts_at == offer.gap.starts_at
    assert 21 <= (second.starts_at - first.starts_at).days <= 42
    assert second.history.filter(move="move", by=None).count() == 1

    advance(now + 15 * MINUTE)
    said = " ".join(texts_to(providers, NOOR)[heard[NOOR] + 1 :])
    assert "Thu 4 Mar 10:00" in said
    assert "appt_moved" in kinds(noor, "accepted")
    [gone] = texts_to(providers, OMAR)[heard[OMAR] + 1 :]
    assert "The time on Thu 4 Mar 10:00 is no longer open. You stay on our list." in gone
    assert "waitlist_gone" not in kinds(noor, "accepted")
    final = Message.objects.filter(patient=noor, kind="reminder_final", state="scheduled")
    assert {each.due_at for each in final} == {
        first.starts_at - timedelta(days=1),
        second.starts_at - timedelta(days=1),
    }

    with time_machine.travel(now + 16 * MINUTE, tick=False):
        late = client.post(page_in(omars), {"answer": "accept"}, follow=True)
        assert late.status_code == 410
        assert "Somebody else was first" in late.content.decode()
    assert Appointment.objects.filter(series__patient=omar).count() == 0


def test_an_offer_taken_back_before_it_was_heard_is_never_heard_of(
    offer: Offer, front_desk: Staff, providers: StandIn, advance: Advance
) -> None:
    heard = len(providers.texts), len(providers.mails)
    offering.withdraw(offer=offer, by=front_desk, now=offer.made_at)
    advance(offer.made_at)
    advance(offer.expires_at)
    said = [text.text for text in providers.texts[heard[0] :]]
    assert not [text for text in said if "opened" in text or "no longer open" in text]


def test_an_offer_at_night_is_texted_in_the_morning_and_stands_until_it_can_be_answered(
    offer: Offer,
    omar: Patient,
    front_desk: Staff,
    providers: StandIn,
    advance: Advance,
    client: Client,
    now: datetime,
) -> None:
    offering.withdraw(offer=offer, by=front_desk, now=offer.made_at)
    night = now + timedelta(hours=13)
    advance(night)
    heard = len(providers.texts)
    entry = Invitation.objects.get(offer=offer, entry__patient=omar).entry
    late = offering.offer(gap=offer.gap, entries=[entry], by=front_desk, now=night)
    advance(night)
    assert len(providers.texts) == heard
    morning = at(date(2027, 2, 16), "08:00")
    assert late.expires_at == morning + 15 * MINUTE
    advance(morning)
    [text] = [each.text for each in providers.texts[heard:] if each.to == OMAR]
    assert "A time has opened for you" in text
    with time_machine.travel(morning + 10 * MINUTE, tick=False):
        taken = client.post(page_in(text), {"answer": "accept"}, follow=True)
    assert "This time is yours" in taken.content.decode()


def test_who_did_not_hear_of_an_offer_at_night_is_not_told_that_it_is_gone(
    offer: Offer,
    omar: Patient,
    front_desk: Staff,
    providers: StandIn,
    advance: Advance,
    now: datetime,
) -> None:
    offering.withdraw(offer=offer, by=front_desk, now=offer.made_at)
    night = now + timedelta(hours=13)
    advance(night)
    heard = len(providers.texts)
    entry = Invitation.objects.get(offer=offer, entry__patient=omar).entry
    late = offering.offer(gap=offer.gap, entries=[entry], by=front_desk, now=night)
    advance(night)
    offering.withdraw(offer=late, by=front_desk, now=night + MINUTE)
    advance(now + timedelta(hours=24))
    assert not [each for each in providers.texts[heard:] if "opened" in each.text]
    assert not Message.objects.filter(patient=omar, kind="waitlist_gone").exists()
