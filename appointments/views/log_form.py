"""The form of a treatment log: what was sent as a log, and a log as the entries of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext

from appointments.charting import checking, fields
from appointments.charting.checking import CARTRIDGE_EXPIRY, CARTRIDGE_LIFE, REASONED, Finding
from appointments.charting.last_used import LastUsed
from appointments.charting.log import Log, ProductUsed, Value, log_of
from appointments.charting.sheets import Sheet
from clinic.protocols.areas import REGIONS, region_name
from clinic.protocols.schema import LogField, LogType
from clinic.reader_language import reader_language

# Empty lines for products beside those that are filled.
_SPARE = 2
_NOTHING = LastUsed()
_PRODUCT = re.compile(r"product\.(\d{1,3})\.(name|amount|lot|expires_on)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the log with its control. `was` is the value of last time, `stored` what
    somebody else saved meanwhile; `asks_why` when it is out of range; `offered` may be chosen
    instead of typed, each with what it is."""

    path: str
    label: str
    kind: str
    value: str
    unit: str = ""
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    was: str = ""
    stored: str | None = None
    problem: str = ""
    reason: str = ""
    asks_why: bool = False
    offered: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        return self.path.replace(".", "-")

    @property
    def unit_after(self) -> str:
        """The unit as it follows the value."""
        return fields.after_value(self.unit)

    @property
    def reason_path(self) -> str:
        """Where the reason is written; products are numbered alike in forms and in logs."""
        return self.path.replace("product.", "products.", 1)

    @property
    def is_wide(self) -> bool:
        """Whether it takes a line of its own."""
        return self.kind == "area" or len(self.options) > 2

    @property
    def is_changed(self) -> bool:
        return bool(self.was) and self.was != self.value


