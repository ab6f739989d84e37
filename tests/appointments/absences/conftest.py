"""What comes over visits that stand, and others who could take them."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import combinations

import pytest

from appointments.absences import affected, blocks, relocating
from appointments.absences.relocating import Relocation
from appointments.finding.needs import need_of
from appointments.models import Appointment, Block, BlockKind
from appointments.proposing.places import Place
from appointments.visits.moving import VisitMove
from clinic.models import ProtocolVersion, Resource, Role, Site, Staff
from clinic.protocols import loading as protocols
from tests.appointments.conftest import FIRST, at
from tests.personas import provider_resource, staff_at

DAY = timedelta(days=1)
Blocked = Callable[..., Block]


@pytest.fixture
def blocked(needling_device: Resource, site: Site, manager: Staff, now: datetime) -> Blocked:
    """Blocks the one device from the morning of a day for some days, over what is booked."""

    def make(day: date = FIRST, days: int = 7, **changes: object) -> Block:
        wanted = {
            "site": site,
            "resources": [needling_device],
            "kind": BlockKind.MAINTENANCE,
            "starts_at": at(day, "08:00"),
            "ends_at": at(day, "08:00") + days * DAY,
            "by": manager,
            "now": now,
            "over_visits": True,
            **changes,
        }
        return blocks.block(**wanted)  # type: ignore[arg-type]

    return make


@pytest.fixture
def second_device(site: Site, house: ProtocolVersion) -> Resource:
    return Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality, serial="RM-2"
    )


@pytest.fixture
def second_provider(site: Site, house: ProtocolVersion) -> Resource:
    return provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)


def proposed(block: Block, now: datetime) -> list[Relocation]:
    return relocating.propose(visits=affected.by_block(block, now=now), now=now)


def moves_of(found: Iterable[Relocation]) -> list[VisitMove]:
    return [line.move for each in found for line in each.lines]


def move_all(block: Block, by: Staff, now: datetime) -> relocating.Relocated:
    visits = affected.by_block(block, now=now)
    return relocating.relocate(moves=moves_of(proposed(block, now)), visits=visits, by=by, now=now)


def held(place: Place, visit: Appointment) -> list[tuple[int, datetime, datetime]]:
    """What a visit at this place holds: (resource, from, to)."""
    need = need_of(protocols.get(visit.protocol_version), visit.series.areas)
    kinds = {**place.wish.resources, "patient": visit.series.patient.resource_id}
    periods = [(pk, need.held(kind, place.starts_at)) for kind, pk in kinds.items()]
    return [(pk, period.starts_at, period.ends_at) for pk, period in periods]


def apart(found: Iterable[Relocation]) -> bool:
    """Whether no two proposals share a resource at one time."""
    rows = [held(line.after, line.visit) for each in found for line in each.lines]
    return not any(
        a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
        for one, other in combinations(rows, 2)
        for a in one
        for b in other
    )
