"""Visits as a page shows them: with their patient and their protocol."""

from __future__ import annotations

from django.db.models import Prefetch

from appointments.models.appointment import AppointmentQuerySet
from clinic.models import ProtocolVersion


def with_patients(visits: AppointmentQuerySet) -> AppointmentQuerySet:
    """The visits in order of time, in a constant number of queries. Many are of one protocol,
    which is read once and shared."""
    versions = ProtocolVersion.objects.select_related("modality")
    return (
        visits.select_related("series__patient")
        .prefetch_related(Prefetch("protocol_version", queryset=versions))
        .order_by("starts_at", "id")
    )
