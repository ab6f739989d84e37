"""Makes the entries of a treatment log: each value with its control, last time's and problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext

from appointments.charting import checking, fields
from appointments.charting.checking import CARTRIDGE_EXPIRY, CARTRIDGE_LIFE, REASONED, Finding
from appointments.charting.last_used import LastUsed
from appointments.charting.log import Log, ProductUsed
from appointments.charting.sheets import Sheet
from appointments.views.log_entries import Entries, Entry, Map, MapRow, Zone, said
from clinic.protocols.areas import region_name
from clinic.protocols.choice_words import choice_word
from clinic.protocols.schema import LogField, LogType
from clinic.reader_language import reader_language

# Empty lines for products beside those that are filled.
_SPARE = 2
_NOTHING = LastUsed()


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


def map_of(sheet: Sheet) -> Map | None:
    """The map of a sheet to look at: nothing is marked in it."""
    return _Maker(sheet, (), None, False, _NOTHING).map()


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
            options = tuple((each, choice_word(each)) for each in field.choices)
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
            unit=fields.told_unit(fields.unit_of_life(protocol)),
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
        unit = fields.told_unit(fields.unit_of_life(protocol))
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
            yield tuple(
                Entry(
                    path=f"{name}.{part}",
                    label=label,
                    kind="date" if part == "expires_on" else "text",
                    value=getattr(line, part),
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
