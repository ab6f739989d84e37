"""Where a phone number may be at home: the time zones of its country, or of its area. Pure.

People take their numbers along when they move, so a number is a hint and never a place of its own:
it adds to where a patient may be and takes nothing away.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

# A code of +1 is the country's digit with three of the area; others have one to three digits.
_AREA, _COUNTRY = 4, 3


def _read(source: str) -> Mapping[str, tuple[str, ...]]:
    lines = (line for line in source.splitlines() if line and not line.startswith("#"))
    rows = (line.split(": ") for line in lines)
    return {code: tuple(zones.split()) for zones, codes in rows for code in codes.split()}


_ZONES = _read((Path(__file__).parent / "dialling_zones.txt").read_text(encoding="utf-8"))


@lru_cache(maxsize=4096)
def zones_of(number: str) -> tuple[str, ...]:
    """The zones of an E.164 number, in order; none for a number of no place or no known one."""
    digits = number.removeprefix("+")
    longest = _AREA if digits.startswith("1") else _COUNTRY
    for length in range(longest, 0, -1):
        if zones := _ZONES.get(digits[:length]):
            return zones
    return ()