@dataclass(frozen=True, slots=True)
class Zone:
    area: str
    name: str
    is_treated: bool
    entries: tuple[Entry, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MapRow:
    """A region with a cell for each column of the map, and the sum of what was `delivered`."""

    region: str
    name: str
    entries: tuple[Entry, ...]
    delivered: int
    problem: str = ""

    @property
    def id(self) -> str:
        return f"regions-{self.region}"

    @property
    def is_written(self) -> bool:
        return any(entry.value for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Map:
    """The regions of the visit: a row of each. `columns` are their fields with the total of those
    that are counted, `delivered` is all of them together, in `unit`."""

    rows: tuple[MapRow, ...]
    columns: tuple[tuple[LogField, str, int | None], ...]
    delivered: int
    unit: str

    @property
    def drawn(self) -> dict[str, MapRow]:
        """The rows that the face shows, by region."""
        return {row.region: row for row in self.rows if row.region in REGIONS}


@dataclass(frozen=True, slots=True)
class Entries:
    """The whole log for a page; `map` is None where the protocol asks nothing of regions."""

    session: tuple[Entry, ...]
    zones: tuple[Zone, ...]
    map: Map | None
    cartridge: tuple[Entry, ...]
    products: tuple[tuple[Entry, ...], ...]
    note: Entry
    problems: tuple[Finding, ...]


def read(data: QueryDict) -> Log:
    """The log that a form holds. Values of zones that are not ticked are left out."""
    kinds = ("session", "zones", "regions", "reasons", "cartridge")
    document: dict[str, Any] = {kind: {} for kind in kinds}
    for area in data.getlist("treated"):
        document["zones"][area] = {}
    products: dict[int, dict[str, str]] = {}
    for name in data:
        value, parts = str(data[name]), name.split(".")
        if parts[0] in ("session", "cartridge") and len(parts) == 2:
            document[parts[0]][parts[1]] = value
        elif parts[0] == "zones" and len(parts) == 3 and parts[1] in document["zones"]:
            document["zones"][parts[1]][parts[2]] = value
        elif parts[0] == "regions" and len(parts) == 3:
            document["regions"].setdefault(parts[1], {})[parts[2]] = value
        elif parts[0] == "reasons":
            document["reasons"][".".join(parts[1:])] = value
        elif match := _PRODUCT.fullmatch(name):
            products.setdefault(int(match[1]), {})[match[2]] = value
    document["products"] = [products[number] for number in sorted(products)]
    document["note"] = data.get("note", "")
    return log_of(document)


def entries(
    sheet: Sheet,
    *,
    stored: Log | None = None,
    with_problems: bool = True,
    last_used: LastUsed = _NOTHING,
) -> Entries:
    """The log of a sheet for a page; `stored` is another that differs in what it shows.

    Without `with_problems` only what asks for a reason is marked: a draft is not yet wrong.
    """
    found = sheet.findings()
    maker = _Maker(sheet, found, stored, with_problems, last_used)
    session = tuple(
        maker.of_field(f"session.{field.id}", field)
        for field in fields.of_session(sheet.protocol).values()
    )
    return Entries(
        session=session,
        zones=tuple(maker.zones()) if fields.asks_where(sheet.protocol) else (),
        map=maker.map(),
        cartridge=tuple(maker.cartridge()),
        products=tuple(maker.products()),
        note=maker.plain("note", gettext("Note"), sheet.log.note, kind="area"),
        problems=found if with_problems else (),
    )


class _Maker:
    """Makes the entries of one sheet."""

    def __init__(
        self,
        sheet: Sheet,
        found: Sequence[Finding],
        stored: Log | None,
        with_problems: bool,
        last_used: LastUsed,
    ) -> None:
        self._sheet = sheet
        self._found = {each.path: each for each in found}
        self._values = dict(sheet.log.values())
        self._stored = stored
        self._others = dict(stored.values()) if stored is not None else {}
        self._with_problems = with_problems
        self._last_used = last_used

    def of_field(self, path: str, field: LogField) -> Entry:
        kinds = {
            LogType.ENUM: "choice",
            LogType.BOOLEAN: "choice",
            LogType.STRING: "text",
            LogType.TEXT: "area",
        }
        options: tuple[tuple[str, str], ...] = ()
        if field.type is LogType.ENUM:
            options = tuple((each, each[:1].upper() + each[1:]) for each in field.choices)
        elif field.type is LogType.BOOLEAN:
            options = (("yes", gettext("Yes")), ("no", gettext("No")))
        value = said(self._values.get(path))
        if options and value not in ("", *dict(options)):
            options = (*options, (value, value))
        return Entry(
            path=path,
            label=field.label.get(reader_language()),
            kind=kinds.get(field.type, "number"),
            value=value,
            unit=fields.unit_of(field),
            hint=checking.range_in_words(field),
            options=options,
            required=field.required,
            was=said(self._sheet.was.get(path)),
            stored=self._other(path, said(self._others.get(path)), value),
            offered=self._last_used.offered(path),
            **self._marks(path),
        )

    def zones(self) -> Iterator[Zone]:
        log, is_new = self._sheet.log, self._sheet.record is None
        for area in self._sheet.areas:
            problem = self._found.get(f"zones.{area}")
            yield Zone(
                area=area,
                name=self._sheet.protocol.applicability.areas[area].name.get(reader_language()),
                is_treated=area in log.zones or (is_new and not log.zones),
                entries=tuple(
                    self.of_field(f"zones.{area}.{field.id}", field)
                    for field in fields.of_zone(self._sheet.protocol).values()
                ),
                problem=problem.sentence if problem and self._with_problems else "",
            )

    def map(self) -> Map | None:
        protocol, log = self._sheet.protocol, self._sheet.log
        asked = fields.of_region(protocol)
        # What was written of a region whose area is no more treated is shown, to be taken out.
        shown = dict.fromkeys((*fields.regions(protocol, self._sheet.areas), *log.regions))
        if not asked or not shown:
            return None
        totals = fields.totals(protocol, log)
        return Map(
            rows=tuple(self._map_row(region, asked) for region in shown),
            columns=tuple(
                (field, field.label.get(reader_language()), totals.get(field.id))
                for field in asked.values()
            ),
            delivered=sum(totals.values()),
            unit=fields.unit_of_life(protocol),
        )

    def _map_row(self, region: str, asked: Mapping[str, LogField]) -> MapRow:
        protocol = self._sheet.protocol
        written = self._sheet.log.regions.get(region, {})
        alone = replace(self._sheet.log, regions={region: written})
        problem = self._found.get(f"regions.{region}")
        return MapRow(
            region=region,
            name=region_name(protocol, region),
            entries=tuple(
                self.of_field(f"regions.{region}.{field.id}", field) for field in asked.values()
            ),
            delivered=sum(fields.totals(protocol, alone).values()),
            problem=problem.sentence if problem and self._with_problems else "",
        )

    def cartridge(self) -> Iterator[Entry]:
        protocol, used = self._sheet.protocol, self._sheet.log.cartridge
        if not fields.takes_cartridge(protocol):
            return
        if not fields.asks_serial(protocol):
            yield self.plain("cartridge.code", gettext("Number of the cartridge or tip"), used.code)
        if not fields.asks_lot(protocol):
            yield self.plain("cartridge.lot", gettext("Lot"), used.lot)
        expiry = used.expires_on or str(self._sheet.wear.expires_on or "")
        yield self.plain(CARTRIDGE_EXPIRY, gettext("Expires on"), expiry, kind="date")
        unit = fields.unit_of_life(protocol)
        if unit:
            life = said(used.life) or said(self._sheet.wear.life)
            hint = (
                gettext("%(used)s used at other visits") % {"used": self._sheet.wear.used}
                if self._sheet.wear.used
                else ""
            )
            yield self.plain(
                CARTRIDGE_LIFE, gettext("Lasts for"), life, kind="number", unit=unit, hint=hint
            )

    def products(self) -> Iterator[tuple[Entry, ...]]:
        lines = [*self._sheet.log.products, *[ProductUsed("")] * _SPARE]
        for number, line in enumerate(lines):
            path, name = f"products.{number}", f"product.{number}"
            known = str(self._sheet.lots.get((line.name, line.lot), ""))
            yield tuple(
                Entry(
                    path=f"{name}.{part}",
                    label=label,
                    kind="date" if part == "expires_on" else "text",
                    value=getattr(line, part) or (known if part == "expires_on" else ""),
                    offered=self._last_used.offered(f"{name}.{part}"),
                    **self._marks(f"{path}.{part}"),
                )
                for part, label in (
                    ("name", gettext("Product")),
                    ("amount", gettext("Amount")),
                    ("lot", gettext("Lot")),
                    ("expires_on", gettext("Expires on")),
                )
            )

    def plain(
        self,
        path: str,
        label: str,
        value: str,
        *,
        kind: str = "text",
        unit: str = "",
        hint: str = "",
    ) -> Entry:
        other = _plain_of(self._stored, path) if self._stored is not None else ""
        return Entry(
            path=path,
            label=label,
            kind=kind,
            value=value,
            unit=unit,
            hint=hint,
            stored=self._other(path, other, value),
            offered=self._last_used.offered(path),
            **self._marks(path),
        )

    def _other(self, path: str, stored: str, mine: str) -> str | None:
        return stored if self._stored is not None and stored != mine else None

    def _marks(self, path: str) -> dict[str, Any]:
        finding, reason = self._found.get(path), self._sheet.log.reasons.get(path, "")
        asks = finding is not None and finding.code in REASONED
        shown = finding is not None and (self._with_problems or asks)
        return {
            "problem": finding.sentence if finding is not None and shown else "",
            "reason": reason,
            "asks_why": asks or bool(reason),
        }


def _plain_of(log: Log, path: str) -> str:
    if path == "note":
        return log.note
    return said(getattr(log.cartridge, path.split(".")[1]))


def said(value: Value | None) -> str:
    """A value in words: yes, no, or as it is written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def differing(typed: Log, stored: Log, labels: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What was typed and is not stored: label, typed, stored."""
    others = dict(stored.values())
    rows = [
        (labels.get(path, path), said(value), said(others.get(path)))
        for path, value in typed.values()
        if others.get(path) != value
    ]
    if typed.note != stored.note:
        rows.append((gettext("Note"), typed.note, stored.note))
    return rows
