"""What the desk does with visits."""

from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from appointments.lifecycle import State
from appointments.models import Appointment, TreatmentSeries
from appointments.refusals import Refused
from appointments.visits import booking, cancelling, moving, swapping, undoing
from clinic.access import Forbidden
from tests.appointments.conftest import at
from tests.appointments.desk.house import DAYS, WALLS, Desk, areas, nth, over, starts, three, two


class Visits(Desk):
    @rule(who=three, by=three, start=starts, area=areas, p=two, r=two, d=two, over=over)
    def book(
        self, who: int, by: int, start: datetime, area: str, p: int, r: int, d: int, over: bool
    ) -> None:
        place, patient = self.place(start, p, r, d), self.house.patients[who]
        self.attempt(
            lambda: booking.book_series(
                patient=patient,
                visits=[place],
                overlap=over,
                override_reason="Agreed" if over else "",
                by=self.house.staff[by],
                **self.what(area),
            ),
            self.in_the_way(place, patient, area, by=self.house.staff[by]),
            over=over,
        )

    @rule(
        who=three, by=three, p=two, walls=st.lists(st.sampled_from(WALLS), min_size=2, max_size=3)
    )
    def book_several(self, who: int, by: int, p: int, walls: list[str]) -> None:
        places = [
            self.place(at(day, wall), p, p, p) for day, wall in zip(DAYS, walls, strict=False)
        ]
        before = Appointment.objects.count()
        try:
            booking.book_series(
                patient=self.house.patients[who],
                visits=places,
                by=self.house.staff[by],
                **self.what("face"),
            )
        except (Refused, Forbidden):
            assert Appointment.objects.count() == before
        else:
            assert Appointment.objects.count() == before + len(places)

    @precondition(lambda self: TreatmentSeries.objects.exists())
    @rule(n=nth, by=three, start=starts, p=two, r=two, d=two)
    def add(self, n: int, by: int, start: datetime, p: int, r: int, d: int) -> None:
        rows = list(TreatmentSeries.objects.order_by("pk"))
        series, place = rows[n % len(rows)], self.place(start, p, r, d)
        staff = self.house.staff[by]
        self.attempt(
            lambda: booking.add_visit(series=series, visit=place, by=staff, now=self.now),
            self.in_the_way(place, series.patient, series.areas[0], by=staff),
        )

    @precondition(lambda self: Appointment.objects.standing().exists())
    @rule(n=nth, by=three, start=starts, p=two, r=two, d=two, over=over)
    def move(self, n: int, by: int, start: datetime, p: int, r: int, d: int, over: bool) -> None:
        visit, place = self.visit(n, state=State.BOOKED), self.place(start, p, r, d)
        self.attempt(
            lambda: moving.move(
                appointment=visit,
                starts_at=place.starts_at,
                provider_id=place.provider_id,
                room_id=place.room_id,
                device_id=place.device_id,
                by=self.house.staff[by],
                now=self.now,
                overlap=over,
                override_reason="Agreed" if over else "",
            ),
            self.in_the_way(place, visit.series.patient, visit.series.areas[0], moving=visit),
            over=over,
        )

    @precondition(lambda self: Appointment.objects.standing().exists())
    @rule(n=nth, by=three)
    def cancel(self, n: int, by: int) -> None:
        visit, staff = self.visit(n, state=State.BOOKED), self.house.staff[by]
        self.attempt(lambda: cancelling.cancel(appointment=visit, by=staff, now=self.now))

    @precondition(lambda self: Appointment.objects.filter(version__gt=1).exists())
    @rule(n=nth, by=three)
    def undo(self, n: int, by: int) -> None:
        visit, staff = self.visit(n, version__gt=1), self.house.staff[by]
        self.attempt(lambda: undoing.undo(appointment=visit, by=staff, now=self.now))

    @precondition(lambda self: Appointment.objects.filter(state=State.BOOKED).count() > 1)
    @rule(n=nth, m=nth, by=three)
    def swap(self, n: int, m: int, by: int) -> None:
        one, other = self.visit(n, state=State.BOOKED), self.visit(m, state=State.BOOKED)
        before = (one.starts_at, other.starts_at)
        done = self.attempt(
            lambda: swapping.swap(one=one, other=other, by=self.house.staff[by], now=self.now)
        )
        one.refresh_from_db()
        other.refresh_from_db()
        assert (one.starts_at, other.starts_at) == (before[::-1] if done else before)
