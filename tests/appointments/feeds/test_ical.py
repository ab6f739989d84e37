from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from appointments.feeds.ical import Entry, FeedCalendar, fingerprint, in_initials, reach, write

HOUR = timedelta(hours=1)
VISIT = Entry(
    uid="visit-7@clinic.example",
    starts_at=datetime(2027, 3, 12, 15, tzinfo=UTC),
    ends_at=datetime(2027, 3, 12, 16, 30, tzinfo=UTC),
    changed_at=datetime(2027, 3, 1, 9, 30, tzinfo=UTC),
    sequence=3,
    summary="E.S. · session 2/3 · RM",
    location="Harbour, 1 Main St; 2nd floor",
)


def parsed(*entries: Entry, name: str = "Sam Okafor · Harbour") -> Calendar:
    calendar = Calendar.from_ical(write(FeedCalendar(name, entries)))
    assert isinstance(calendar, Calendar)
    return calendar


def only(calendar: Calendar) -> Event:
    [event] = calendar.events
    return event


def test_a_parser_reads_back_every_part_of_an_event() -> None:
    event = only(parsed(VISIT))
    assert (event["UID"], event["SEQUENCE"]) == (VISIT.uid, 3)
    assert (event.start, event.end) == (VISIT.starts_at, VISIT.ends_at)
    assert (VISIT.changed_at, VISIT.changed_at) == (event.DTSTAMP, event.LAST_MODIFIED)
    assert (event["SUMMARY"], event["LOCATION"]) == (VISIT.summary, VISIT.location)
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "OPAQUE")
    assert event["CLASS"] == "PRIVATE"


def test_the_calendar_says_its_name_and_how_often_to_ask() -> None:
    calendar = parsed(name="Sam Okafor · Harbour")
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == "Sam Okafor · Harbour"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n" in write(FeedCalendar("", ()))
    assert calendar["X-PUBLISHED-TTL"] == "PT15M"
    assert (calendar["VERSION"], "METHOD" in calendar) == ("2.0", False)


def test_a_cancelled_event_frees_its_time_and_says_so() -> None:
    event = only(parsed(replace(VISIT, is_cancelled=True)))
    assert (event["STATUS"], event["TRANSP"]) == ("CANCELLED", "TRANSPARENT")


def test_lines_end_with_crlf_and_are_folded_at_75_octets() -> None:
    written = write(FeedCalendar("Ñ" * 80, (VISIT,)))
    assert written.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    assert b"\n" not in written.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("starts_at", "wall", "hours"),
    [
        # 01:30 comes twice in New York: both are told apart.
        (datetime(2027, 11, 7, 5, 30, tzinfo=UTC), "01:30 EDT", 1),
        (datetime(2027, 11, 7, 6, 30, tzinfo=UTC), "01:30 EST", 1),
        # Over the gap of spring a visit of two hours ends at four on the wall.
        (datetime(2027, 3, 14, 6, 0, tzinfo=UTC), "01:00 EST", 2),
    ],
)
def test_on_the_days_of_a_clock_change_an_event_is_the_same_instant(
    starts_at: datetime, wall: str, hours: int
) -> None:
    entry = replace(VISIT, starts_at=starts_at, ends_at=starts_at + hours * HOUR)
    event = only(parsed(entry))
    assert isinstance(event.start, datetime) and isinstance(event.end, datetime)
    assert event.start.tzinfo is not None and event.start.utcoffset() == timedelta(0)
    assert event.start == starts_at
    assert event.end - event.start == hours * HOUR
    assert f"{event.start.astimezone(ZoneInfo('America/New_York')):%H:%M %Z}" == wall


def test_equal_content_is_equal_text_and_has_one_fingerprint() -> None:
    one, same = FeedCalendar("Harbour", (VISIT,)), FeedCalendar("Harbour", (replace(VISIT),))
    assert write(one) == write(same)
    assert fingerprint(one) == fingerprint(same)


