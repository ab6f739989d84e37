"""Whatever staff do in whatever order: nothing overlaps, and every visit holds what is its own."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, groupby
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from appointments.claiming import holding
from appointments.finding.needs import need_of
from appointments.lifecycle import State
from appointments.models import Allocation, Appointment, Hold, TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.refusals import PatientElsewhere, Refused, SlotTaken
from appointments.visits import booking, cancelling, moving, undoing
from clinic.access import Forbidden
from clinic.models import ProtocolVersion, Resource, Role, Site, Staff
from clinic.protocols import loading as protocols
from patients.models import Patient
from tests.appointments.conftest import FIRST, at
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db

KINDS = {"provider", "room", "device", "patient"}
DAYS = [FIRST, FIRST + timedelta(days=28)]
WALLS = ["10:00", "10:30", "13:00"]

starts = st.builds(at, st.sampled_from(DAYS), st.sampled_from(WALLS))
two, three, nth = st.integers(0, 1), st.integers(0, 2), st.integers(0, 5)
areas = st.sampled_from(["face", "neck", "hands"])
# Mostly not, so that most of what is tried is an ordinary booking.
over = st.integers(0, 3).map(lambda dice: dice == 3)


@dataclass(frozen=True)
class House:
    """Two of every resource, three patients, two at the desk and a manager."""

    site: Site
    version: ProtocolVersion
    providers: Sequence[Resource]
    rooms: Sequence[Resource]
    devices: Sequence[Resource]
    patients: Sequence[Patient]
    staff: Sequence[Staff]
    now: datetime


class Desk(RuleBasedStateMachine):
    """Each example is a transaction of its own, rolled back at its end."""

    house: ClassVar[House]

    def __init__(self) -> None:
        super().__init__()
        self.now = self.house.now
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    # --- What is done -----------------------------------------------------------------------------

    @rule(who=three, by=three, start=starts, area=areas, p=two, r=two, d=two, over=over)
    def book(
        self, who: int, by: int, start: datetime, area: str, p: int, r: int, d: int, over: bool
    ) -> None:
        place, patient = self._place(start, p, r, d), self.house.patients[who]
        self._attempt(
            lambda: booking.book_series(
                patient=patient,
                visits=[place],
                overlap=over,
                override_reason="Agreed" if over else "",
                by=self.house.staff[by],
                **self._what(area),
            ),
            self._in_the_way(place, patient, area, by=self.house.staff[by]),
            over=over,
        )

    @rule(
        who=three, by=three, p=two, walls=st.lists(st.sampled_from(WALLS), min_size=2, max_size=3)
    )
    def book_several(self, who: int, by: int, p: int, walls: list[str]) -> None:
        places = [
            self._place(at(day, wall), p, p, p) for day, wall in zip(DAYS, walls, strict=False)
        ]
        before = Appointment.objects.count()
        try:
            booking.book_series(
                patient=self.house.patients[who],
                visits=places,
                by=self.house.staff[by],
                **self._what("face"),
            )
        except (Refused, Forbidden):
            assert Appointment.objects.count() == before
        else:
            assert Appointment.objects.count() == before + len(places)

    @precondition(lambda self: TreatmentSeries.objects.exists())
    @rule(n=nth, by=three, start=starts, p=two, r=two, d=two)
    def add(self, n: int, by: int, start: datetime, p: int, r: int, d: int) -> None:
        rows = list(TreatmentSeries.objects.order_by("pk"))
        series, place = rows[n % len(rows)], self._place(start, p, r, d)
        staff = self.house.staff[by]
        self._attempt(
            lambda: booking.add_visit(series=series, visit=place, by=staff, now=self.now),
            self._in_the_way(place, series.patient, series.areas[0], by=staff),
        )

    @precondition(lambda self: Appointment.objects.standing().exists())
    @rule(n=nth, by=three, start=starts, p=two, r=two, d=two, over=over)
    def move(self, n: int, by: int, start: datetime, p: int, r: int, d: int, over: bool) -> None:
        visit, place = self._visit(n, state=State.BOOKED), self._place(start, p, r, d)
        self._attempt(
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
            self._in_the_way(place, visit.series.patient, visit.series.areas[0], moving=visit),
            over=over,
        )

    @precondition(lambda self: Appointment.objects.standing().exists())
    @rule(n=nth, by=three)
    def cancel(self, n: int, by: int) -> None:
        visit, staff = self._visit(n, state=State.BOOKED), self.house.staff[by]
        self._attempt(lambda: cancelling.cancel(appointment=visit, by=staff, now=self.now))

    @precondition(lambda self: Appointment.objects.filter(version__gt=1).exists())
    @rule(n=nth, by=three)
    def undo(self, n: int, by: int) -> None:
        visit, staff = self._visit(n, version__gt=1), self.house.staff[by]
        self._attempt(lambda: undoing.undo(appointment=visit, by=staff, now=self.now))

    @rule(who=three, by=three, start=starts, area=areas, p=two, r=two, d=two)
    def hold(self, who: int, by: int, start: datetime, area: str, p: int, r: int, d: int) -> None:
        place, patient = self._place(start, p, r, d), self.house.patients[who]
        staff = self.house.staff[by]
        self._attempt(
            lambda: holding.hold_plan(
                patient=patient, visits=[place], by=staff, **self._what(area)
            ),
            self._in_the_way(place, patient, area, by=staff),
        )

    @precondition(lambda self: Hold.objects.exists())
    @rule(n=nth)
    def release(self, n: int) -> None:
        rows = list(Hold.objects.order_by("pk"))
        holding.release(hold=rows[n % len(rows)], now=self.now)

    @precondition(lambda self: Hold.objects.unreleased().exists())
    @rule(n=nth, who=three, by=three, over=over)
    def book_what_is_or_was_held(self, n: int, who: int, by: int, over: bool) -> None:
        rows = list(Hold.objects.unreleased().order_by("pk"))
        hold, staff = rows[n % len(rows)], self.house.staff[by]
        kept = {each.resource.kind: each for each in hold.allocations.select_related("resource")}
        if set(kept) < KINDS:
            return
        patient = hold.patient if hold.held_by == staff else self.house.patients[who]
        assert patient is not None
        ids = [kept[kind].resource_id for kind in ("provider", "room", "device")]
        place = VisitWish(kept["patient"].starts_at, *ids)
        self._attempt(
            lambda: booking.book_series(
                patient=patient,
                visits=[place],
                overlap=over,
                override_reason="Agreed" if over else "",
                by=staff,
                hold=hold if hold.held_by == staff else None,
                **self._what("face"),
            ),
            self._in_the_way(place, patient, "face", by=staff),
            over=over,
        )

    @rule()
    def expire(self) -> None:
        holding.expire(now=self.now)

    @precondition(lambda self: Hold.objects.unreleased().exists())
    @rule(minutes=st.sampled_from([2, 5]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # --- What is always so ------------------------------------------------------------------------

    @invariant()
    def nothing_overlaps_but_visits_over_visits_on_purpose(self) -> None:
        rows = self._live().select_related("resource", "appointment")
        for _, held in groupby(rows.order_by("resource_id", "starts_at"), lambda r: r.resource_id):
            for one, two in combinations(held, 2):
                if one.ends_at <= two.starts_at:
                    continue
                assert one.resource.kind != "patient"
                upper = one if one.is_deliberate else two
                assert upper.is_deliberate
                assert upper.appointment is not None
                assert one.appointment is not None and two.appointment is not None
                assert "overlap" in upper.appointment.overrides

    @invariant()
    def every_visit_holds_exactly_what_is_its_own(self) -> None:
        held = defaultdict(list)
        for each in Allocation.objects.filter(active=True, appointment__isnull=False).values_list(
            "appointment", "resource__kind", "starts_at", "ends_at"
        ):
            held[each[0]].append(each[1:])
        for visit in Appointment.objects.select_related("series"):
            due = []
            if visit.state != State.CANCELLED:
                need = need_of(protocols.get(self.house.version), visit.series.areas)
                spans = {kind: need.held(kind, visit.starts_at) for kind in KINDS}
                due = [(kind, span.starts_at, span.ends_at) for kind, span in spans.items()]
            assert sorted(held[visit.pk]) == sorted(due)

    @invariant()
    def every_hold_that_stands_is_whole_and_the_released_hold_nothing(self) -> None:
        holds = Hold.objects.annotate(kept=Count("allocations"))
        for released_at, ends, kept in holds.values_list("released_at", "expires_at", "kept"):
            if released_at is not None:
                assert kept == 0
            elif ends > self.now:
                assert kept == len(KINDS)

    # --- How --------------------------------------------------------------------------------------

    def _what(self, area: str) -> dict[str, Any]:
        house = self.house
        return {"site": house.site, "version": house.version, "areas": [area], "now": self.now}

    def _place(self, start: datetime, p: int, r: int, d: int) -> VisitWish:
        house = self.house
        return VisitWish(start, house.providers[p].pk, house.rooms[r].pk, house.devices[d].pk)

    def _visit(self, n: int, **which: object) -> Appointment:
        found = Appointment.objects.filter(**which).select_related("series__patient", "site")
        rows = list(found.order_by("pk"))
        return rows[n % len(rows)]

    def _live(self) -> QuerySet[Allocation]:
        unexpired = Q(expires_at=None) | Q(expires_at__gt=self.now)
        return Allocation.objects.filter(unexpired, active=True)

    def _in_the_way(
        self,
        place: VisitWish,
        patient: Patient,
        area: str,
        *,
        by: Staff | None = None,
        moving: Appointment | None = None,
    ) -> bool:
        """Whether anything but one's own lies in the wished time, computed the slow way."""
        need = need_of(protocols.get(self.house.version), [area])
        wanted = {
            "provider": place.provider_id,
            "room": place.room_id,
            "device": place.device_id,
            "patient": patient.resource_id,
        }
        others = self._live().exclude(appointment__isnull=False, appointment=moving)
        if by is not None:
            others = others.exclude(hold__held_by=by, hold__patient=patient)
        touching = Q(pk__in=())
        for kind, resource in wanted.items():
            span = need.held(kind, place.starts_at)
            touching |= Q(resource=resource, starts_at__lt=span.ends_at, ends_at__gt=span.starts_at)
        return others.filter(touching).exists()

    def _attempt(
        self, act: Callable[[], object], in_the_way: bool | None = None, *, over: bool = False
    ) -> None:
        """An act may be refused, but never without a cause, and never done against one."""
        try:
            with transaction.atomic():
                act()
        except (SlotTaken, PatientElsewhere):
            assert in_the_way is not False
        except (Refused, Forbidden):
            pass
        else:
            assert not in_the_way or over


def test_whatever_is_done_in_whatever_order(
    site: Site,
    protocol: ProtocolVersion,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
    front_desk: Staff,
    manager: Staff,
    now: datetime,
) -> None:
    colleague = staff_at(site, Role.FRONT_DESK, "Bo Desk")
    kim = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), protocol.modality)
    second = Resource.objects.create(kind="room", name="Room 2", site=site, room_kind="treatment")
    device = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=protocol.modality
    )
    people = [a_patient(site, front_desk, now, given=name, phone="", email="") for name in "ABC"]

    class Here(Desk):
        house = House(
            site,
            protocol,
            [treatment_provider, kim],
            [room, second],
            [needling_device, device],
            people,
            [front_desk, colleague, manager],
            now,
        )

    run_state_machine_as_test(Here, settings=settings(max_examples=40, stateful_step_count=30))
