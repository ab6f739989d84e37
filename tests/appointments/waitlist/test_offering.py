"""Offers: whom a gap is offered to, who gets it, and what becomes of the others."""

from datetime import date, datetime, timedelta

import pytest

from appointments.claiming import holding
from appointments.models import (
    Allocation,
    Answer,
    Appointment,
    EntryEnd,
    Gap,
    GapEnd,
    Offer,
    OfferEnd,
    SchedulingSettings,
    TreatmentSeries,
    WaitlistEntry,
)
from appointments.refusals import BeingOffered, GapClosed, SlotHeld
from appointments.visits import cancelling
from appointments.waitlist import entries, offering, overtaken
from appointments.waitlist.entries import EarlierVisit, FirstVisit, NextSession
from appointments.waitlist.refusals import NoMatch, NotWaiting, OfferClosed
from appointments.waitlist.wishes import Wishes
from clinic.access import Forbidden
from clinic.models import AuditEntry, Closure, ProtocolVersion, Site, Staff
from patients.models import Patient
from tests.appointments.conftest import FIRST, Book, Wish, at
from tests.personas import a_patient

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def gap(book: Book, wish: Wish, front_desk: Staff, now: datetime) -> Gap:
    """Ten o'clock on FIRST, given back by Elena."""
    series = book(wish(FIRST))
    cancelling.cancel(appointment=series.appointments.get(), by=front_desk, now=now)
    return Gap.objects.get()


