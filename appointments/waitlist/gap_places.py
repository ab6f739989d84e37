"""The free places of one who waits in a gap and in the free time around it.

They are those of the real availability of the day. A place takes up something that the gap gave
back: its provider, or else its room or device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from appointments.finding import ticks
from appointments.finding.availability import OFFERED_EVERY, Openings
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.finding.ticks import TICK
from appointments.models import Gap, WaitlistEntry
from appointments.proposing.loading import Loaded, Wanted, load_each
from appointments.waitlist.ranking import Start
from clinic.wall_time import local


def loaded_for(entries: Sequence[WaitlistEntry], gap: Gap, *, now: datetime) -> list[Loaded]:
    """What decides where the visit of each entry fits on the day of the gap.

    The present visit of an entry stays in the way: nothing is offered that lies over it.
    """
    day = local(gap.starts_at, gap.site.zone).date()
    wanted = [
        Wanted(
            entry.patient,
            entry.protocol_version,
            entry.areas,
            entry.series_id,
            entry.appointment.body if entry.appointment else None,
        )
        for entry in entries
    ]
    return load_each(wanted, site=gap.site, first_day=day, last_day=day, now=now)


def starts_in(loaded: Loaded, entry: WaitlistEntry, gap: Gap) -> Iterator[Start]:
    """The free places that overlap the gap, at quarters of an hour and at its own start."""
    openings = Openings(loaded.facts, every=1)
    usual = {
        PROVIDER: entry.provider_id or gap.provider_id,
        ROOM: gap.room_id,
        DEVICE: gap.device_id,
    }
    for position in openings.positions_on(loaded.facts.first_day):
        starts_at = openings.starts_at(int(position))
        ends_at = starts_at + loaded.facts.need.body * TICK
        offered = not ticks.floor(starts_at) % OFFERED_EVERY or starts_at == gap.starts_at
        if not offered or starts_at >= gap.ends_at or ends_at <= gap.starts_at:
            continue
        chosen = openings.choose(int(position), usual)
        if chosen is not None and _takes_up(chosen, entry, gap):
            yield Start(starts_at, ends_at, chosen)


def _takes_up(chosen: dict[str, int], entry: WaitlistEntry, gap: Gap) -> bool:
    if entry.provider_id not in (None, chosen[PROVIDER]):
        return False
    freed = {PROVIDER: gap.provider_id, ROOM: gap.room_id, DEVICE: gap.device_id}
    return any(freed[kind] == resource for kind, resource in chosen.items() if kind in freed)
