"""The products that a site used lately, as its signed logs say: names, lots and last days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from appointments.charting.log import ProductUsed, log_of
from appointments.models import Appointment, TreatmentRecord

LATELY = timedelta(days=90)
_LOGS_READ = 200


def used_lately(visit: Appointment) -> tuple[ProductUsed, ...]:
    """Until `visit` each name with each lot once, in one query; the last used first.

    It is as it was written last, but a last day once written stands until another one is.
    """
    signed = TreatmentRecord.objects.signed().filter(
        appointment__site=visit.site_id,
        appointment__starts_at__gt=visit.starts_at - LATELY,
        appointment__starts_at__lte=visit.starts_at,
        document__has_key="products",
    )
    written = signed.order_by("-appointment__starts_at", "-pk").values_list(
        "document__products", flat=True
    )
    found: dict[tuple[str, str], ProductUsed] = {}
    for products in written[:_LOGS_READ]:
        for each in log_of({"products": products}).products:
            later = found.setdefault((each.name, each.lot), each)
            if not later.expires_on:
                found[each.name, each.lot] = replace(later, expires_on=each.expires_on)
    return tuple(found.values())


def with_last_days(
    products: Iterable[ProductUsed], used: Iterable[ProductUsed]
) -> tuple[ProductUsed, ...]:
    """`products` with the last days that are known of their lots, where they say none."""
    known = {(each.name, each.lot): each.expires_on for each in used if each.lot}
    return tuple(
        each if each.expires_on else replace(each, expires_on=known.get((each.name, each.lot), ""))
        for each in products
    )
