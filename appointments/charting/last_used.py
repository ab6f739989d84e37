"""What a site last used: cartridges, tips, transducers and products, to choose from in a log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Max

from appointments.charting import fields
from appointments.charting.log import ProductUsed
from appointments.charting.products import LATELY
from appointments.charting.sheets import Sheet
from appointments.models import Cartridge, TreatmentRecord

MOST = 10
_PRODUCT = re.compile(r"product\.\d+\.(name|lot)")


@dataclass(frozen=True, slots=True)
class LastUsed:
    """The numbers of cartridges and the like, their lots, and products; each the last used
    first."""

    codes: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    products: tuple[ProductUsed, ...] = ()

    def offered(self, path: str) -> tuple[tuple[str, str], ...]:
        """What is offered for the value at `path` of a log's form, each with what it is."""
        if path in fields.CODE_PATHS:
            return tuple((each, "") for each in self.codes)
        if path in fields.LOT_PATHS:
            return tuple((each, "") for each in self.lots)
        match = _PRODUCT.fullmatch(path)
        if match is None:
            return ()
        if match[1] == "name":
            return tuple((each, "") for each in dict.fromkeys(each.name for each in self.products))
        return tuple((each.lot, each.name) for each in self.products if each.lot)


def last_used(sheet: Sheet) -> LastUsed:
    """At the site of the visit: products, and in one query what touches the skin, of the visit's
    modality and where the protocol asks for it.

    Signed logs of the last 90 days until the visit count, but for a cartridge those whose number or lot an
    addendum corrected; what has expired on the day of the visit is left out.
    """
    cartridges = _cartridges(sheet) if fields.takes_cartridge(sheet.protocol) else []
    products = (
        each for each in sheet.used_lately if each.last_day is None or each.last_day >= sheet.day
    )
    return LastUsed(
        # Without a number of its own a cartridge goes by its lot.
        codes=tuple(each.code for each in cartridges if each.code != each.lot),
        lots=tuple(dict.fromkeys(each.lot for each in cartridges if each.lot)),
        products=tuple(products)[:MOST],
    )


def _cartridges(sheet: Sheet) -> list[Cartridge]:
    visit = sheet.visit
    records = TreatmentRecord.objects.signed().filter(
        appointment__starts_at__gt=visit.starts_at - LATELY,
        appointment__starts_at__lte=visit.starts_at,
    )
    corrected = [*fields.CODE_PATHS, *fields.LOT_PATHS]
    found = (
        Cartridge.objects.filter(
            site=visit.site_id,
            modality=sheet.version.modality_id,
            records__in=records.exclude(addenda__corrections__has_any_keys=corrected),
        )
        .exclude(expires_on__lt=sheet.day)
        .annotate(last=Max("records__appointment__starts_at"))
        .order_by("-last", "-pk")[:MOST]
    )
    return list(found)