@pytest.fixture
def noor(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Noor", family="Haddad", phone="+12125550187")


@pytest.fixture
def omar(site: Site, front_desk: Staff, now: datetime) -> Patient:
    return a_patient(site, front_desk, now, given="Omar", family="Diaz", phone="+12125550188")


@pytest.fixture
def series(book: Book, wish: Wish, noor: Patient) -> TreatmentSeries:
    """Noor's: two weeks after the gap, and then as late as the protocol allows."""
    return book(wish(date(2027, 3, 18)), wish(date(2027, 4, 29)), patient=noor)


@pytest.fixture
def earlier(series: TreatmentSeries, front_desk: Staff, now: datetime) -> WaitlistEntry:
    """Noor waits for an earlier time of her first visit."""
    visit = series.appointments.get(session=1)
    return entries.add(target=EarlierVisit(visit), by=front_desk, now=now)


@pytest.fixture
def first(
    omar: Patient, site: Site, house: ProtocolVersion, front_desk: Staff, now: datetime
) -> WaitlistEntry:
    """Omar waits for a first visit."""
    target = FirstVisit(omar, site, house, ("face",))
    return entries.add(target=target, by=front_desk, now=now)


@pytest.fixture
def offer(
    gap: Gap, earlier: WaitlistEntry, first: WaitlistEntry, front_desk: Staff, now: datetime
) -> Offer:
    return offering.offer(gap=gap, entries=[earlier, first], by=front_desk, now=now)


def revisions(*patients: Patient) -> list[int]:
    return [Patient.objects.get(pk=each.pk).revision for each in patients]


# --- Making an offer ------------------------------------------------------------------------------


def test_an_offer_holds_the_place_for_the_minutes_of_the_site(
    offer: Offer, gap: Gap, front_desk: Staff, wish: Wish, book: Book, now: datetime
) -> None:
    assert (offer.made_at, offer.expires_at) == (now, now + 15 * MINUTE)
    assert offer.hold.expires_at == offer.expires_at
    held = Allocation.objects.filter(hold=offer.hold)
    assert {each.resource_id for each in held} == {gap.provider_id, gap.room_id, gap.device_id}
    with pytest.raises(SlotHeld, match="offered to the wait-list until 09:15"):
        book(wish(FIRST))
    with pytest.raises(Forbidden, match="Withdraw the offer"):
        holding.release(hold=offer.hold, by=front_desk, now=now)
    assert book(wish(FIRST), now=offer.expires_at).pk


def test_each_invitation_has_its_place_and_the_reasons_of_its_rank(
    offer: Offer, gap: Gap, earlier: WaitlistEntry, first: WaitlistEntry
) -> None:
    for invitation in offer.invitations.all():
        assert (invitation.starts_at, invitation.provider) == (gap.starts_at, gap.provider)
        assert invitation.reasons
        assert invitation.answer == ""
    assert {each.entry_id for each in offer.invitations.all()} == {earlier.pk, first.pk}
    trace = AuditEntry.objects.get(action="offer.make")
    assert set(trace.after["entries"]) == {earlier.pk, first.pk}


def test_the_minutes_are_a_setting_and_never_reach_past_the_start(
    gap: Gap, first: WaitlistEntry, site: Site, front_desk: Staff, now: datetime
) -> None:
    SchedulingSettings.objects.create(site=site, offer_minutes=60)
    soon = gap.starts_at - 30 * MINUTE
    entries.change(entry=first, wishes=Wishes(notice_minutes=0), by=front_desk, now=now)
    made = offering.offer(gap=gap, entries=[first], by=front_desk, now=soon)
    assert made.expires_at == gap.starts_at


def test_the_hold_is_the_union_of_places_of_different_lengths(
    gap: Gap,
    first: WaitlistEntry,
    site: Site,
    noor: Patient,
    house: ProtocolVersion,
    front_desk: Staff,
    now: datetime,
) -> None:
    target = FirstVisit(noor, site, house, ("face", "neck"))
    longer = entries.add(target=target, by=front_desk, now=now)
    made = offering.offer(gap=gap, entries=[first, longer], by=front_desk, now=now)
    ends = {each.entry_id: each.ends_at for each in made.invitations.all()}
    assert ends[longer.pk] > ends[first.pk]
    held = Allocation.objects.get(hold=made.hold, resource=gap.provider)
    assert held.ends_at == ends[longer.pk] + 5 * MINUTE


def test_nothing_is_offered_twice_or_to_who_does_not_suit(
    offer: Offer, gap: Gap, first: WaitlistEntry, front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(BeingOffered):
        offering.offer(gap=gap, entries=[first], by=front_desk, now=now)
    offering.withdraw(offer=offer, by=front_desk, now=now)
    entries.change(entry=first, wishes=Wishes(weekdays=(0,)), by=front_desk, now=now)
    with pytest.raises(NoMatch, match="Omar Diaz: Comes on Mondays only"):
        offering.offer(gap=gap, entries=[first], by=front_desk, now=now)
    with pytest.raises(NoMatch):
        offering.offer(gap=gap, entries=[], by=front_desk, now=now)
    with pytest.raises(GapClosed, match="past"):
        offering.offer(gap=gap, entries=[first], by=front_desk, now=gap.ends_at)
    assert Offer.objects.count() == 1


def test_an_outsider_offers_answers_and_withdraws_nothing(
    offer: Offer, gap: Gap, first: WaitlistEntry, outsider: Staff, now: datetime
) -> None:
    invitation = offer.invitations.get(entry=first)
    for act in (offering.accept, offering.decline):
        with pytest.raises(Forbidden):
            act(invitation=invitation, by=outsider, now=now)
    with pytest.raises(Forbidden):
        offering.withdraw(offer=offer, by=outsider, now=now)
    with pytest.raises(Forbidden):
        offering.offer(gap=gap, entries=[first], by=outsider, now=now)


def test_a_gap_whose_later_visits_find_no_place_is_not_offered(
    gap: Gap, earlier: WaitlistEntry, series: TreatmentSeries, front_desk: Staff, now: datetime
) -> None:
    Closure.objects.create(
        site=gap.site,
        first_day=date(2027, 3, 19),
        last_day=date(2027, 4, 28),
        reason="Works",
    )
    with pytest.raises(NoMatch, match="The later visits find no place then"):
        offering.offer(gap=gap, entries=[earlier], by=front_desk, now=now)


# --- Accepting ------------------------------------------------------------------------------------


def test_the_patient_accepts_an_earlier_place_and_the_later_visit_moves_along(
    offer: Offer,
    gap: Gap,
    earlier: WaitlistEntry,
    first: WaitlistEntry,
    series: TreatmentSeries,
    noor: Patient,
    omar: Patient,
    now: datetime,
) -> None:
    before = revisions(noor, omar)
    invitation = offer.invitations.get(entry=earlier)
    visit = offering.accept(invitation=invitation, by=None, now=now + MINUTE)
    assert (visit.session, visit.starts_at) == (1, gap.starts_at)
    second = series.appointments.get(session=2)
    assert timedelta(days=21) <= second.starts_at - visit.starts_at <= timedelta(days=42, hours=12)
    assert second.history.filter(move="move", by=None).exists()
    for row in (offer, gap, earlier, first):
        row.refresh_from_db()
    assert (offer.closed_as, gap.closed_as) == (OfferEnd.ACCEPTED, GapEnd.FILLED)
    assert earlier.closed_as == EntryEnd.BOOKED
    assert first.closed_at is None
    answers = dict(offer.invitations.values_list("entry_id", "answer"))
    assert answers == {earlier.pk: Answer.ACCEPTED, first.pk: Answer.GONE}
    assert not Allocation.objects.filter(hold=offer.hold).exists()
    assert all(new > old for new, old in zip(revisions(noor, omar), before, strict=True))
    assert AuditEntry.objects.get(action="offer.accept").after["entries"] == [earlier.pk]
    # The former places of both visits are gaps of their own.
    assert Gap.objects.open().count() == 2


def test_accepting_twice_is_accepting_once_and_the_late_one_is_told(
    offer: Offer, earlier: WaitlistEntry, first: WaitlistEntry, now: datetime
) -> None:
    won, lost = (offer.invitations.get(entry=each) for each in (first, earlier))
    visit = offering.accept(invitation=won, by=None, now=now)
    assert offering.accept(invitation=won, by=None, now=now) == visit
    with pytest.raises(OfferClosed, match="Somebody else was first") as closed:
        offering.accept(invitation=lost, by=None, now=now)
    assert closed.value.answer == Answer.GONE
    with pytest.raises(OfferClosed):
        offering.decline(invitation=lost, by=None, now=now)


def test_a_first_visit_is_booked_for_who_accepts_it(
    offer: Offer, gap: Gap, first: WaitlistEntry, omar: Patient, front_desk: Staff, now: datetime
) -> None:
    invitation = offer.invitations.get(entry=first)
    visit = offering.accept(invitation=invitation, by=front_desk, now=now)
    assert visit.series.patient == omar
    assert (visit.series.booked_by, visit.starts_at) == (front_desk, gap.starts_at)
    invitation.refresh_from_db()
    assert invitation.appointment == visit


def test_the_next_session_is_booked_for_who_accepts_it(
    gap: Gap, book: Book, wish: Wish, omar: Patient, front_desk: Staff, now: datetime
) -> None:
    series = book(wish(date(2027, 2, 16)), patient=omar, sessions=2)
    Appointment.objects.filter(series=series).update(starts_at=at(date(2027, 2, 9), "10:00"))
    entry = entries.add(target=NextSession(series), by=front_desk, now=now)
    made = offering.offer(gap=gap, entries=[entry], by=front_desk, now=now)
    visit = offering.accept(invitation=made.invitations.get(), by=None, now=now)
    assert (visit.series, visit.session, visit.starts_at) == (series, 2, gap.starts_at)
    assert visit.history.get().by is None


def test_staff_book_a_gap_for_an_entry_directly(
    gap: Gap, first: WaitlistEntry, front_desk: Staff, now: datetime
) -> None:
    visit = offering.book(gap=gap, entry=first, by=front_desk, now=now)
    assert visit.starts_at == gap.starts_at
    assert Offer.objects.get().closed_as == OfferEnd.ACCEPTED
    assert not Allocation.objects.filter(hold__isnull=False).exists()


def test_a_place_that_is_no_longer_needed_or_right_is_not_given(
    offer: Offer,
    earlier: WaitlistEntry,
    series: TreatmentSeries,
    front_desk: Staff,
    now: datetime,
) -> None:
    invitation = offer.invitations.get(entry=earlier)
    visit = series.appointments.get(session=1)
    cancelling.cancel(appointment=visit, by=front_desk, now=now)
    with pytest.raises(NotWaiting, match="no longer needed"):
        offering.accept(invitation=invitation, by=None, now=now)
    invitation.refresh_from_db()
    offer.refresh_from_db()
    assert (invitation.answer, offer.closed_at) == ("", None)
    assert Allocation.objects.filter(hold=offer.hold).exists()


# --- Declining, taking back, running out ----------------------------------------------------------


def test_who_declines_stays_on_the_list_and_the_last_one_lets_the_place_go(
    offer: Offer, earlier: WaitlistEntry, first: WaitlistEntry, site: Site, now: datetime
) -> None:
    for entry in (earlier, first):
        assert offer.closed_at is None
        invitation = offer.invitations.get(entry=entry)
        for _ in range(2):
            declined = offering.decline(invitation=invitation, by=None, now=now)
            assert declined.answer == Answer.DECLINED
        offer.refresh_from_db()
    assert offer.closed_as == OfferEnd.DECLINED
    assert not Allocation.objects.filter(hold=offer.hold).exists()
    assert overtaken.still_waiting(site=site, now=now).count() == 2


def test_an_offer_is_taken_back_once(
    offer: Offer, first: WaitlistEntry, front_desk: Staff, now: datetime
) -> None:
    offering.withdraw(offer=offer, by=front_desk, now=now)
    assert set(offer.invitations.values_list("answer", flat=True)) == {Answer.WITHDRAWN}
    assert not Allocation.objects.filter(hold=offer.hold).exists()
    with pytest.raises(OfferClosed):
        offering.withdraw(offer=offer, by=front_desk, now=now)
    with pytest.raises(OfferClosed, match="taken back"):
        offering.accept(invitation=offer.invitations.get(entry=first), by=None, now=now)


def test_an_offer_that_ran_out_is_over_before_anybody_writes_it_down(
    offer: Offer, gap: Gap, first: WaitlistEntry, front_desk: Staff, now: datetime
) -> None:
    over = offer.expires_at
    invitation = offer.invitations.get(entry=first)
    with pytest.raises(OfferClosed, match="time to answer is over"):
        offering.accept(invitation=invitation, by=None, now=over)
    with pytest.raises(OfferClosed, match="closed already"):
        offering.withdraw(offer=offer, by=front_desk, now=over)
    assert offering.expire(now=over - timedelta(seconds=1)) == 0
    assert offering.expire(now=over) == 1
    assert offering.expire(now=over) == 0
    invitation.refresh_from_db()
    assert (invitation.answer, invitation.answered_at) == (Answer.EXPIRED, over)
    again = offering.offer(gap=gap, entries=[first], by=front_desk, now=over)
    assert again.pk != offer.pk


def test_the_next_is_asked_at_once_when_an_offer_ran_out(
    offer: Offer, gap: Gap, first: WaitlistEntry, front_desk: Staff
) -> None:
    """Also before `expire` and the clearing of the hold."""
    again = offering.offer(gap=gap, entries=[first], by=front_desk, now=offer.expires_at)
    offer.refresh_from_db()
    assert offer.closed_as == OfferEnd.EXPIRED
    visit = offering.accept(
        invitation=again.invitations.get(), by=None, now=offer.expires_at + MINUTE
    )
    assert visit.starts_at == gap.starts_at
    held = visit.allocations.filter(active=True).count()
    holding.expire(now=offer.expires_at + MINUTE)
    assert visit.allocations.filter(active=True).count() == held > 0


def test_nobody_is_taken_off_the_list_while_a_place_is_offered_to_them(
    offer: Offer, first: WaitlistEntry, front_desk: Staff, now: datetime
) -> None:
    with pytest.raises(BeingOffered):
        entries.withdraw(entry=first, by=front_desk, now=now)
    entries.withdraw(entry=first, by=front_desk, now=offer.expires_at)
