"""A small clinic for the state machine, and what its rules have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q, QuerySet
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from appointments.finding.needs import need_of
from appointments.models import Allocation, Appointment, HoldPurpose, Invitation
from appointments.proposing.places import VisitWish
from appointments.refusals import PatientElsewhere, Refused, SlotTaken
from clinic.access import Forbidden
from clinic.models import ProtocolVersion, Resource, Site, Staff
from clinic.protocols import loading as protocols
from patients.models import Patient
from tests.appointments.conftest import FIRST, at

KINDS = {"provider", "room", "device", "patient"}
DAYS = [FIRST, FIRST + timedelta(days=28)]
WALLS = ["10:00", "10:30", "13:00"]

starts = st.builds(at, st.sampled_from(DAYS), st.sampled_from(WALLS))
two, three, nth = st.integers(0, 1), st.integers(0, 2), st.integers(0, 5)
areas = st.sampled_from(["face", "neck", "hands"])
# How long each keeps others off, whatever was written down of its end.
STANDS = {HoldPurpose.PLAN: timedelta(minutes=5), HoldPurpose.OFFER: timedelta(minutes=15)}
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

    def what(self, area: str) -> dict[str, Any]:
        house = self.house
        return {"site": house.site, "version": house.version, "areas": [area], "now": self.now}

    def place(self, start: datetime, p: int, r: int, d: int) -> VisitWish:
        house = self.house
        return VisitWish(start, house.providers[p].pk, house.rooms[r].pk, house.devices[d].pk)

    def visit(self, n: int, **which: object) -> Appointment:
        found = Appointment.objects.filter(**which).select_related("series__patient", "site")
        rows = list(found.order_by("pk"))
        return rows[n % len(rows)]

    def live(self) -> QuerySet[Allocation]:
        unexpired = Q(hold=None)
        for purpose, life in STANDS.items():
            unexpired |= Q(hold__purpose=purpose, hold__held_at__gt=self.now - life)
        return Allocation.objects.filter(unexpired, active=True)

    def in_the_way(
        self,
        place: VisitWish,
        patient: Patient,
        area: str,
        *,
        by: Staff | None = None,
        moving: Appointment | None = None,
        offered: Invitation | None = None,
    ) -> bool:
        """Whether anything but one's own lies in the wished time, computed the slow way; what is
        `offered` is one's own, and the visits of one's series make room for it."""
        need = need_of(protocols.get(self.house.version), [area])
        wanted = {
            "provider": place.provider_id,
            "room": place.room_id,
            "device": place.device_id,
            "patient": patient.resource_id,
        }
        others = self.live().exclude(appointment__isnull=False, appointment=moving)
        if by is not None:
            others = others.exclude(hold__held_by=by, hold__patient=patient)
        if offered is not None:
            others = others.exclude(hold=offered.offer.hold)
            series = offered.entry.series
            others = others.exclude(appointment__isnull=False, appointment__series=series)
        touching = Q(pk__in=())
        for kind, resource in wanted.items():
            span = need.held(kind, place.starts_at)
            touching |= Q(resource=resource, starts_at__lt=span.ends_at, ends_at__gt=span.starts_at)
        return others.filter(touching).exists()

    def attempt(
        self, act: Callable[[], object], in_the_way: bool | None = None, *, over: bool = False
    ) -> bool:
        """An act may be refused, but never without a cause, and never done against one. Whether
        it was done."""
        try:
            with transaction.atomic():
                act()
        except (SlotTaken, PatientElsewhere):
            assert in_the_way is not False
            return False
        except (Refused, Forbidden):
            return False
        assert not in_the_way or over
        return True
