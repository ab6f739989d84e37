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
    """Whether a field may be taken over from last time. What was delivered on the map never is."""
    return is_told(field) and not fields.is_counted(field)


def is_told(field: LogField) -> bool:
    """Whether what a field was last time stands beside it."""
    return field.copyable and field.id not in SAFETY_FIELDS


def corrected(signed: Signed) -> Log:
    """The log as its addenda left it."""
    log = signed.log
    session = dict(log.session)
    zones = {zone: dict(values) for zone, values in log.zones.items()}
    regions = {region: dict(values) for region, values in log.regions.items()}
    for correction in signed.corrections:
        for path, given in correction.items():
            value, parts = plain(given), path.split(".")
            if value is None:
                continue
            if len(parts) == 2 and parts[0] == "session":
                session[parts[1]] = value
            elif len(parts) == 3 and parts[0] == "zones" and parts[1] in zones:
                zones[parts[1]][parts[2]] = value
            elif len(parts) == 3 and parts[0] == "regions":
                regions.setdefault(parts[1], {})[parts[2]] = value
    return replace(log, session=session, zones=zones, regions=regions)


def was(protocol: Protocol, areas: Sequence[str], earlier: Sequence[Signed]) -> dict[str, Value]:
    """By path what each setting was last time; `earlier` are the signed logs, the latest first.

    A zone that was not treated last time is as it was before that.
    """
    found: dict[str, Value] = {}
    logs = [corrected(each) for each in earlier]
    for path, field in fields.places(protocol, areas):
        if not is_told(field):
            continue
        part, *place = path.split(".")
        for log in [log for log in logs if _speaks_of(log, part, place[0])][:1]:
            places = {"zones": log.zones, "regions": log.regions}
            values = places[part].get(place[0], {}) if part in places else log.session
            value = values.get(field.id)
            if value is not None and _still_fits(field, value, path):
                found[path] = value
    return found


def copied(protocol: Protocol, log: Log, was: Mapping[str, Value], areas: Sequence[str]) -> Log:
    """`log` with the settings of last time in place of its own; zones that it leaves out stay out,
    unless it has none yet."""
    session = dict(log.session)
    zones = {zone: dict(values) for zone, values in log.zones.items()}
    zones = zones or {area: {} for area in areas}
    regions = {region: dict(values) for region, values in log.regions.items()}
    known = dict(fields.places(protocol, tuple(zones)))
    for path, value in was.items():
        parts = path.split(".")
        if path not in known or not is_copied(known[path]):
            continue
        if parts[0] == "session":
            session[parts[1]] = value
        elif parts[0] == "zones":
            zones[parts[1]][parts[2]] = value
        else:
            regions.setdefault(parts[1], {})[parts[2]] = value
    return replace(log, session=session, zones=zones, regions=regions)


def _speaks_of(log: Log, part: str, place: str) -> bool:
    """Whether a log says what a value was: of the session any does, of a place who treated it."""
    return part == "session" or place in (log.regions if part == "regions" else log.zones)


def _still_fits(field: LogField, value: Value, path: str) -> bool:
    """Whether the present version of the protocol knows such a value; out of range it may be."""
    finding = value_finding(field, value, path)
    return finding is None or finding.code == "range"
