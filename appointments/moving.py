"""Moving a visit, all or nothing.

A lost race becomes `SlotTaken` with the three nearest places. Refuses to know what messages
follow from an act.
"""

from __future__ import annotations

from datetime import datetime

from appointments import allocating, checking, claiming, gaps, history
from appointments.allocating import Lost
from appointments.claiming import Claim
from appointments.lifecycle import Move, State, after
from appointments.models import Appointment
from appointments.needs import DEVICE, PROVIDER, ROOM
from appointments.refusals import Refused
from appointments.ticks import TICK
from clinic import access
from clinic.access import Capability
from clinic.hours import local
from clinic.models import Staff


def move(
    *,
    appointment: Appointment,
    starts_at: datetime,
    by: Staff,
    now: datetime,
    provider_id: int | None = None,
    room_id: int | None = None,
    device_id: int | None = None,
    reason: str = "",
    expected_version: int | None = None,
    override_reason: str = "",
) -> Appointment:
    """Give a visit another start (UTC), or other resources, keeping its length.

    A resource that is not named is kept when it is free then, else another eligible one is
    taken. A visit that is under way, done or cancelled never moves.

    Raises:
        Refused, MoveRefused, Forbidden: with a sentence; nothing is written.
    """
    access.require(by, Capability.BOOK, appointment.site)
    after(State(appointment.state), Move.MOVE)
    series, site = appointment.series, appointment.site
    named = {PROVIDER: provider_id, ROOM: room_id, DEVICE: device_id}
    wish = claiming.wish_for_move(appointment, starts_at, named, now=now)
    claim = Claim(
        series.patient,
        site,
        series.protocol_version,
        series.areas,
        [wish],
        appointment.session,
        series,
        moving=appointment,
    )
    try:
        with allocating.guarded():
            visit = history.locked(
                appointment,
                by=by,
                capability=Capability.BOOK,
                expected=expected_version,
            )
            state = after(State(visit.state), Move.MOVE)
            claim.take(now=now, also=allocating.resources_of(visit).values())
            loaded = claim.load(now=now)
            checking.place_is_right(loaded, series.patient, wish)
            breached: list[Refused] = []
            if local(starts_at, site.zone).date() != local(visit.starts_at, site.zone).date():
                found = checking.breaches(loaded, claim.days(), claim.sessions)
                breached = [refusal for _, refusal in found]
            checking.override(breached, reason=override_reason, by=by, site=site)
            was = history.before(visit, allocating.release(visit))
            allocating.hold(claim.wanted, [visit] * len(claim.wanted))
            if starts_at != visit.starts_at:
                visit.schedule_version += 1
                visit.scheduled_at = now
            visit.starts_at, visit.ends_at = (
                starts_at,
                starts_at + claim.need.body * TICK,
            )
            visit.state = state
            if breached:
                visit.override_reason = override_reason
                visit.overrides = sorted({refusal.code for refusal in breached})
            change = history.keep(
                visit,
                Move.MOVE,
                was,
                by=by,
                now=now,
                reason=reason or (override_reason if breached else ""),
            )
            gaps.open_for([change], now=now)
            return visit
    except Lost:
        claiming.refuse(claim, now=now)
