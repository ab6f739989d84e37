"""Who waits, what is offered to them, and who takes it."""

from django.db.models import QuerySet
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from appointments.lifecycle import State
from appointments.models import (
    Answer,
    Appointment,
    EntryEnd,
    Gap,
    GapEnd,
    Invitation,
    Offer,
)
from appointments.waitlist import accepting, entries, matching, offering
from appointments.waitlist.entries import EarlierVisit, FirstVisit, Target
from clinic.models import Staff
from tests.appointments.desk.house import Desk, areas, nth, three


class Waitlist(Desk):
    @rule(n=nth, by=three, area=areas, is_first=st.booleans())
    def wait_for_a_place(self, n: int, by: int, area: str, is_first: bool) -> None:
        house, booked = self.house, Appointment.objects.filter(state=State.BOOKED)
        target: Target = FirstVisit(house.patients[n % 3], house.site, house.version, (area,))
        if booked.exists() and not is_first:
            target = EarlierVisit(self.visit(n, state=State.BOOKED))
        self.attempt(lambda: entries.add(target=target, by=house.staff[by], now=self.now))

    @precondition(lambda self: Gap.objects.open().exists())
    @rule(n=nth, most=st.integers(0, 2), by=three)
    def offer(self, n: int, most: int, by: int) -> None:
        """To the first two, the first, or at once to the first."""
        gaps = list(Gap.objects.open().select_related("site").order_by("pk"))
        gap, staff = gaps[n % len(gaps)], self.house.staff[by]
        found = matching.matches_of(gap=gap, now=self.now).matches
        if found and not most:
            entry = found[0].entry
            self.attempt(lambda: offering.book(gap=gap, entry=entry, by=staff, now=self.now))
        else:
            chosen = [each.entry for each in found[: most or 1]]
            self.attempt(lambda: offering.offer(gap=gap, entries=chosen, by=staff, now=self.now))

    @precondition(lambda self: self._invitations().exists())
    @rule(n=nth, by=three, answer=st.sampled_from([Answer.ACCEPTED, *Answer]))
    def answer(self, n: int, by: int, answer: Answer) -> None:
        invitation, staff = self._invitation(n), self.house.staff[by]
        if answer == Answer.DECLINED:
            self.attempt(lambda: offering.decline(invitation=invitation, by=staff, now=self.now))
        elif answer == Answer.WITHDRAWN:
            made = invitation.offer
            self.attempt(lambda: offering.withdraw(offer=made, by=staff, now=self.now))
        elif answer == Answer.EXPIRED:
            offering.expire(now=self.now)
        else:
            self._accept(invitation, staff)

    def _accept(self, invitation: Invitation, staff: Staff) -> None:
        entry, place = invitation.entry, accepting.wish_of(invitation)
        done = self.attempt(
            lambda: offering.accept(invitation=invitation, by=staff, now=self.now),
            self.in_the_way(place, entry.patient, entry.areas[0], by=staff, offered=invitation),
        )
        if done:
            invitation.refresh_from_db()
            assert invitation.appointment is not None
            assert invitation.appointment.starts_at == invitation.starts_at

    @invariant()
    def one_wins_an_offer_and_has_its_place(self) -> None:
        for gap in Gap.objects.prefetch_related("offers__invitations__entry"):
            invitations = [one for made in gap.offers.all() for one in made.invitations.all()]
            won = [one for one in invitations if one.answer == Answer.ACCEPTED]
            assert len(won) == (gap.closed_as == GapEnd.FILLED)
            assert all(one.entry.closed_as == EntryEnd.BOOKED for one in won)

    @invariant()
    def an_open_offer_keeps_what_its_places_need(self) -> None:
        for made in Offer.objects.open_at(self.now):
            kept = made.hold.allocations.filter(active=True)
            for one in made.invitations.all():
                for resource in (one.provider_id, one.room_id, one.device_id):
                    held = kept.filter(resource=resource)
                    assert held.filter(starts_at__lte=one.starts_at, ends_at__gte=one.ends_at)

    def _invitations(self) -> QuerySet[Invitation]:
        return Invitation.objects.filter(offer__closed_at=None)

    def _invitation(self, n: int) -> Invitation:
        found = self._invitations().select_related("offer__hold", "entry__patient", "entry__series")
        rows = list(found.order_by("pk"))
        return rows[n % len(rows)]
