"""A device breaks for a week: its visits find other places, and only who must come at another
time hears of it."""

from datetime import datetime, timedelta

import pytest

from appointments.absences import affected, blocks, relocating
from appointments.models import Appointment, BlockKind
from clinic.models import ProtocolVersion, Resource, Site, Staff
from reminders.models import Message
from reminders.stand_in import StandIn
from tests.appointments.conftest import FIRST, Book, Wish, at
from tests.personas import a_patient
from tests.stories.conftest import Advance

pytestmark = pytest.mark.django_db(transaction=True)

MINUTES = timedelta(minutes=1)


def test_visits_move_to_other_devices_and_times_and_only_new_times_are_told(
    book: Book,
    wish: Wish,
    house: ProtocolVersion,
    site: Site,
    needling_device: Resource,
    front_desk: Staff,
    providers: StandIn,
    advance: Advance,
    now: datetime,
) -> None:
    elena, noor = (
        a_patient(site, front_desk, now, given=given, phone=phone, email="")
        for given, phone in (("Elena", "+12125550123"), ("Noor", "+12125550187"))
    )
    morning = book(wish(FIRST, "10:00"), patient=elena).appointments.get()
    noon = book(wish(FIRST, "13:00"), patient=noor).appointments.get()
    advance(now + 3 * MINUTES)
    assert len(providers.texts) == 2
    later = now + 60 * MINUTES
    block = blocks.block(
        site=site,
        resources=[needling_device],
        kind=BlockKind.MAINTENANCE,
        starts_at=at(FIRST, "08:00"),
        ends_at=at(FIRST, "08:00") + timedelta(days=7),
        by=front_desk,
        now=later,
        reason="Handpiece",
        over_visits=True,
    )
    # Another device is to be had, but not around noon.
    spare = Resource.objects.create(
        kind="device", name="Needle 2", site=site, modality=house.modality
    )
    blocks.block(
        site=site,
        resources=[spare],
        kind=BlockKind.BLOCKED,
        starts_at=at(FIRST, "12:00"),
        ends_at=at(FIRST, "18:00"),
        by=front_desk,
        now=later,
    )
    done = relocating.relocate(
        visits=affected.by_block(block, now=later), by=front_desk, now=later, reason="Handpiece"
    )
    assert {visit.pk for visit in done.moved} == {morning.pk, noon.pk}
    stayed, moved = (Appointment.objects.get(pk=each.pk) for each in (morning, noon))
    assert stayed.starts_at == morning.starts_at
    assert stayed.allocations.filter(active=True, resource=spare).exists()
    assert moved.starts_at != noon.starts_at
    advance(later + 3 * MINUTES)
    [told] = providers.texts[2:]
    assert told.to == "+12125550187"
    notices = Message.objects.filter(kind="appt_moved")
    assert {notice.patient for notice in notices} == {noor}
