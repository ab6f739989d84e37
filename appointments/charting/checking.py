"""What a log still lacks before it may be signed. Pure and total: any log has an answer.

Nothing here stops a draft. A value out of range is no mistake once a reason stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from appointments.charting import fields
from appointments.charting.fields import ABORTED, COMPLETED, OUTCOME
from appointments.charting.log import NOTE_LENGTH, TEXT_LENGTH, CartridgeUsed, Log, Value
from clinic.protocols.areas import region_name
from clinic.protocols.choice_words import choice_word
from clinic.protocols.schema import LogField, LogType, Protocol
from clinic.saying import gettext, language, noop
from clinic.saying_days import format_day

CARTRIDGE_EXPIRY, CARTRIDGE_LIFE = "cartridge.expires_on", "cartridge.life"
_TYPES = {
    LogType.INTEGER: noop("a whole number"),
    LogType.NUMBER: noop("a number"),
    LogType.BOOLEAN: noop("yes or no"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, at a path. `code` is for programs; "range", "expired" and "worn" yield to
    a reason."""

    path: str
    code: str
    sentence: str

    @property
    def anchor(self) -> str:
        """The id of its field on a page."""
        return self.path.replace("products.", "product.", 1).replace(".", "-")


@dataclass(frozen=True, slots=True)
class Wear:
    """What is on record of a cartridge: its life, and what other visits have used of it."""

    used: int = 0
    life: int | None = None
    expires_on: date | None = None


# What yields to a reason written beside it.
REASONED = ("range", "expired", "worn")


def findings(
    protocol: Protocol,
    log: Log,
    *,
    areas: Sequence[str],
    day: date,
    wear: Wear = Wear(),
) -> tuple[Finding, ...]:
    """Everything that stands against signing, in the order of the page.

    `areas` are those of the visit, `day` the local date of the treatment; `wear` is on record of
    the cartridge, and counts where the log itself says nothing.
    """
    return tuple(
        each
        for each in (
            *_of_values(protocol, log, areas),
            *_of_zones(protocol, log, areas),
            *_of_regions(protocol, log, areas),
            *_of_cartridge(protocol, log, day, wear),
            *_of_products(log, day),
            *_of_outcome(protocol, log),
            *_of_nothing(log),
        )
        if each.code not in REASONED or not log.reasons.get(each.path)
    )


def value_finding(field: LogField, value: Value, path: str, where: str = "") -> Finding | None:
    """What is wrong with one value of a field; None when nothing is. `where` tells it apart from
    the same field of another area."""
    label = field.label.get(language()) + where
    if field.type is LogType.ENUM and value not in field.choices:
        return Finding(
            path,
            "choice",
            gettext("%(label)s: choose one of %(choices)s.")
            % {"label": label, "choices": ", ".join(map(choice_word, field.choices))},
        )
    if field.type in (LogType.ENUM, LogType.STRING, LogType.TEXT):
        most = NOTE_LENGTH if field.type is LogType.TEXT else TEXT_LENGTH
        if isinstance(value, str) and len(value) <= most:
            return None
        return Finding(
            path,
            "type",
            gettext("%(label)s: write at most %(text_length)s characters.")
            % {"label": label, "text_length": most},
        )
    if not _is_of_type(field, value):
        return Finding(
            path,
            "type",
            gettext("%(label)s: write %(type)s.")
            % {"label": label, "type": gettext(_TYPES[field.type])},
        )
    if field.type is LogType.BOOLEAN or _in_range(field, value):
        return None
    return Finding(
        path,
        "range",
        gettext("%(label)s: %(value)s is outside %(field)s. Write why, or mend it.")
        % {"label": label, "value": value, "field": _range(field)},
    )


def _of_values(protocol: Protocol, log: Log, areas: Sequence[str]) -> Iterator[Finding]:
    treated = fields.treated(areas, log)
    known = dict(fields.places(protocol, treated))
    given = dict(log.values())
    nothing_done = fields.outcome_of(protocol, log) == ABORTED and not log.zones
    for path, field in known.items():
        parts = path.split(".")
        if path not in given:
            # Of a region of which nothing is written nothing is missing.
            if parts[0] == "regions" and parts[1] not in log.regions:
                continue
            if field.required and (not nothing_done or field.id == OUTCOME):
                yield Finding(
                    path,
                    "required",
                    gettext("%(label)s%(protocol)s is missing.")
                    % {"label": field.label.get(language()), "protocol": _of(path, protocol)},
                )
        elif finding := value_finding(field, given[path], path, _of(path, protocol)):
            yield finding
    for path in given:
        parts = path.split(".")
        if parts[0] == "regions" and parts[1] not in fields.regions(protocol, treated):
            continue
        if path not in known and (parts[0] != "zones" or parts[1] in areas):
            yield Finding(
                path,
                "unknown",
                gettext("The protocol has no field “%(parts)s”.") % {"parts": parts[-1]},
            )


def _of_zones(protocol: Protocol, log: Log, areas: Sequence[str]) -> Iterator[Finding]:
    for zone in log.zones:
        if zone not in areas:
            yield Finding(
                f"zones.{zone}",
                "unknown",
                gettext("“%(zone)s” is no area of this visit.") % {"zone": zone},
            )
    missing = [area for area in areas if area not in log.zones]
    outcome = fields.outcome_of(protocol, log)
    if missing and outcome == COMPLETED and fields.asks_where(protocol):
        names = ", ".join(_name(protocol, area) for area in missing)
        yield Finding(
            f"zones.{missing[0]}",
            "zones",
            gettext("%(names)s is not logged. Log it, or set the outcome to partial.")
            % {"names": names},
        )
    if outcome and outcome not in (COMPLETED, ABORTED) and not fields.treated(areas, log):
        yield Finding("zones", "zones", gettext("Nothing was treated: set the outcome to aborted."))


