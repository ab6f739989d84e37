"""What the desk keeps for a few minutes, and the minutes that go by."""

from datetime import datetime, timedelta

from django.db.models import Count, F
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from appointments.claiming import holding
from appointments.models import Allocation, Hold, HoldPurpose
from appointments.proposing.places import VisitWish
from appointments.visits import booking
from tests.appointments.desk.house import KINDS, STANDS, Desk, areas, nth, over, starts, three, two

PLAN = HoldPurpose.PLAN


class Holds(Desk):
    @rule(who=three, by=three, start=starts, area=areas, p=two, r=two, d=two)
    def hold(self, who: int, by: int, start: datetime, area: str, p: int, r: int, d: int) -> None:
        place, patient = self.place(start, p, r, d), self.house.patients[who]
        staff = self.house.staff[by]
        self.attempt(
            lambda: holding.hold_plan(patient=patient, visits=[place], by=staff, **self.what(area)),
            self.in_the_way(place, patient, area, by=staff),
        )

    @precondition(lambda self: Hold.objects.filter(purpose=PLAN).exists())
    @rule(n=nth)
    def release(self, n: int) -> None:
        rows = list(Hold.objects.filter(purpose=PLAN).order_by("pk"))
        holding.release(hold=rows[n % len(rows)], now=self.now)

    @precondition(lambda self: Hold.objects.unreleased().filter(purpose=PLAN).exists())
    @rule(n=nth, who=three, by=three, over=over)
    def book_what_is_or_was_held(self, n: int, who: int, by: int, over: bool) -> None:
        rows = list(Hold.objects.unreleased().filter(purpose=PLAN).order_by("pk"))
        hold, staff = rows[n % len(rows)], self.house.staff[by]
        kept = {each.resource.kind: each for each in hold.allocations.select_related("resource")}
        if set(kept) < KINDS:
            return
        patient = hold.patient if hold.held_by == staff else self.house.patients[who]
        assert patient is not None
        ids = [kept[kind].resource_id for kind in ("provider", "room", "device")]
        place = VisitWish(kept["patient"].starts_at, *ids)
        self.attempt(
            lambda: booking.book_series(
                patient=patient,
                visits=[place],
                overlap=over,
                override_reason="Agreed" if over else "",
                by=staff,
                hold=hold if hold.held_by == staff else None,
                **self.what("face"),
            ),
            self.in_the_way(place, patient, "face", by=staff),
            over=over,
        )

    @rule()
    def expire(self) -> None:
        holding.expire(now=self.now)

    @precondition(lambda self: Hold.objects.unreleased().exists())
    @rule(minutes=st.sampled_from([2, 5]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def every_hold_stands_whole_for_its_minutes_and_no_longer(self) -> None:
        kept = Allocation.objects.filter(hold__isnull=False)
        assert not kept.exclude(expires_at=F("hold__expires_at")).exists()
        holds = Hold.objects.annotate(kept=Count("allocations"))
        for purpose, held_at, expires_at, released_at, count in holds.values_list(
            "purpose", "held_at", "expires_at", "released_at", "kept"
        ):
            ends = held_at + STANDS[HoldPurpose(purpose)]
            assert expires_at == ends
            if released_at is not None:
                assert (released_at <= self.now, count) == (True, 0)
            elif purpose == PLAN and self.now < ends:
                assert count == len(KINDS)
