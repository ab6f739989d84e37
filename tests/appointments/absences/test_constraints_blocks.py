"""What the database itself refuses of blocks and of what they hold."""

from datetime import datetime, timedelta

import pytest

from appointments.models import Allocation, Block
from clinic.models import Resource, Site
from tests.appointments.test_constraints import refused

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_block(site: Site, now: datetime, length: timedelta = DAY) -> Block:
    return Block.objects.create(
        site=site, kind="blocked", starts_at=now, ends_at=now + length, created_at=now
    )


@pytest.mark.parametrize("length", [timedelta(), -HOUR])
def test_a_block_ends_after_it_starts(site: Site, now: datetime, length: timedelta) -> None:
    refused("block_in_order", lambda: a_block(site, now, length))


def test_an_allocation_lasts_a_day_at_most(site: Site, room: Resource, now: datetime) -> None:
    block = a_block(site, now, 3 * DAY)
    held = {"resource": room, "block": block, "starts_at": now}
    refused(
        "allocation_within_a_day",
        lambda: Allocation.objects.create(**held, ends_at=now + DAY + timedelta(seconds=1)),
    )
    assert Allocation.objects.create(**held, ends_at=now + DAY).pk


def test_what_a_block_holds_neither_expires_nor_overlaps_on_purpose(
    site: Site, room: Resource, now: datetime
) -> None:
    held = {
        "resource": room,
        "block": a_block(site, now),
        "starts_at": now,
        "ends_at": now + HOUR,
    }
    refused(
        "allocation_only_holds_expire",
        lambda: Allocation.objects.create(**held, expires_at=now + HOUR),
    )
    refused(
        "allocation_only_visits_overlap",
        lambda: Allocation.objects.create(**held, is_deliberate=True),
    )
