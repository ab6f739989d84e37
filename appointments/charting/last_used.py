"""What a site last used: cartridges, tips, transducers and products, to choose from in a log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Max

from appointments.charting import fields
from appointments.charting.log import CartridgeUsed, ProductUsed
from appointments.charting.products import LATELY
from appointments.charting.recounted import recounted
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
    """At the site of the visit: products, and in a few queries what touches the skin, of the
    visit's modality and where the protocol asks for it.

    Signed logs of the last 90 days until the visit count, as they were corrected since; what is on
    record as expired on the day of the visit is left out.
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


def _cartridges(sheet: Sheet) -> list[CartridgeUsed]:
    """Each once, the last used first."""
    visit, here = sheet.visit, Cartridge.objects.filter(site=sheet.visit.site_id)
    here = here.filter(modality=sheet.version.modality_id)
    since = visit.starts_at - LATELY
    anew = recounted(site=visit.site_id, modality=sheet.version.modality_id)
    records = TreatmentRecord.objects.signed().filter(
        appointment__starts_at__gt=since, appointment__starts_at__lte=visit.starts_at
    )
    as_signed = (
        here.filter(records__in=records.exclude(pk__in=[each.record_id for each in anew]))
        .exclude(expires_on__lt=sheet.day)
        .annotate(last=Max("records__appointment__starts_at"))
        .order_by("-last", "-pk")[:MOST]
    )
    found = [(row.last, CartridgeUsed(row.code, row.lot)) for row in as_signed]
    corrected = [each for each in anew if since < each.at <= visit.starts_at]
    if corrected:
        codes = [each.cartridge.code_of_row for each in corrected]
        expired = set(
            here.filter(code__in=codes, expires_on__lt=sheet.day).values_list("code", flat=True)
        )
        found += [
            (each.at, CartridgeUsed(each.cartridge.code, each.cartridge.lot))
            for each in corrected
            if each.cartridge.code_of_row not in expired
        ]
    found.sort(key=lambda each: each[0], reverse=True)
    once: dict[str, CartridgeUsed] = {}
    for _, used in found:
        once.setdefault(used.code, used)
    return list(once.values())[:MOST]
