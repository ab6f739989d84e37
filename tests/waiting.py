"""Rows of the wait-list, written straight into their tables."""

from datetime import datetime, timedelta

from appointments.models import Appointment, Gap, Hold, Invitation, Offer, WaitlistEntry
from clinic.models import Staff


def waits_for_earlier(visit: Appointment, *, now: datetime, **fields: object) -> WaitlistEntry:
    """An entry for an earlier time of a visit."""
    series = visit.series
    values = {
        "site": visit.site,
        "patient": series.patient,
        "protocol_version": series.protocol_version,
        "areas": series.areas,
        "series": series,
        "appointment": visit,
        "asked_start": visit.starts_at,
        "created_at": now,
    }
    return WaitlistEntry.objects.create(**{**values, **fields})


def gap_of(visit: Appointment, **fields: object) -> Gap:
    """The gap that the last act on a visit opened at its present place."""
    held = {each.resource.kind: each.resource for each in visit.allocations.all()}
    values = {
        "site": visit.site,
        "opened_by": visit.history.latest("id"),
        "starts_at": visit.starts_at,
        "ends_at": visit.ends_at,
        "provider": held["provider"],
        "room": held["room"],
        "device": held.get("device"),
    }
    return Gap.objects.create(**{**values, **fields})


def offer_of(gap: Gap, *, by: Staff, now: datetime, minutes: int = 15, **fields: object) -> Offer:
    """An open offer of a gap, whose hold holds nothing."""
    ends = now + timedelta(minutes=minutes)
    hold = Hold.objects.create(
        site=gap.site, purpose="offer", held_by=by, held_at=now, expires_at=ends
    )
    values = {"gap": gap, "hold": hold, "made_by": by, "made_at": now, "expires_at": ends}
    return Offer.objects.create(**{**values, **fields})


def invitation_to(offer: Offer, entry: WaitlistEntry, **fields: object) -> Invitation:
    """The place of the gap, offered to an entry."""
    gap = offer.gap
    values = {
        "offer": offer,
        "entry": entry,
        "starts_at": gap.starts_at,
        "ends_at": gap.ends_at,
        "provider": gap.provider,
        "room": gap.room,
        "device": gap.device,
    }
    return Invitation.objects.create(**{**values, **fields})
