"""What stands in a calendar feed: visits and blocks of a site, or of a provider wherever they are.

A provider's visit at a site where the feed's maker has no role is only a busy time. Refuses to
know how the feed was opened and how a calendar is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Case, Exists, Max, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from appointments.feeds import ical
from appointments.feeds.ical import BUSY, Entry, FeedCalendar
from appointments.lifecycle import State
from appointments.models import (
    Allocation,
    Appointment,
    Block,
    CalendarFeed,
    FeedDetail,
    StatusChange,
)
from clinic import access
from clinic.periods import Period
from clinic.wall_time import local


def load(feed: CalendarFeed, *, now: datetime) -> FeedCalendar:
    """The calendar as it is now, from 30 days back to 180 days ahead of the site's today."""
    reach = ical.reach(local(now, feed.site.zone).date(), feed.site.zone)
    found = sorted(
        [*_visits(feed, reach), *_blocks(feed, reach)], key=lambda each: (each.starts_at, each.uid)
    )
    name = feed.site.name
    if feed.provider is not None:
        name = f"{feed.provider.name} · {name}"
    return FeedCalendar(name, tuple(found))


def _visits(feed: CalendarFeed, reach: Period) -> Iterator[Entry]:
    told = set(access.sites_of(feed.made_by).values_list("pk", flat=True))
    if feed.detail == FeedDetail.BUSY:
        told = set()
    for visit in _rows(feed, reach):
        is_cancelled = visit["state"] == State.CANCELLED or not visit.get("is_held", True)
        if is_cancelled and visit["changed_at"] < reach.starts_at:
            continue
        starts_at, ends_at = visit["starts_at"], visit["ends_at"]
        if visit["site"] not in told and not is_cancelled:
            # Nobody reads when the patient comes; set-up and clean-up keep the provider as well.
            starts_at = visit.get("held_from") or starts_at
            ends_at = visit.get("held_until") or ends_at
        yield Entry(
            uid=_uid("visit", visit["pk"]),
            starts_at=starts_at,
            ends_at=ends_at,
            changed_at=visit["changed_at"],
            sequence=visit["version"],
            summary=_summary(visit) if visit["site"] in told else BUSY,
            location=visit["site__name"] if visit["site"] in told else "",
            is_cancelled=is_cancelled,
        )


def _rows(feed: CalendarFeed, reach: Period) -> Iterable[dict[str, Any]]:
    last = StatusChange.objects.filter(appointment=OuterRef("pk")).order_by("-id")
    visits = Appointment.objects.filter(starts_at__lt=reach.ends_at, ends_at__gt=reach.starts_at)
    visits = visits.annotate(changed_at=Coalesce(Subquery(last.values("at")[:1]), "booked_at"))
    fields = ["pk", "site", "site__name", "state", "starts_at", "ends_at", "version"]
    fields += ["changed_at", "session", "series__sessions", "protocol_version__modality__code"]
    fields += [f"series__patient__{name}" for name in ("preferred_name", "legal_given")]
    fields += ["series__patient__legal_family"]
    if feed.provider_id is None:
        here: Iterable[dict[str, Any]] = visits.filter(site=feed.site_id).values(*fields)
        return here
    # A visit that went to somebody else has no active allocation of this provider any more; one
    # that was over when it was brought over has none of anybody, and was theirs.
    held = Q(allocations__active=True)
    somebody = Allocation.objects.filter(appointment=OuterRef("pk"), active=True)
    theirs: Iterable[dict[str, Any]] = (
        visits.filter(allocations__resource=feed.provider_id)
        .annotate(
            is_held=Case(
                When(Exists(somebody), then=BoolOr("allocations__active")), default=Value(True)
            ),
            held_from=Min("allocations__starts_at", filter=held),
            held_until=Max("allocations__ends_at", filter=held),
        )
        .values(*fields, "is_held", "held_from", "held_until")
    )
    return theirs


def _summary(visit: dict[str, Any]) -> str:
    return ical.in_initials(
        visit["series__patient__preferred_name"] or visit["series__patient__legal_given"],
        visit["series__patient__legal_family"],
        visit["session"],
        visit["series__sessions"],
        visit["protocol_version__modality__code"],
    )


def _blocks(feed: CalendarFeed, reach: Period) -> Iterator[Entry]:
    """Busy times without a word: a reason may be anybody's."""
    blocks = Block.objects.filter(starts_at__lt=reach.ends_at, ends_at__gt=reach.starts_at)
    if feed.provider_id is None:
        blocks = blocks.filter(site=feed.site_id)
    else:
        blocks = blocks.filter(resources=feed.provider_id)
    for block in blocks.filter(Q(released_at=None) | Q(released_at__gte=reach.starts_at)):
        yield Entry(
            uid=_uid("block", block.pk),
            starts_at=block.starts_at,
            ends_at=block.ends_at,
            changed_at=block.released_at or block.created_at,
            sequence=1 if block.released_at else 0,
            is_cancelled=block.released_at is not None,
        )


def _uid(kind: str, pk: int) -> str:
    """Stays with the visit or the block for its whole life."""
    return f"{kind}-{pk}@{urlsplit(settings.PUBLIC_URL).hostname or ''}"
