"""Whatever staff do in whatever order: nothing overlaps, and every visit holds what is its own."""

from collections import defaultdict
from datetime import datetime
from itertools import combinations, groupby

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from appointments.finding.needs import need_of
from appointments.lifecycle import State
from appointments.models import Allocation, Appointment
from clinic.models import ProtocolVersion, Resource, Role, Site, Staff
from clinic.protocols import loading as protocols
from tests.appointments.desk.holds import Holds
from tests.appointments.desk.house import KINDS, House
from tests.appointments.desk.visits import Visits
from tests.appointments.desk.waitlist import Waitlist
from tests.personas import a_patient, provider_resource, staff_at

pytestmark = pytest.mark.django_db


class Everything(Visits, Holds, Waitlist):
    @invariant()
    def nothing_overlaps_but_visits_over_visits_on_purpose(self) -> None:
        rows = self.live().select_related("resource", "appointment")
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

    class Here(Everything):
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
