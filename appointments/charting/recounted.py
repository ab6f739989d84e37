"""Logs of which an addendum corrected the number or lot of the cartridge: what it was in truth.

The signed row keeps the cartridge that was signed; whoever counts over logs counts these anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from appointments.charting import copying, fields
from appointments.charting.copying import Signed
from appointments.charting.log import CartridgeUsed, log_of
from appointments.models import Addendum
from clinic.protocols import loading as protocols

_PATHS = (*fields.CODE_PATHS, *fields.LOT_PATHS)


@dataclass(frozen=True, slots=True)
class Recounted:
    """A signed log with the `cartridge` that its addenda left it; `at` is when its visit began."""

    record_id: int
    at: datetime
    cartridge: CartridgeUsed


def recounted(*, site: int, modality: str) -> list[Recounted]:
    """Every one of a site and modality, in one query."""
    addenda = Addendum.objects.filter(
        corrections__has_any_keys=_PATHS,
        record__appointment__site=site,
        record__protocol_version__modality=modality,
    )
    with_all = addenda.select_related("record__appointment", "record__protocol_version")
    found = []
    for record, rows in groupby(with_all.order_by("record_id", "number"), lambda row: row.record):
        log = copying.corrected(
            Signed(log_of(record.document), tuple(each.corrections for each in rows))
        )
        cartridge = fields.cartridge_of(protocols.get(record.protocol_version), log)
        if cartridge is not None:
            found.append(Recounted(record.pk, record.appointment.starts_at, cartridge))
    return found


def of_cartridge(those: Collection[Recounted], cartridge: CartridgeUsed) -> list[int]:
    """The records among them that used the cartridge of this number."""
    code = cartridge.code_of_row
    return [each.record_id for each in those if each.cartridge.code_of_row == code]
