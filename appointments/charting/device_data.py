"""What the device did in the treatment that an adverse event came of, for its maker and the
authorities: as JSON and as a sheet. It names no patient but by their number here, and names
photos without showing them: a face is a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from appointments.charting import copying, fields
from appointments.charting.checking import Wear
from appointments.charting.log import CartridgeUsed, document_of
from appointments.charting.sheets import Sheet, sheet_of, signed_of, used_now, wear_of
from appointments.models import AdverseEvent
from clinic import printing
from clinic.models import ResourceKind
from clinic.printing import Block, Facts, Heading, Paragraph
from clinic.saying_times import format_when


def device_data(event: AdverseEvent) -> dict[str, Any]:
    """The event with its visit's device, cartridge and log as signed, and as corrected since."""
    visit = event.appointment
    data: dict[str, Any] = {
        "event": {
            "number": event.pk,
            "what": event.what,
            "severity": event.severity,
            "areas": list(event.areas),
            "noticed_at": event.noticed_at.isoformat(),
            "reported_at": event.reported_at.isoformat(),
            "course": event.course,
            "measures": event.measures,
            "outcome": event.outcome,
            "conclusion": event.conclusion,
        },
        "patient": {"number": event.patient_id, "born": event.patient.birth_date.year},
        "site": event.site.name,
        "photos": [
            {
                "number": photo.pk,
                "area": photo.area,
                "view": photo.view,
                "taken_at": photo.taken_at.isoformat(),
                "sha256": photo.digest,
            }
            for photo in event.photos.standing().order_by("taken_at", "pk")
        ],
    }
    if visit is None:
        return data
    # What was brought over holds nothing any more, and says all the same what was used.
    held = visit.allocations.filter(active=not visit.is_history)
    held = held.select_related("resource").order_by("pk")
    sheet = sheet_of(visit)
    data["treatment"] = {
        "visit": visit.pk,
        "session": visit.session,
        "starts_at": visit.starts_at.isoformat(),
        "done_at": visit.done_at.isoformat() if visit.done_at else "",
        "protocol": f"{sheet.version.protocol} {sheet.version.version}",
        "devices": [
            {"name": row.resource.name, "serial": row.resource.serial}
            for row in held
            if row.resource.kind == ResourceKind.DEVICE
        ],
        "providers": [
            row.resource.name for row in held if row.resource.kind == ResourceKind.PROVIDER
        ],
    }
    record = sheet.record
    if record is None:
        return data
    log_now = copying.corrected(signed_of(record))
    data["log"] = {
        "signed_at": record.signed_at.isoformat() if record.signed_at else "",
        "digest": record.digest,
        "values": document_of(sheet.log),
        "units": {
            path: field.unit
            for path, field in fields.places(sheet.protocol, sheet.areas)
            if field.unit
        },
        "corrected": document_of(log_now),
        "addenda": [
            {
                "number": each.number,
                "at": each.at.isoformat(),
                "reason": each.reason,
                "text": each.text,
                "corrections": each.corrections,
                "digest": each.digest,
            }
            for each in record.addenda.all()
        ],
    }
    signed = fields.cartridge_of(sheet.protocol, sheet.log)
    if signed is not None:
        data["cartridge"] = _cartridge(sheet, signed, record.used, sheet.wear)
    now, used = fields.cartridge_of(sheet.protocol, log_now), used_now(record)
    if now is not None and (now != signed or used != record.used):
        wear = wear_of(visit, sheet.version, now)
        if signed is None or now.code != signed.code:
            # What was signed of its life and expiry was of another number.
            now = replace(now, expires_on="", life=None)
        data["corrected_cartridge"] = _cartridge(sheet, now, used, wear)
    return data


def _cartridge(sheet: Sheet, entry: CartridgeUsed, used: int | None, wear: Wear) -> dict[str, Any]:
    return {
        "number": entry.code,
        "lot": entry.lot,
        "expires_on": entry.expires_on or str(wear.expires_on or ""),
        "life": entry.life or wear.life,
        "unit": fields.unit_of_life(sheet.protocol),
        "used_in_this_session": used,
        "used_at_other_visits": wear.used,
    }


def device_sheet(event: AdverseEvent, *, now: datetime) -> bytes:
    """The same as PDF."""
    data = device_data(event)
    return printing.pdf(
        title=f"Adverse event {event.pk}: device data",
        blocks=list(_blocks(data)),
        footer=f"{event.site.name}, {format_when(now, event.site.zone, 'en')}",
        at=now,
    )


_TITLES = {
    "event": "What happened",
    "patient": "Patient",
    "site": "Site",
    "treatment": "Treatment",
    "cartridge": "Cartridge or tip",
    "corrected_cartridge": "Cartridge or tip, as corrected",
    "log": "Treatment log",
    "photos": "Photos on record",
}


def _blocks(data: dict[str, Any]) -> Iterator[Block]:
    for name, title in _TITLES.items():
        if data.get(name):
            yield Heading(title)
            yield Facts(tuple(_rows(data[name])))
    if "log" not in data:
        yield Paragraph("No treatment log is on record for it.")


def _rows(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf with where it stands."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _rows(inner, f"{path} {name}".strip())
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, inner in enumerate(value, 1):
            yield from _rows(inner, f"{path} {number}".strip())
    else:
        said = ", ".join(str(each) for each in value) if isinstance(value, list) else value
        if said not in ("", None):
            yield path.replace("_", " ") or "name", str(said)
