"""Days and times as former systems write them. Pure.

03/04/2026 is the third of April in one clinic and the fourth of March in the next: `order_of` looks
at every date of a file, and where none of them tells, somebody is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

from clinic import wall_time
from clinic.retelling import kept
from clinic.retelling import text as quoted


class Order(StrEnum):
    """Which number of a date such as 03/04/2026 comes first."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the dates of a file tell: their `order`, or None with an `example` that can be both;
    `mixed` when some can only be the one and some only the other."""

    order: Order | None = None
    example: str = ""
    mixed: bool = False


class NoDate(ValueError):
    """Not a day or a time; the text is a sentence as it is stored."""


class NoTime(NoDate):
    """Not a time of day."""


_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBERS = re.compile(r"(\d{1,2})([-/.\s])(\d{1,2})\2(\d{4}|\d{2})")
_DAY_NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[-\s./]*(?:de\s+)?([^\W\d]{3,})[-\s.,/]*(?:de\s+)?(\d{4}|\d{2})"
)
_MONTH_NAMED = re.compile(r"([^\W\d]{3,})[-\s.]*(\d{1,2})(?:st|nd|rd|th)?[-\s,.]+(\d{4}|\d{2})")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2})(?:\.\d+)?)?\s*([ap])?\.?(?:m\.?)?")
_FOUR = re.compile(r"(\d{2})(\d{2})")
_MONTHS = (
    ("jan", "ene"), ("feb",), ("mar",), ("apr", "abr"), ("may",), ("jun",), ("jul",),
    ("aug", "ago"), ("sep",), ("oct",), ("nov",), ("dec", "dic"),
)  # fmt: skip
_MONTH = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}


def order_of(texts: Iterable[str]) -> Evidence:
    """What all these dates tell of their order."""
    seen: dict[Order, str] = {}
    both = ""
    for text in texts:
        found = _NUMBERS.match(text.strip())
        if found is None or found[2] == ".":
            continue
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second:
            seen.setdefault(Order.DAY_FIRST, found[0])
        elif second > 12 >= first:
            seen.setdefault(Order.MONTH_FIRST, found[0])
        elif first != second:
            both = both or found[0]
    if len(seen) > 1:
        return Evidence(None, ", ".join(seen.values()), mixed=True)
    return Evidence(next(iter(seen), None), both)


def as_day(text: str, *, order: Order | None, latest: date) -> date:
    """The day that `text` means. A year of two digits is the last one not after `latest`.

    Dots are day first in every country that writes them. Raises NoDate.
    """
    text = text.strip()
    refused = NoDate(
        kept("“%(cell)s” is not a date. Write it like 2026-04-03.", cell=quoted(text[:40]))
    )
    try:
        if found := _ISO.fullmatch(text) or _PACKED.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _NUMBERS.fullmatch(text):
            return _numbered(found, order, latest)
        if found := _DAY_NAMED.fullmatch(text.lower()):
            return _dated(int(found[1]), _MONTH[found[2][:3]], found[3], latest)
        if found := _MONTH_NAMED.fullmatch(text.lower()):
            return _dated(int(found[2]), _MONTH[found[1][:3]], found[3], latest)
    except (ValueError, KeyError) as error:
        if isinstance(error, NoDate):
            raise
        raise refused from None
    raise refused


def _numbered(found: re.Match[str], order: Order | None, latest: date) -> date:
    first, second = int(found[1]), int(found[3])
    if found[2] == "." or first > 12:
        order = order if found[2] != "." and second <= 12 and order else Order.DAY_FIRST
        if found[2] != "." and order is Order.MONTH_FIRST:
            raise NoDate(
                kept(
                    "“%(cell)s” has no month %(month)s; the dates of this file are month first.",
                    cell=quoted(found[0]),
                    month=first,
                )
            )
    elif order is None and (second > 12 or first == second):
        order = Order.MONTH_FIRST
    elif order is None:
        raise NoDate(
            kept(
                "“%(cell)s” can be two dates. Say whether the day or the month is first.",
                cell=quoted(found[0]),
            )
        )
    if order is Order.DAY_FIRST and second > 12:
        raise NoDate(
            kept(
                "“%(cell)s” has no month %(month)s; the dates of this file are day first.",
                cell=quoted(found[0]),
                month=second,
            )
        )
    day, month = (first, second) if order is Order.DAY_FIRST else (second, first)
    return _dated(day, month, found[4], latest)


def _dated(day: int, month: int, year: str, latest: date) -> date:
    if len(year) == 4:
        return date(int(year), month, day)
    found = date(2000 + int(year), month, day)
    return found if found <= latest else date(1900 + int(year), month, day)


def as_time(text: str) -> time:
    """The time of day that `text` means: 14:30, 2:30 PM, 14.30, 1430. Raises NoTime."""
    text = text.strip().lower()
    found = _FOUR.fullmatch(text) or _TIME.fullmatch(text)
    refused = NoTime(
        kept("“%(cell)s” is not a time of day. Write it like 14:30.", cell=quoted(text[:40]))
    )
    if found is None:
        raise refused
    hour, minute, *rest = found.groups()
    half = rest[-1] if rest else None
    if half is None and minute is None:
        raise refused
    number = int(hour)
    if half:
        if not 1 <= number <= 12:
            raise refused
        number = number % 12 + (12 if half == "p" else 0)
    try:
        return time(number, int(minute or 0))
    except ValueError:
        raise refused from None


def as_moment(
    day: str, clock: str, *, order: Order | None, zone: str, latest: date
) -> tuple[datetime, str]:
    """The instant (UTC) of a day and a time in two cells or in one, and a remark on it.

    A time that comes twice is its first occurrence. Raises NoDate, also for a time that the clock
    never shows.
    """
    day, clock = " ".join(day.split()), " ".join(clock.split())
    if clock and not _is_time(clock) and (days := _days_of(clock, zone=zone, latest=latest)):
        if as_day(day, order=order, latest=latest) not in days:
            raise NoTime(
                kept(
                    "“%(cell)s” is a moment of another day than “%(day)s”. Name its column as the"
                    " date, and none as the time.",
                    cell=quoted(clock[:40]),
                    day=quoted(day[:40]),
                )
            )
        if (at := _with_offset(clock)) is not None:
            return at, ""
        clock = _parted(clock)[1]
    if not clock:
        if (at := _with_offset(day)) is not None:
            return at, ""
        day, clock = _parted(day)
    wall = datetime.combine(as_day(day, order=order, latest=latest), as_time(clock))
    try:
        return wall_time.resolve(wall, zone), ""
    except wall_time.WallTimeMissing as missing:
        raise NoDate(missing.sentence) from None
    except wall_time.WallTimeRepeats as repeats:
        said = kept(
            "%(time)s comes twice on that day; the first is taken.", time=quoted(f"{wall:%H:%M}")
        )
        return repeats.first, said


def _days_of(clock: str, *, zone: str, latest: date) -> set[date]:
    """The days that a cell of the time may mean that holds a whole moment, as some systems write
    it beside the date; empty for one that holds none."""
    if (at := _with_offset(clock)) is not None:
        return {wall_time.local(at, zone).date()}
    found = set()
    for order in Order:
        try:
            found.add(as_day(_parted(clock)[0], order=order, latest=latest))
        except NoDate:
            continue
    return found


def _with_offset(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None


def _parted(text: str) -> tuple[str, str]:
    """A day and a time that stand in one cell."""
    found = re.fullmatch(r"(.*\d)[\sT,]+(\d{1,2}[:.h]\d{2}.*|\d{1,2}\s*[ap]\.?m\.?)", text, re.I)
    if found is None:
        cell = quoted(text[:40])
        raise NoDate(
            kept(
                "“%(cell)s” has no date. Name the column of the date as well, or write it like"
                " 2026-04-03 14:30.",
                cell=cell,
            )
            if _is_time(text)
            else kept("“%(cell)s” has no time of day. Write it like 2026-04-03 14:30.", cell=cell)
        )
    return found[1], found[2]


def _is_time(text: str) -> bool:
    try:
        as_time(text)
    except NoTime:
        return False
    return True
