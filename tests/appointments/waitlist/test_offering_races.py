"""Several who accept, decline and offer at once: one winner, nothing overlaps, the others stay."""

from datetime import datetime

import pytest

from appointments.models import Answer, Appointment, Gap, GapEnd, Invitation, Offer, OfferEnd
from appointments.refusals import BeingOffered, GapClosed, Refused
from appointments.visits import cancelling
from appointments.waitlist import entries, offering
from appointments.waitlist.entries import FirstVisit
from appointments.waitlist.refusals import OfferClosed
from clinic.models import ProtocolVersion, Site, Staff
from tests.appointments.claiming.test_races import Act, at_once, no_overlap, patients
from tests.appointments.conftest import FIRST, Book, Wish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gap(book: Book, wish: Wish, front_desk: Staff, now: datetime) -> Gap:
    series = book(wish(FIRST))
    cancelling.cancel(appointment=series.appointments.get(), by=front_desk, now=now)
    return Gap.objects.get()


@pytest.fixture
def offer(gap: Gap, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime) -> Offer:
    """Offered to eight at once."""
    waiting = [
        entries.add(target=FirstVisit(each, site, house, ("face",)), by=front_desk, now=now)
        for each in patients(site, front_desk, now, 8)
    ]
    return offering.offer(gap=gap, entries=waiting, by=front_desk, now=now)


def accepting(invitation: Invitation, now: datetime) -> Act:
    return lambda: offering.accept(invitation=invitation, by=None, now=now)


def test_of_many_who_accept_at_once_one_wins_and_the_others_stay_on_the_list(
    offer: Offer, gap: Gap, now: datetime
) -> None:
    results = at_once([accepting(each, now) for each in offer.invitations.all()])
    [won] = [each for each in results if isinstance(each, Appointment)]
    lost = [each for each in results if isinstance(each, OfferClosed)]
    assert len(lost) == 7, results
    assert {each.answer for each in lost} == {Answer.GONE}
    assert no_overlap()
    offer.refresh_from_db()
    gap.refresh_from_db()
    assert (offer.closed_as, gap.closed_as) == (OfferEnd.ACCEPTED, GapEnd.FILLED)
    answers = list(offer.invitations.values_list("answer", flat=True))
    assert (answers.count(Answer.ACCEPTED), answers.count(Answer.GONE)) == (1, 7)
    winner = offer.invitations.get(answer=Answer.ACCEPTED)
    assert (winner.appointment, winner.entry.closed_as) == (won, "booked")
    assert [each.entry.closed_at for each in offer.invitations.filter(answer="gone")] == [None] * 7


def test_one_hand_that_presses_twice_has_one_visit(offer: Offer, now: datetime) -> None:
    invitation = offer.invitations.first()
    assert invitation is not None
    results = at_once([accepting(invitation, now)] * 4)
    assert len({each.pk for each in results if isinstance(each, Appointment)}) == 1, results
    assert all(isinstance(each, Appointment) for each in results)


def test_taking_back_and_accepting_at_once_leave_a_whole_state(
    offer: Offer, gap: Gap, front_desk: Staff, now: datetime
) -> None:
    invitation = offer.invitations.first()
    assert invitation is not None
    acts: list[Act] = [
        accepting(invitation, now),
        lambda: offering.withdraw(offer=offer, by=front_desk, now=now),
    ]
    results = at_once(acts)
    assert sum(isinstance(each, Refused) for each in results) == 1, results
    offer.refresh_from_db()
    gap.refresh_from_db()
    won = offer.closed_as == OfferEnd.ACCEPTED
    assert (gap.closed_as == GapEnd.FILLED) == won
    assert Appointment.objects.standing().exists() == won


def test_two_who_offer_one_gap_at_once_make_one_offer(
    offer: Offer, gap: Gap, front_desk: Staff, now: datetime
) -> None:
    entry = offer.invitations.select_related("entry__patient").first()
    assert entry is not None
    offering.withdraw(offer=offer, by=front_desk, now=now)
    acts: list[Act] = [
        lambda: offering.offer(gap=gap, entries=[entry.entry], by=front_desk, now=now)
    ] * 3
    results = at_once(acts)
    assert sum(isinstance(each, Offer) for each in results) == 1, results
    assert sum(isinstance(each, BeingOffered | GapClosed) for each in results) == 2
