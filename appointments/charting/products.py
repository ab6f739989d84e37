"""The products that a site used lately, as its signed logs say: names, lots and last days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from appointments.charting.log import ProductUsed, log_of
from appointments.models import Appointment, TreatmentRecord

LATELY = timedelta(days=90)
_LOGS_READ = 200


def used_lately(visit: Appointment) -> tuple[ProductUsed, ...]:
    """Each name with each lot once, as it was written last, in one query; the last used first."""
    signed = TreatmentRecord.objects.signed().filter(
        appointment__site=visit.site_id,
        appointment__starts_at__gt=visit.starts_at - LATELY,
        document__has_key="products",
    )
    written = signed.order_by("-appointment__starts_at", "-pk").values_list(
        "document__products", flat=True
    )
    found: dict[tuple[str, str], ProductUsed] = {}
    for products in written[:_LOGS_READ]:
        for each in log_of({"products": products}).products:
            found.setdefault((each.name, each.lot), each)
    return tuple(found.values())


def expiries(used: Sequence[ProductUsed]) -> dict[tuple[str, str], date]:
    """By name and lot the last day of those that have one."""
    return {
        (each.name, each.lot): expires_on
        for each in used
        if each.lot and (expires_on := each.last_day) is not None
    }
