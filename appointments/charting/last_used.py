"""The cartridges, tips and transducers that were last used, to choose from in a log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max

from appointments.charting import fields
from appointments.charting.sheets import Sheet
from appointments.models import Cartridge, TreatmentRecord

LATELY = timedelta(days=90)
MOST = 10


@dataclass(frozen=True, slots=True)
class LastUsed:
    """Their own numbers, and their lots; each the last used first."""

    codes: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()

    def offered(self, path: str) -> tuple[str, ...]:
        """What is offered for the value at `path` of a log."""
        if path in fields.CODE_PATHS:
            return self.codes
        return self.lots if path in fields.LOT_PATHS else ()


def last_used(sheet: Sheet) -> LastUsed:
    """Of the site and modality of the visit, in one query, or none when the protocol asks for none.

    Signed logs of the last 90 days count, unless an addendum corrected the number or lot; what has
    expired on the day of the visit is left out.
    """
    if not fields.takes_cartridge(sheet.protocol):
        return LastUsed()
    visit = sheet.visit
    records = TreatmentRecord.objects.signed().filter(
        appointment__starts_at__gt=visit.starts_at - LATELY
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
    cartridges = list(found)
    return LastUsed(
        # Without a number of its own a cartridge goes by its lot.
        codes=tuple(each.code for each in cartridges if each.code != each.lot),
        lots=tuple(dict.fromkeys(each.lot for each in cartridges if each.lot)),
    )