@pytest.mark.parametrize(
    "other",
    [
        FeedCalendar("Sunset", (VISIT,)),
        FeedCalendar("Harbour", ()),
        FeedCalendar("Harbour", (VISIT, VISIT)),
        FeedCalendar("Harbour", (replace(VISIT, uid="visit-8@clinic.example"),)),
        FeedCalendar("Harbour", (replace(VISIT, starts_at=VISIT.starts_at + HOUR),)),
        FeedCalendar("Harbour", (replace(VISIT, ends_at=VISIT.ends_at + HOUR),)),
        FeedCalendar("Harbour", (replace(VISIT, changed_at=VISIT.changed_at + HOUR),)),
        FeedCalendar("Harbour", (replace(VISIT, sequence=4),)),
        FeedCalendar("Harbour", (replace(VISIT, summary="Busy"),)),
        FeedCalendar("Harbour", (replace(VISIT, location=""),)),
        FeedCalendar("Harbour", (replace(VISIT, is_cancelled=True),)),
    ],
)
def test_every_difference_of_the_text_is_one_of_the_fingerprint(other: FeedCalendar) -> None:
    one = FeedCalendar("Harbour", (VISIT,))
    assert write(other) != write(one)
    assert fingerprint(other) != fingerprint(one)


# --- What is said of a visit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "family", "session", "sessions", "code", "said"),
    [
        ("Elena", "Sato", 2, 3, "RM", "E.S. · session 2/3 · RM"),
        ("álvaro", "de la Cruz", 1, 1, "TX", "Á.D. · TX"),
        ("'Noor", "(Haddad)", 1, 6, "IP", "N.H. · session 1/6 · IP"),
        ("…", "77", 1, 1, "CA", "?.?. · CA"),
        ("张", "伟", 1, 2, "RM", "张.伟. · session 1/2 · RM"),
    ],
)
def test_a_visit_is_told_by_initials_session_and_code(
    given: str, family: str, session: int, sessions: int, code: str, said: str
) -> None:
    assert in_initials(given, family, session, sessions, code) == said


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_of_a_name_no_more_is_told_than_one_letter(first: str, last: str) -> None:
    letters = in_initials(first, last, 1, 1, "RM").removesuffix(" · RM")
    # A ß or a ligature has two capital letters.
    assert letters.count(".") == 2 and len(letters) <= 2 * (3 + 1)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "America/Santiago"])
def test_a_feed_reaches_whole_local_days_around_today(zone: str) -> None:
    found = reach(date(2027, 3, 14), zone)
    begins, ends = (each.astimezone(ZoneInfo(zone)) for each in (found.starts_at, found.ends_at))
    assert (begins.date(), f"{begins:%H:%M}") == (date(2027, 2, 12), "00:00")
    # Santiago's clocks skip midnight on 5 September.
    assert ends.date() in (date(2027, 9, 11), date(2027, 9, 10))


def _as_the_library_writes(entry: Entry) -> bytes:
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
    return bytes(event.to_ical())


@given(
    summary=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    location=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    host=st.from_regex(r"[a-z]{1,90}\.example", fullmatch=True),
    minute=st.integers(0, 10**6),
    is_cancelled=st.booleans(),
)
def test_an_event_is_written_as_the_library_writes_it(
    summary: str, location: str, host: str, minute: int, is_cancelled: bool
) -> None:
    at = datetime(2027, 3, 4, 15, tzinfo=UTC) + timedelta(minutes=minute)
    entry = Entry(
        uid=f"visit-{minute}@{host}",
        starts_at=at,
        ends_at=at + timedelta(hours=1),
        changed_at=at - timedelta(days=1),
        sequence=minute % 7,
        summary=summary,
        location=location,
        is_cancelled=is_cancelled,
    )
    assert _as_the_library_writes(entry) in write(FeedCalendar("Harbour", (entry,)))
