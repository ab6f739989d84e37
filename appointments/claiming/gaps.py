"""Gaps: places that a cancellation or a move gave back, for those on the wait-list.

A gap is a remark, not a hold: anybody may book over it, and an undo takes it back. Whoever
offers it asks first what is still free.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from appointments.claiming import allocating
from appointments.claiming.allocating import Held
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.models import Gap, GapEnd, Offer, StatusChange
from appointments.refusals import BeingOffered, GapClosed
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Resource, Staff
from clinic.periods import Period
from clinic.saying import gettext


def open_for(changes: Sequence[StatusChange], *, now: datetime) -> list[Gap]:
    """Open a gap for each place that these acts on visits gave back and nobody has taken by
    the same act: a swap leaves none, and a visit that moved by minutes none either.

    Called in the transaction of the acts, after all of them. The visits must be loaded.
    """
    left = [change for change in changes if change.starts_before and change.starts_before > now]
    if not left:
        return []
    rows = Resource.objects.in_bulk({pk for change in left for pk in change.resources_before})
    gaps = [gap for change in left if (gap := _gap(change, rows)) is not None]
    wanted = [_body(gap, number) for number, gap in enumerate(gaps)]
    taken = {each.held.visit for each in allocating.collisions(wanted, now=now)}
    return Gap.objects.bulk_create(gap for number, gap in enumerate(gaps) if number not in taken)


def _gap(change: StatusChange, rows: dict[int, Resource]) -> Gap | None:
    """The place that a visit had before; None for one that held no provider or room."""
    starts_at, ends_at = change.starts_before, change.ends_before
    held = {rows[pk].kind: rows[pk] for pk in change.resources_before}
    if starts_at is None or ends_at is None or not {PROVIDER, ROOM} <= set(held):
        return None
    return Gap(
        site=change.appointment.site,
        opened_by=change,
        starts_at=starts_at,
        ends_at=ends_at,
        provider=held[PROVIDER],
        room=held[ROOM],
        device=held.get(DEVICE),
    )


def _body(gap: Gap, number: int = 0) -> Held:
    return Held(gap.provider_id, Period(gap.starts_at, gap.ends_at), number)


def taken(gaps: Sequence[Gap], *, now: datetime) -> set[int]:
    """The ids of those whose provider has something else by now; a hold only keeps them."""
    wanted = [_body(gap, number) for number, gap in enumerate(gaps)]
    return {
        gaps[each.held.visit].pk
        for each in allocating.collisions(wanted, now=now)
        if each.hold_id is None
    }


def dismiss(*, gap: Gap, by: Staff, now: datetime) -> Gap:
    """Offer it to nobody. Raises GapClosed, BeingOffered while an offer is open, Forbidden."""
    with transaction.atomic():
        stored = locked(gap, by=by)
        if Offer.objects.open_at(now).filter(gap=stored).exists():
            raise BeingOffered(gettext("This place is being offered. Take the offer back first."))
        close(stored, GapEnd.DISMISSED, now=now)
        _record("gap.dismiss", stored, by=by, now=now)
        return stored


def reopen(*, gap: Gap, by: Staff, now: datetime) -> Gap:
    """Take back a dismissal. Raises GapClosed when it was filled, Forbidden."""
    with transaction.atomic():
        stored = _locked(gap, by=by)
        if stored.closed_as == GapEnd.FILLED:
            raise GapClosed(gettext("This place was filled meanwhile."))
        stored.closed_at, stored.closed_as = None, ""
        stored.save(update_fields=["closed_at", "closed_as"])
        _record("gap.reopen", stored, by=by, now=now)
        return stored


def locked(gap: Gap, *, by: Staff | None) -> Gap:
    """The gap as it is now, under its lock. Raises Forbidden, and GapClosed when it is closed."""
    stored = _locked(gap, by=by)
    if stored.closed_at is not None:
        raise GapClosed(
            gettext("This place is closed: %(get_closed_as_display)s.")
            % {"get_closed_as_display": stored.get_closed_as_display().lower()}
        )
    return stored


def _locked(gap: Gap, *, by: Staff | None) -> Gap:
    stored = (
        Gap.objects.select_for_update(of=("self",), no_key=True)
        .select_related("site", "provider", "room", "device")
        .get(pk=gap.pk)
    )
    if by is not None:
        access.require(by, Capability.BOOK, stored.site)
    return stored


def close(gap: Gap, end: GapEnd, *, now: datetime) -> None:
    """Close a gap that the caller has locked."""
    gap.closed_at, gap.closed_as = now, end
    gap.save(update_fields=["closed_at", "closed_as"])


def _record(action: str, gap: Gap, *, by: Staff, now: datetime) -> None:
    audit.record(action=action, subject=gap, by=by, now=now, site=gap.site)
