"""Taking over the settings of last time, as they were corrected since. Pure.

Never the safety fields: what the skin, the patient or a consumable is like today must be looked
at today, whatever a protocol marks as copyable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appointments.charting import fields
from appointments.charting.checking import value_finding
from appointments.charting.log import Log, Value, plain
from clinic.protocols.schema import LogField, Protocol

# Skin type and test spot, medicines and numbing, what was seen and felt, lots and eye protection.
SAFETY_FIELDS = frozenset(
    {
        *("skin_type", "fitzpatrick", "test_spot", "patch_test", "test_pulse"),
        *("medicines", "tablets", "analgesia", "anaesthetic", "anaesthetic_minutes"),
        *("eye_shields", "coupling_seen", "heat_feedback", "return_pad", "skin_temperature"),
        *("pain", "endpoint", "reaction", "outcome", "findings"),
        *("lines", "pulses", "cartridge_lot", "tip_lot", "transducer_serial"),
    }
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed log with the corrections of its addenda, each path → value, oldest first."""

    log: Log
    corrections: tuple[Mapping[str, Any], ...] = ()


def is_copied(field: LogField) -> bool:
    """Whether a field may be taken over from last time."""
    return field.copyable and field.id not in SAFETY_FIELDS


def corrected(signed: Signed) -> Log:
    """The log as its addenda left it."""
    log = signed.log
    session = dict(log.session)
    zones = {zone: dict(values) for zone, values in log.zones.items()}
    for correction in signed.corrections:
        for path, given in correction.items():
            value, parts = plain(given), path.split(".")
            if value is None:
                continue
            if len(parts) == 2 and parts[0] == "session":
                session[parts[1]] = value
            elif len(parts) == 3 and parts[0] == "zones" and parts[1] in zones:
                zones[parts[1]][parts[2]] = value
    return replace(log, session=session, zones=zones)


def was(protocol: Protocol, areas: Sequence[str], earlier: Sequence[Signed]) -> dict[str, Value]:
    """By path what each setting was last time; `earlier` are the signed logs, the latest first.

    A zone that was not treated last time is as it was before that.
    """
    found: dict[str, Value] = {}
    logs = [corrected(each) for each in earlier]
    for path, field in fields.places(protocol, areas):
        if not is_copied(field):
            continue
        parts = path.split(".")
        holders = [log for log in logs if parts[0] == "session" or parts[1] in log.zones][:1]
        for log in holders:
            values = log.session if parts[0] == "session" else log.zones[parts[1]]
            value = values.get(field.id)
            if value is not None and _still_fits(field, value, path):
                found[path] = value
    return found


def copied(log: Log, settings: Mapping[str, Value], areas: Sequence[str]) -> Log:
    """`log` with these settings in place of its own; zones that it leaves out stay out, unless
    it has none yet."""
    session = dict(log.session)
    zones = {zone: dict(values) for zone, values in log.zones.items()}
    zones = zones or {area: {} for area in areas}
    for path, value in settings.items():
        parts = path.split(".")
        if parts[0] == "session":
            session[parts[1]] = value
        elif parts[1] in zones:
            zones[parts[1]][parts[2]] = value
    return replace(log, session=session, zones=zones)


def _still_fits(field: LogField, value: Value, path: str) -> bool:
    """Whether the present version of the protocol knows such a value; out of range it may be."""
    finding = value_finding(field, value, path)
    return finding is None or finding.code == "range"
