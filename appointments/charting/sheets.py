"""The sheet of a visit: its log as it stands, and what is needed to write, check and copy it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Q, QuerySet, Sum

from appointments.charting import checking, copying, fields, products
from appointments.charting.checking import Finding, Wear
from appointments.charting.copying import Signed
from appointments.charting.log import CartridgeUsed, Log, ProductUsed, Value, log_of
from appointments.charting.recounted import of_cartridge, recounted
from appointments.models import Addendum, Appointment, Cartridge, TreatmentRecord
from clinic.models import ProtocolVersion
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.wall_time import local

_UNWORN = Wear()
# So far back is looked for a zone that was not treated last time.
_EARLIER = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """`record` is None while nothing is written. `was` are last time's settings by path, `day` the
    local date of the visit. Until it is signed, `used_lately` are the products of the site, and the
    products of the `log` have the last days known from there."""

    visit: Appointment
    version: ProtocolVersion
    protocol: Protocol
    record: TreatmentRecord | None
    log: Log
    day: date
    was: Mapping[str, Value] = field(default_factory=dict)
    wear: Wear = _UNWORN
    used_lately: tuple[ProductUsed, ...] = ()

    @property
    def areas(self) -> list[str]:
        return self.visit.series.areas

    def findings(self) -> tuple[Finding, ...]:
        return checking.findings(
            self.protocol,
            self.log,
            areas=self.areas,
            day=self.day,
            wear=self.wear,
        )


def sheet_of(visit: Appointment, *, log: Log | None = None) -> Sheet:
    """The sheet of `visit`; with `log` as if that were its draft."""
    record = TreatmentRecord.objects.filter(appointment=visit).select_related("protocol_version")
    stored = record.select_related("drafted_by", "signed_by", "cartridge").first()
    version = stored.protocol_version if stored is not None else visit.protocol_version
    protocol = protocols.get(version)
    if log is None:
        log = log_of(stored.document) if stored is not None else Log()
    log = fields.as_typed(protocol, log)
    is_signed = stored is not None and stored.is_signed
    used_lately = () if is_signed else products.used_lately(visit)
    earlier = [signed_of(row) for row in signed_before(visit, protocol.id)[:_EARLIER]]
    return Sheet(
        visit=visit,
        version=version,
        protocol=protocol,
        record=stored,
        log=replace(log, products=products.with_last_days(log.products, used_lately)),
        day=local(visit.starts_at, visit.site.zone).date(),
        was=copying.was(protocol, visit.series.areas, earlier),
        wear=wear_of(visit, version, fields.cartridge_of(protocol, log)),
        used_lately=used_lately,
    )


def signed_of(record: TreatmentRecord) -> Signed:
    """A signed record with its corrections, of rows whose addenda may be prefetched."""
    addenda = sorted(record.addenda.all(), key=lambda each: each.number)
    return Signed(log_of(record.document), tuple(each.corrections for each in addenda))


def used_now(record: TreatmentRecord) -> int | None:
    """The lines or pulses of a signed record as its addenda left them."""
    changes = [each.used_change for each in record.addenda.all()]
    return (record.used or 0) + sum(changes) if any(changes) else record.used


def wear_of(visit: Appointment, version: ProtocolVersion, entry: CartridgeUsed | None) -> Wear:
    """What other visits have used of a cartridge, as corrected since, and what is on record of
    it."""
    if entry is None:
        return Wear()
    known = Cartridge.objects.filter(
        site=visit.site_id, modality=version.modality_id, code=entry.code_of_row
    ).first()
    anew = recounted(site=visit.site_id, modality=version.modality_id)
    others = TreatmentRecord.objects.exclude(appointment=visit).filter(
        Q(cartridge=known, cartridge__isnull=False) & ~Q(pk__in=[each.record_id for each in anew])
        | Q(pk__in=of_cartridge(anew, entry))
    )
    used = others.aggregate(sum=Sum("used"))["sum"] or 0
    changes = Addendum.objects.filter(record__in=others)
    used += changes.aggregate(sum=Sum("used_change"))["sum"] or 0
    return Wear(
        used=max(used, 0),
        life=known.life if known else None,
        expires_on=known.expires_on if known else None,
    )


def signed_before(visit: Appointment, protocol: str) -> QuerySet[TreatmentRecord]:
    """The patient's signed logs of this protocol before the visit, the latest first."""
    return (
        TreatmentRecord.objects.signed()
        .filter(
            appointment__series__patient=visit.series.patient_id,
            protocol_version__protocol=protocol,
            appointment__starts_at__lt=visit.starts_at,
        )
        .order_by("-appointment__starts_at", "-id")
        .prefetch_related("addenda")
    )
