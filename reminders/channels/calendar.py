"""Visits as an iCalendar invitation or its withdrawal (RFC 5545, RFC 5546). Pure but for the
library that writes the format: values in, bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vText

TITLE = "Appointment"  # shown on lock screens and shared calendars: never the treatment


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit of the file. `uid` stays for its whole life; `sequence` rises with every change,
    the cancellation included. `starts_at` and `ends_at` are instants, half-open; `zone` is the
    IANA zone of the site."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    zone: str
    location: str
    summary: str = TITLE


def uid(visit_id: int, *, host: str) -> str:
    """The name of a visit in every calendar file that ever speaks of it."""
    return f"visit-{visit_id}@{host}"


def invite(
    *,
    visits: Sequence[Visit],
    organizer_name: str,
    organizer_email: str,
    attendee: str,
    method: Literal["REQUEST", "CANCEL", ""],
    now: datetime,
) -> bytes:
    """One file with all `visits`, with CRLF line ends. `now` becomes DTSTAMP.

    A method is about one visit (RFC 5546, 3.2): of several Outlook takes the first and drops the
    others. Without one the file is there to be read into a calendar. PUBLISH is not offered:
    Outlook shows a published visit twice after every change.
    """
    if method and len(visits) != 1:
        raise ValueError("an invitation is about one visit")
    calendar = Calendar()
    calendar.add("prodid", "-//Afterglow//Visits//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method:
        calendar.add("method", method)
    for visit in visits:
        calendar.add_component(
            _event(visit, organizer_name, organizer_email, attendee, method, now)
        )
    calendar.add_missing_timezones(
        first_date=min(visit.starts_at for visit in visits).date() - timedelta(days=366),
        last_date=max(visit.ends_at for visit in visits).date() + timedelta(days=366),
    )
    return bytes(calendar.to_ical())


def _event(
    visit: Visit,
    organizer_name: str,
    organizer_email: str,
    attendee: str,
    method: str,
    now: datetime,
) -> Event:
    event = Event()
    event.add("uid", visit.uid)
    event.add("sequence", visit.sequence)
    event.add("dtstamp", now)
    event.add("dtstart", _there(visit.starts_at, visit.zone))
    event.add("dtend", _there(visit.ends_at, visit.zone))
    event.add("summary", visit.summary)
    event.add("location", visit.location)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if method == "CANCEL" else "OPAQUE")
    event.add("organizer", _address(organizer_email, CN=organizer_name), encode=False)
    event.add(
        "attendee",
        _address(attendee, ROLE="REQ-PARTICIPANT", PARTSTAT="ACCEPTED", RSVP="FALSE"),
        encode=False,
    )
    return event


def _there(at: datetime, zone: str) -> datetime:
    """By the clock of the zone; in UTC where that shows a time for the second time, for in a file
    such a time is always the first."""
    there = at.astimezone(ZoneInfo(zone))
    return at.astimezone(UTC) if there.fold else there


def _address(email: str, **parameters: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    for name, value in parameters.items():
        address.params[name] = vText(value)
    return address
