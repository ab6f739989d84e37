"""Entries of the wait-list that were overtaken: what they asked for came about by another way.

Nothing is done at that moment. Such an entry is not `still_waiting` from then on, whoever reads;
`close` writes it down by and by.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from appointments.lifecycle import TO_COME
from appointments.models import Appointment, EntryEnd, WaitlistEntry
from appointments.models.series import SeriesState
from clinic.models import Site
from clinic.wall_time import local
from patients.models import Patient


def still_waiting(*, site: Site, now: datetime) -> QuerySet[WaitlistEntry]:
    """Those who wait at a site and whom nothing has overtaken, in order of rank."""
    return WaitlistEntry.objects.waiting().filter(site=site).exclude(_overtaken(site, now))


def close(*, site: Site, now: datetime, patient: Patient | None = None) -> int:
    """Close what was overtaken at a site, of one patient or of all; how many they were."""
    rows = WaitlistEntry.objects.waiting().filter(_overtaken(site, now), site=site)
    if patient is not None:
        rows = rows.filter(patient=patient)
    # By their ids: an UPDATE over several tables would lock the others too.
    found = list(rows.values_list("pk", flat=True))
    return (
        WaitlistEntry.objects.waiting()
        .filter(pk__in=found)
        .update(closed_at=now, closed_as=EntryEnd.OVERTAKEN)
    )


def tidy(*, now: datetime) -> int:
    """Close what was overtaken at every site."""
    return sum(close(site=site, now=now) for site in Site.objects.all())


def _overtaken(site: Site, now: datetime) -> Q:
    """The visit is over, given up or earlier than when they asked; the series has ended or has
    no session left to book; a first visit was booked; the last day is past; the patient died."""
    visit = Q(appointment__isnull=False) & (
        ~Q(appointment__state__in=TO_COME)
        | Q(appointment__starts_at__lte=now)
        | Q(appointment__starts_at__lt=F("asked_start"))
    )
    booked = (
        Appointment.objects.standing()
        .filter(series=OuterRef("series"))
        .order_by()
        .values("series")
        .annotate(number=Count("pk"))
        .values("number")
    )
    through = Q(
        appointment=None,
        series__isnull=False,
        series__sessions__lte=Coalesce(Subquery(booked), 0),
    )
    since = Appointment.objects.standing().filter(
        series__patient=OuterRef("patient"),
        series__protocol_version__protocol=OuterRef("protocol_version__protocol"),
        series__booked_at__gt=OuterRef("created_at"),
    )
    return (
        visit
        | through
        | Q(series__isnull=False) & ~Q(series__state=SeriesState.OPEN)
        | Q(series=None) & Exists(since)
        | Q(last_day__lt=local(now, site.zone).date())
        | Q(patient__deceased_at__isnull=False)
    )