def _of_regions(protocol: Protocol, log: Log, areas: Sequence[str]) -> Iterator[Finding]:
    """On the map something stands for every zone that was treated, and nothing for another."""
    treated = fields.treated(areas, log)
    for zone in treated:
        own = fields.regions(protocol, [zone])
        if own and log.regions.keys().isdisjoint(own):
            yield Finding(
                f"regions.{own[0]}",
                "regions",
                gettext("Write on the map what was delivered: %(area)s.")
                % {"area": _name(protocol, zone)},
            )
    known = fields.regions(protocol, treated)
    for region in [each for each in log.regions if each not in known]:
        yield Finding(
            f"regions.{region}",
            "unknown",
            gettext("“%(region)s” is of no treated area. Empty its line, or tick the area.")
            % {"region": region_name(protocol, region)},
        )


def _of_cartridge(protocol: Protocol, log: Log, day: date, wear: Wear) -> Iterator[Finding]:
    cartridge = fields.cartridge_of(protocol, log)
    if cartridge is None:
        return
    expires_on = cartridge.last_day if cartridge.expires_on else wear.expires_on
    if cartridge.expires_on and expires_on is None:
        yield Finding(CARTRIDGE_EXPIRY, "type", gettext("Write the expiry as a date."))
    elif expires_on is not None and expires_on < day:
        yield Finding(
            CARTRIDGE_EXPIRY,
            "expired",
            _expired(cartridge.code, expires_on),
        )
    unit = fields.unit_of_life(protocol)
    life = wear.life if cartridge.life is None else cartridge.life
    if isinstance(life, str):
        yield Finding(CARTRIDGE_LIFE, "type", gettext("Write the life as a whole number."))
    elif life is not None and unit:
        spent = wear.used + (fields.used(protocol, log) or 0)
        if spent > life:
            yield Finding(
                CARTRIDGE_LIFE,
                "worn",
                gettext(
                    "%(spent)s %(unit)s of %(life)s with this session. Write why it was used on."
                )
                % {"spent": spent, "unit": fields.told_unit(unit), "life": life},
            )


def _of_products(log: Log, day: date) -> Iterator[Finding]:
    for number, product in enumerate(log.products):
        path = f"products.{number}"
        if not product.name:
            yield Finding(
                f"{path}.name", "required", gettext("Name the product, or empty its line.")
            )
        expires_on = product.last_day
        if product.expires_on and expires_on is None:
            yield Finding(f"{path}.expires_on", "type", gettext("Write the expiry as a date."))
        elif expires_on is not None and expires_on < day:
            yield Finding(f"{path}.expires_on", "expired", _expired(product.name, expires_on))


def _expired(what: str, expires_on: date) -> str:
    return gettext(
        "%(what)s expired on %(day)s, before the treatment. Write why it was used, or mend it."
    ) % {"what": what, "day": format_day(expires_on, language(), year=True)}


def _of_outcome(protocol: Protocol, log: Log) -> Iterator[Finding]:
    if fields.outcome_of(protocol, log) not in ("", COMPLETED) and not log.note:
        yield Finding(
            "note", "why", gettext("Write in the note why the session was not completed.")
        )


def _of_nothing(log: Log) -> Iterator[Finding]:
    """A plain service may have no fields; a record that says nothing is none all the same."""
    if not (any(log.values()) or log.products or log.note) and log.cartridge == CartridgeUsed():
        yield Finding(
            "note", "empty", gettext("Nothing is written. Write under Note what was done.")
        )


def _is_of_type(field: LogField, value: Value) -> bool:
    if field.type is LogType.BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (field.type is LogType.NUMBER and isinstance(value, float))


def _in_range(field: LogField, value: Value) -> bool:
    assert isinstance(value, int | float)
    return (field.minimum is None or value >= field.minimum) and (
        field.maximum is None or value <= field.maximum
    )


def _range(field: LogField) -> str:
    unit = fields.after_value(fields.unit_of(field))
    unit = f" {unit}" if unit else ""
    if field.minimum is None:
        return gettext("at most %(maximum)s%(unit)s") % {
            "maximum": f"{field.maximum:g}",
            "unit": unit,
        }
    if field.maximum is None:
        return gettext("at least %(minimum)s%(unit)s") % {
            "minimum": f"{field.minimum:g}",
            "unit": unit,
        }
    return f"{field.minimum:g}–{field.maximum:g}{unit}"


def range_in_words(field: LogField) -> str:
    """The range of a field for its hint; empty when nothing speaks against large values."""
    if field.maximum is None:
        return ""
    return (
        gettext("at most %(maximum)s") % {"maximum": f"{field.maximum:g}"}
        if field.minimum is None
        else (f"{field.minimum:g}–{field.maximum:g}")
    )


def _of(path: str, protocol: Protocol) -> str:
    parts = path.split(".")
    if parts[0] == "regions":
        return f" ({region_name(protocol, parts[1])})"
    return f" ({_name(protocol, parts[1])})" if parts[0] == "zones" else ""


def _name(protocol: Protocol, area: str) -> str:
    known: Mapping[str, object] = protocol.applicability.areas
    return protocol.applicability.areas[area].name.get(language()) if area in known else area
