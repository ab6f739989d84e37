"""The few settings by which a session is told at a glance: "14 J/cm²". Pure."""

from __future__ import annotations

from appointments.charting import fields
from appointments.charting.copying import is_copied
from appointments.charting.log import Log
from clinic.protocols.schema import LogField, LogType, Protocol

MOST = 3
_MEASURED = (LogType.INTEGER, LogType.NUMBER)


def gist(protocol: Protocol, log: Log, *, most: int = MOST) -> tuple[str, ...]:
    """Up to `most` of: what was delivered on the map in all, and the measured settings that are
    copied from session to session, those of zones first; over several zones from the least to
    the most, as "1.5–2.5 mm"."""
    delivered = sum(fields.totals(protocol, log).values())
    unit = fields.told_unit(fields.unit_of_life(protocol))
    told = [f"{delivered} {unit}"] if delivered else []
    for field in fields.of_zone(protocol).values():
        told.append(_told(field, [values.get(field.id) for values in log.zones.values()]))
    for field in fields.of_session(protocol).values():
        told.append(_told(field, [log.session.get(field.id)]))
    return tuple(filter(None, told))[:most]


def _told(field: LogField, values: list[object]) -> str:
    """A field without a unit needs its name to be understood, and is left out."""
    unit = fields.after_value(fields.unit_of(field))
    if not unit or field.type not in _MEASURED:
        return ""
    numbers = [each for each in values if isinstance(each, int | float) and each is not True]
    if not numbers or not is_copied(field):
        return ""
    least, most = min(numbers), max(numbers)
    return f"{least} {unit}" if least == most else f"{least}–{most} {unit}"
