"""A treatment log as a page shows it: values with their controls, zones and the map. Frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext

from appointments.charting import fields
from appointments.charting.checking import Finding
from appointments.charting.log import Log, Value
from clinic.protocols.areas import REGIONS
from clinic.protocols.schema import LogField


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

    def word(self, value: str) -> str:
        """`value` as it is told: a choice in its words, all else as it is written."""
        return dict(self.options).get(value, value)

    @property
    def told(self) -> str:
        return self.word(self.value)

    @property
    def was_told(self) -> str:
        return self.word(self.was)

    @property
    def stored_told(self) -> str:
        return self.word(self.stored or "")


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


def said(value: Value | None) -> str:
    """A value as a form has it: yes, no, or as it is written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def differing(
    typed: Log, stored: Log, told: Callable[[str, Value | None], tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """What was typed and is not stored: label, typed, stored; `told` gives the label of a path and
    a value of it in words."""
    others = dict(stored.values())
    rows = [
        (*told(path, value), told(path, others.get(path))[1])
        for path, value in typed.values()
        if others.get(path) != value
    ]
    if typed.note != stored.note:
        rows.append((gettext("Note"), typed.note, stored.note))
    return rows
