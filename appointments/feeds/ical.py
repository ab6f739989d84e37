"""Visits and blocks as an iCalendar file for programs that subscribe to it (RFC 5545, RFC 7986).
Pure but for the library that writes the format: values in, bytes out.

Says at most initials, session and code of a visit. Refuses to know whose calendar it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from clinic.hours import Period, instant

BUSY = "Busy"
# How far a feed reaches around today. What was cancelled stays in it as cancelled for as long as
# it reaches back, because some programs keep an event that only disappears.
DAYS_BACK, DAYS_AHEAD = 30, 180
REFRESH_EVERY = timedelta(minutes=15)
MINUTES_A_DAY = 24 * 60


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
        digest.update(repr(astuple(entry)).encode())
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
    for event in _events(calendar):
        file.add_component(event)
    return bytes(file.to_ical())


def _events(calendar: FeedCalendar) -> Iterator[Event]:
    for entry in calendar.entries:
        event = Event()
        event.add("uid", entry.uid)
        event.add("sequence", entry.sequence)
        event.add("dtstamp", entry.changed_at)
        event.add("last-modified", entry.changed_at)
        event.add("dtstart", entry.starts_at)
        event.add("dtend", entry.ends_at)
        event.add("summary", entry.summary)
        if entry.location:
            event.add("location", entry.location)
        event.add("class", "PRIVATE")
        event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
        event.add("transp", "TRANSPARENT" if entry.is_cancelled else "OPAQUE")
        yield event
