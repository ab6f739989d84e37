"""The days on which nobody works in the demo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

_THURSDAY = 3


def holidays(year: int) -> Iterator[tuple[date, str]]:
    yield date(year, 1, 1), "New Year’s Day"
    yield date(year, 7, 4), "Independence Day"
    first_thursday = 1 + (_THURSDAY - date(year, 11, 1).weekday()) % 7
    yield date(year, 11, first_thursday + 21), "Thanksgiving"
    yield date(year, 12, 25), "Christmas Day"
