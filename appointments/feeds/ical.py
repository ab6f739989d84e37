"""Visits and blocks as an iCalendar file for programs that subscribe to it (RFC 5545, RFC 7986).
Pure but for the library that writes the format: values in, bytes out.

Says at most initials, session and code of a visit. Refuses to know whose calendar it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from icalendar import Calendar, Parameters, vText
from icalendar.parser import Contentline

from clinic.periods import Period
from clinic.wall_time import MINUTES_A_DAY, instant

BUSY = "Busy"
# How far a feed reaches around today. What was cancelled stays in it as cancelled for as long as
# it reaches back, because some programs keep an event that only disappears.
DAYS_BACK, DAYS_AHEAD = 30, 180
REFRESH_EVERY = timedelta(minutes=15)
# What a text escapes.
_SPECIAL = frozenset("\\;,\r\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event. `uid` stays for its whole life and `sequence` rises with its schedule.
    `starts_at` and `ends_at` are instants, half-open; `changed_at` is that of its last change."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    sequence: int = 0
    summary: str = BUSY
    location: str = ""
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class FeedCalendar:
    """`name` is what programs show for the whole calendar."""

    name: str
    entries: tuple[Entry, ...]


def reach(today: date, zone: str) -> Period:
    """The time that a feed speaks of on the local day `today`; the same for the whole day."""
    return Period(
        instant(today - timedelta(days=DAYS_BACK), 0, zone),
        instant(today + timedelta(days=DAYS_AHEAD), MINUTES_A_DAY, zone),
    )


def in_initials(given: str, family: str, session: int, sessions: int, code: str) -> str:
    """Such as "E.S. · session 2/3 · RM"; a single visit names no session."""
    letters = "".join(f"{_first_letter(name)}." for name in (given, family))
    parts = [letters, f"session {session}/{sessions}" if sessions > 1 else "", code]
    return " · ".join(part for part in parts if part)


def _first_letter(name: str) -> str:
    return next((letter.upper() for letter in name if letter.isalpha()), "?")


def fingerprint(calendar: FeedCalendar) -> str:
    """Hexadecimal; another one whenever the file would be another one."""
    digest = hashlib.sha256(calendar.name.encode())
    for entry in calendar.entries:
        digest.update(repr(entry).encode())
    return digest.hexdigest()


def write(calendar: FeedCalendar) -> bytes:
    """The file, with CRLF line ends and all times in UTC.

    It has no METHOD: it is no invitation, and without one DTSTAMP is the last change of an event,
    so that equal content is equal text.
    """
    file = Calendar()
    file.add("prodid", "-//Afterglow//Feeds//EN")
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    file.add("name", calendar.name)
    file.add("x-wr-calname", calendar.name)
    file.add("refresh-interval", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    file.add("x-published-ttl", f"PT{REFRESH_EVERY // timedelta(minutes=1)}M")
    head, end = bytes(file.to_ical()).split(b"END:VCALENDAR")
    return b"".join([head, *map(_event, calendar.entries), b"END:VCALENDAR", end])


def _event(entry: Entry) -> bytes:
    """One event, in the order in which the library writes its lines. It is not built of the
    library's objects, which would take seconds for ten thousand; texts are escaped and folded by
    the library, each of them once."""
    changed = _instant(entry.changed_at)
    location = _text("LOCATION", entry.location) if entry.location else b""
    return b"".join(
        (
            b"BEGIN:VEVENT\r\n",
            _text("SUMMARY", entry.summary),
            b"DTSTART:%b\r\n" % _instant(entry.starts_at),
            b"DTEND:%b\r\n" % _instant(entry.ends_at),
            b"DTSTAMP:%b\r\n" % changed,
            _text("UID", entry.uid),
            b"SEQUENCE:%d\r\n" % entry.sequence,
            b"CLASS:PRIVATE\r\n",
            b"LAST-MODIFIED:%b\r\n" % changed,
            location,
            b"STATUS:CANCELLED\r\n" if entry.is_cancelled else b"STATUS:CONFIRMED\r\n",
            b"TRANSP:TRANSPARENT\r\n" if entry.is_cancelled else b"TRANSP:OPAQUE\r\n",
            b"END:VEVENT\r\n",
        )
    )


def _instant(at: datetime) -> bytes:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()


@lru_cache(maxsize=4096)
def _text(name: str, value: str) -> bytes:
    if value.isascii() and len(value) < 60 and not _SPECIAL.intersection(value):
        return f"{name}:{value}\r\n".encode()
    return bytes(Contentline.from_parts(name, Parameters(), vText(value)).to_ical()) + b"\r\n"
