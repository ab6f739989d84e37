"""Who waits for an earlier place in the demo: a few at each site, each with wishes of their own."""

from __future__ import annotations

from datetime import datetime, timedelta

from appointments.models import Appointment
from appointments.waitlist import entries
from appointments.waitlist.entries import EarlierVisit
from appointments.waitlist.wishes import Wishes
from clinic.models import Site
from config.demo_data.house import House

_NOON = 12 * 60
_AWAY = timedelta(days=3)
# How many days ago each of them asked, and what for.
_WAITING = (
    (11, Wishes(note="Works from home, can come at once", notice_minutes=60)),
    (8, Wishes(earliest=_NOON)),
    (5, Wishes(latest=_NOON, notice_minutes=24 * 60)),
    (2, Wishes(weekdays=(3, 4, 5), priority=1, note="Wedding on the 19th")),
)


def wait(house: House, *, now: datetime) -> None:
    """Put those on the list whose first visit is some days away."""
    for slug, place in house.places.items():
        visits = _first_visits(place.site, now)
        for (days, wishes), visit in zip(_WAITING, visits, strict=False):
            at = max(now - timedelta(days=days), visit.scheduled_at + timedelta(minutes=5))
            entries.add(
                target=EarlierVisit(visit),
                wishes=wishes,
                by=house.front_desk(slug),
                now=min(at, now),
            )


def _first_visits(site: Site, now: datetime) -> list[Appointment]:
    """One of each patient, the next first."""
    visits = Appointment.objects.filter(
        site=site,
        session=1,
        state__in=("booked", "confirmed"),
        is_locked=False,
        starts_at__gt=now + _AWAY,
    ).order_by("starts_at", "pk")
    by_patient: dict[int, Appointment] = {}
    for visit in visits.select_related("series__patient", "series__protocol_version", "site"):
        by_patient.setdefault(visit.series.patient_id, visit)
    return list(by_patient.values())
