"""What a treatment log says, as a frozen value, and its JSON form. Pure.

A log speaks of the session as a whole, of every zone treated, and of the regions of those on the
map. A value has a path: `session.pain`, `zones.face.depth`, `regions.cheeks.lines_deep`. Text that
could not be read as its field's type stays as it was typed, so that nothing of a draft is lost;
`checking` finds it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

Value = str | int | float | bool

# Nothing that is measured while treating is larger; beyond, JSON of the database rounds.
LARGEST = 10**9
MOST_ENTRIES, TEXT_LENGTH, NOTE_LENGTH = 200, 500, 4000
# Of the columns for the number and lot of a cartridge.
CODE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class ProductUsed:
    """A product that was used; `expires_on` as written, an ISO date."""

    name: str
    amount: str = ""
    lot: str = ""
    expires_on: str = ""

    @property
    def last_day(self) -> date | None:
        """Its expiry; None when none is written, or it is no date."""
        return day_of(self.expires_on)


@dataclass(frozen=True, slots=True)
class CartridgeUsed:
    """The cartridge, tip or transducer: its own number, its lot, and how much it lasts for.

    `life` is in what the protocol counts (lines or pulses), as written when it is no number.
    """

    code: str = ""
    lot: str = ""
    expires_on: str = ""
    life: int | str | None = None

    @property
    def code_of_row(self) -> str:
        """Its number, as much of it as its row holds."""
        return self.code[:CODE_LENGTH]

    @property
    def last_day(self) -> date | None:
        """As of a product."""
        return day_of(self.expires_on)


@dataclass(frozen=True, slots=True)
class Log:
    """`zones` are those that were treated, `regions` those of which something is written.
    `reasons` say by path why a value is out of range."""

    session: Mapping[str, Value] = field(default_factory=dict)
    zones: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    regions: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    products: tuple[ProductUsed, ...] = ()
    cartridge: CartridgeUsed = CartridgeUsed()
    note: str = ""

    def values(self) -> Iterator[tuple[str, Value]]:
        """Every value with its path."""
        for name, value in self.session.items():
            yield f"session.{name}", value
        for part, places in (("zones", self.zones), ("regions", self.regions)):
            for place, values in places.items():
                for name, value in values.items():
                    yield f"{part}.{place}.{name}", value


def log_of(document: Any) -> Log:
    """The log that a JSON document holds. Total: what is no part of a log is left out."""
    given = _table(document)
    return Log(
        session=_values(given.get("session")),
        zones=_places(given.get("zones")),
        regions={at: each for at, each in _places(given.get("regions")).items() if each},
        reasons={
            path: text
            for path, each in _table(given.get("reasons")).items()
            if (text := _text(each))
        },
        products=tuple(_products(given.get("products"))),
        cartridge=_cartridge(_table(given.get("cartridge"))),
        note=_text(given.get("note"), NOTE_LENGTH, lines=True),
    )


def document_of(log: Log) -> dict[str, Any]:
    """The JSON form; what is empty is left out."""
    cartridge = asdict(log.cartridge)
    whole: dict[str, Any] = {
        "session": dict(log.session),
        "zones": {zone: dict(values) for zone, values in log.zones.items()},
        "regions": {region: dict(values) for region, values in log.regions.items()},
        "reasons": dict(log.reasons),
        "products": [asdict(each) for each in log.products],
        "cartridge": {name: each for name, each in cartridge.items() if each not in ("", None)},
        "note": log.note,
    }
    return {name: each for name, each in whole.items() if each}


def day_of(written: str) -> date | None:
    """A day as it is written in a log; None for what is no date."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def canonical(document: Mapping[str, Any]) -> str:
    """The one JSON text of a document: keys in order, no spaces."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Value | None:
    """A JSON scalar as a value of a log; None for what is none, or empty."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else "a huge number"
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) > LARGEST:
            return "a huge number"
        value = round(value, 6)
        return int(value) if value.is_integer() else value
    return _text(value, NOTE_LENGTH, lines=True) or None


def _places(given: Any) -> dict[str, dict[str, Value]]:
    return {_name(place): _values(each) for place, each in _table(given).items()}


def _values(given: Any) -> dict[str, Value]:
    read = {_name(name): plain(each) for name, each in _table(given).items()}
    return {name: each for name, each in read.items() if each is not None}


def _name(given: str) -> str:
    """A name that can stand in a path."""
    return given.replace(".", "_")


def _products(given: Any) -> Iterator[ProductUsed]:
    for each in given[:MOST_ENTRIES] if isinstance(given, list) else ():
        row = _table(each)
        product = ProductUsed(
            *(_text(row.get(name)) for name in ("name", "amount", "lot", "expires_on"))
        )
        if product != ProductUsed(""):
            yield product


def _cartridge(given: Mapping[str, Any]) -> CartridgeUsed:
    life = plain(given.get("life"))
    return CartridgeUsed(
        code=_text(given.get("code")),
        lot=_text(given.get("lot")),
        expires_on=_text(given.get("expires_on")),
        life=_whole(life),
    )


def _whole(life: Value | None) -> int | str | None:
    """A whole number of lines or pulses, or what was written instead."""
    text = str(life).replace(" ", "") if life is not None else ""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    return None if life is None else str(life)


def _table(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        return {}
    named = ((_text(name, 120), each) for name, each in list(given.items())[:MOST_ENTRIES])
    return {name: each for name, each in named if name}


def _text(given: Any, most: int = TEXT_LENGTH, *, lines: bool = False) -> str:
    """Text without what no database takes; a number is written out."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return ""
    if isinstance(given, int | float):
        return str(plain(given))
    kept = given.replace("\r\n", "\n") if lines else given
    clean = "".join(
        each if each.isprintable() or (lines and each == "\n") else " " for each in kept[: most + 1]
    )
    return clean.strip()[:most]
