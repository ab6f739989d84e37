"""What a protocol asks to be written down: its fields, typed values, counts and outcomes. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from appointments.charting.log import LARGEST, CartridgeUsed, Log, Value, plain
from clinic.protocols.areas import regions_of
from clinic.protocols.schema import LogField, LogPer, LogType, Protocol
from clinic.saying import gettext, noop

COMPLETED, PARTIAL, ABORTED = "completed", "partial", "aborted"
OUTCOME = "outcome"
# What wears a cartridge out, as protocols name it.
_COUNTED = (noop("lines"), noop("pulses"))
_LOTS = ("cartridge_lot", "tip_lot")
_SERIALS = ("transducer_serial",)
# Where a log may hold a cartridge's own number, and its lot.
CODE_PATHS = ("cartridge.code", *(f"session.{each}" for each in _SERIALS))
LOT_PATHS = ("cartridge.lot", *(f"session.{each}" for each in _LOTS))
_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "0")


def of_session(protocol: Protocol) -> dict[str, LogField]:
    return {each.id: each for each in protocol.session_log if each.per is LogPer.SESSION}


def of_zone(protocol: Protocol) -> dict[str, LogField]:
    return {each.id: each for each in protocol.session_log if each.per is LogPer.ZONE}


def of_region(protocol: Protocol) -> dict[str, LogField]:
    return {each.id: each for each in protocol.session_log if each.per is LogPer.REGION}


def asks_where(protocol: Protocol) -> bool:
    """Whether anything is asked of the areas that were treated."""
    return any(each.per is not LogPer.SESSION for each in protocol.session_log)


def regions(protocol: Protocol, zones: Sequence[str]) -> tuple[str, ...]:
    """The regions of these zones of which the protocol asks something."""
    return regions_of(protocol, zones) if of_region(protocol) else ()


def places(protocol: Protocol, zones: Sequence[str]) -> Iterator[tuple[str, LogField]]:
    """Every path that a log with these zones may hold, with its field."""
    for field in of_session(protocol).values():
        yield f"session.{field.id}", field
    for zone in zones:
        for field in of_zone(protocol).values():
            yield f"zones.{zone}.{field.id}", field
    for region in regions(protocol, zones):
        for field in of_region(protocol).values():
            yield f"regions.{region}.{field.id}", field


def typed(field: LogField, value: Value) -> Value:
    """`value` as the type of its field, or as it is when it cannot be read so."""
    text = value.strip() if isinstance(value, str) else value
    if field.type is LogType.TEXT:
        return str(text)
    if field.type in (LogType.STRING, LogType.ENUM):
        text = " ".join(text.split("\n")) if isinstance(text, str) else text
        return ("yes" if text else "no") if isinstance(text, bool) else str(text)
    if field.type is LogType.BOOLEAN:
        word = str(text).lower()
        return True if word in _YES else False if word in _NO else value
    number = _number(text) if isinstance(text, str) else text
    if number is None or isinstance(number, bool):
        return value
    read = plain(number)
    if read is None or (field.type is LogType.INTEGER and not isinstance(read, int)):
        return value
    return read


def unit_of(field: LogField) -> str:
    """Its unit as it is told, unless it is a scale such as "0–10" that the range tells already."""
    return "" if field.unit is None or "–" in field.unit else told_unit(field.unit)


def told_unit(unit: str) -> str:
    """A unit in the reader's language: one that is a sign is the same in each."""
    return gettext(unit) if unit in _COUNTED else unit


def after_value(unit: str) -> str:
    """A unit as it follows a value: one that leaves a choice, "mJ or level", in brackets."""
    return f"({unit})" if " or " in unit else unit


def as_typed(protocol: Protocol, log: Log) -> Log:
    """The log with every value read as its field's type, where it can be."""
    session, zone, region = of_session(protocol), of_zone(protocol), of_region(protocol)
    return replace(
        log,
        session=_typed_all(session, log.session),
        zones={area: _typed_all(zone, values) for area, values in log.zones.items()},
        regions={each: _typed_all(region, values) for each, values in log.regions.items()},
    )


def outcome_of(protocol: Protocol, log: Log) -> str:
    """completed, partial or aborted; empty while it is not written. A protocol that does not ask
    takes every session for completed."""
    if OUTCOME not in of_session(protocol):
        return COMPLETED
    said = log.session.get(OUTCOME)
    return said if isinstance(said, str) and said in (COMPLETED, PARTIAL, ABORTED) else ""


def treated(areas: Sequence[str], log: Log) -> tuple[str, ...]:
    """The areas of the visit that were treated, in their order."""
    return tuple(area for area in areas if area in log.zones)


def takes_cartridge(protocol: Protocol) -> bool:
    """Whether what touches the skin has a lot or number of its own."""
    return not set(of_session(protocol)).isdisjoint({*_LOTS, *_SERIALS})


def asks_lot(protocol: Protocol) -> bool:
    """Whether the lot is one of the protocol's own fields."""
    return not set(of_session(protocol)).isdisjoint(_LOTS)


def asks_serial(protocol: Protocol) -> bool:
    return not set(of_session(protocol)).isdisjoint(_SERIALS)


def unit_of_life(protocol: Protocol) -> str:
    """What a cartridge's life is counted in, "lines" or "pulses" as protocols name it; empty when
    nothing counts it."""
    units = {*of_zone(protocol), *(each.unit for each in of_region(protocol).values())}
    return next((name for name in _COUNTED if name in units), "")


def used(protocol: Protocol, log: Log) -> int | None:
    """Lines or pulses of the session; None when the protocol counts none, and when several columns
    of the map were used: each is delivered by a transducer of its own, and a log names one."""
    unit = unit_of_life(protocol)
    if not unit:
        return None
    columns = totals(protocol, log)
    if not columns:
        return min(_sum(values.get(unit) for values in log.zones.values()), LARGEST)
    delivered = [total for total in columns.values() if total]
    return None if len(delivered) > 1 else sum(delivered)


def is_counted(field: LogField) -> bool:
    """Whether it is what was delivered in a region, of which there is a total."""
    return field.per is LogPer.REGION and field.unit in _COUNTED


def totals(protocol: Protocol, log: Log) -> dict[str, int]:
    """By field, the sum of what was counted in all regions."""
    return {
        name: min(_sum(values.get(name) for values in log.regions.values()), LARGEST)
        for name, field in of_region(protocol).items()
        if is_counted(field)
    }


def _sum(counts: Iterable[Value | None]) -> int:
    whole = [each for each in counts if isinstance(each, int) and not isinstance(each, bool)]
    return sum(each for each in whole if each > 0)


def cartridge_of(protocol: Protocol, log: Log) -> CartridgeUsed | None:
    """The cartridge with what the protocol's own fields say of it; None without any number."""
    if not takes_cartridge(protocol):
        return None
    lot = _said(log.session, _LOTS) or log.cartridge.lot
    code = _said(log.session, _SERIALS) or log.cartridge.code or lot
    return replace(log.cartridge, code=code, lot=lot) if code else None


def _said(values: Mapping[str, Value], names: Sequence[str]) -> str:
    return next((str(values[name]) for name in names if name in values), "")


def _typed_all(known: Mapping[str, LogField], values: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: typed(known[name], value) if name in known else value
        for name, value in values.items()
    }


def _number(text: str) -> float | None:
    """A number as people write it: "14.5", "14,5"."""
    plain_text = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if len(plain_text) > 20 or not set(plain_text) <= set("0123456789.-+"):
        return None
    try:
        number = float(plain_text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
