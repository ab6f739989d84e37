"""What is still to be written or signed, and a provider's day."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from appointments.lifecycle import State
from appointments.models import Appointment
from clinic.models import Site, Staff
from clinic.wall_time import instant, local

_ONE_DAY = timedelta(days=1)
_IS_UNSIGNED = Q(
    Q(record=None) | Q(record__signed_at=None),
    state=State.DONE,
    done_at__gte=F("booked_at"),
    protocol_version__document__has_key="session_log",
)


def unsigned(site: Site, *, staff: Staff | None = None) -> QuerySet[Appointment]:
    """Visits that were done and whose log is not signed, the oldest first; with `staff` those of
    that provider and those that they began to write.

    A protocol that asks for nothing has no log, and neither have visits that were done before they
    came into this diary.
    """
    rows = unsigned_at([site])
    if staff is not None:
        own = Appointment.objects.filter(_provided_by(staff)).values("pk")
        rows = rows.filter(Q(pk__in=own) | Q(record__drafted_by=staff))
    return rows


def unsigned_at(sites: Iterable[Site]) -> QuerySet[Appointment]:
    """As `unsigned`, of several sites."""
    return _shown().filter(_IS_UNSIGNED, site__in=sites).order_by("starts_at", "id")


def unsigned_of(visits: Collection[Appointment]) -> list[int]:
    """The ids of those of `visits` that are `unsigned`."""
    done = [visit.pk for visit in visits if visit.state == State.DONE]
    rows = Appointment.objects.filter(_IS_UNSIGNED, pk__in=done)
    return list(rows.values_list("pk", flat=True)) if done else []


def day_of(site: Site, staff: Staff, now: datetime) -> list[Appointment]:
    """The visits that `staff` provides today at `site`, in order of time."""
    today = local(now, site.zone).date()
    rows = _shown().filter(
        _provided_by(staff),
        site=site,
        starts_at__gte=instant(today, 0, site.zone),
        starts_at__lt=instant(today + _ONE_DAY, 0, site.zone),
    )
    return list(rows.exclude(state=State.CANCELLED).distinct().order_by("starts_at", "id"))


def _shown() -> QuerySet[Appointment]:
    return Appointment.objects.select_related(
        "series__patient", "site", "protocol_version__modality", "record__drafted_by"
    )


def _provided_by(staff: Staff) -> Q:
    return Q(allocations__active=True, allocations__resource__staff=staff)
