"""Days as they are written for people, with their year where it could be taken for another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, timedelta

_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "en": (
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
    ),
    "es": (
        "ene",
        "feb",
        "mar",
        "abr",
        "may",
        "jun",
        "jul",
        "ago",
        "sep",
        "oct",
        "nov",
        "dic",
    ),
}


# Nearer than this, a date without a year can only be one.
_FAR = timedelta(days=300)
_reader_day: ContextVar[date | None] = ContextVar("afterglow_reader_day", default=None)


@contextmanager
def read_on(day: date) -> Iterator[None]:
    """Within it `day` is the day of who reads: dates of another year say their year. Outside,
    where nobody knows who will read, they do not."""
    token = _reader_day.set(day)
    try:
        yield
    finally:
        _reader_day.reset(token)


def is_far(day: date, today: date) -> bool:
    """Whether nobody may be left to take a date for the one nearer to `today`."""
    return abs(day - today) > _FAR


def reader_day() -> date | None:
    """The day of who reads, where it is known."""
    return _reader_day.get()


def format_day(
    day: date, language: str = "en", *, today: date | None = None, year: bool | None = None
) -> str:
    """Such as "Fri 12 Mar" or "vie 12 mar", and "Fri 12 Mar 2028" in another year than `today` or
    far from it; `today` is the day of who reads (`read_on`). Whether it has its year can be said
    by `year` as well."""
    said = f"{_WEEKDAYS[language][day.weekday()]} {day.day} {_MONTHS[language][day.month - 1]}"
    if year is None:
        reader = today or _reader_day.get()
        year = reader is not None and (day.year != reader.year or is_far(day, reader))
    return f"{said} {day.year}" if year else said
