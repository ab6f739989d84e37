from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from reminders.channels.calendar import Visit, invite

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
FIRST = Visit(
    uid="visit-1@lumen.example",
    sequence=0,
    starts_at=datetime(2027, 3, 12, 15, tzinfo=UTC),
    ends_at=datetime(2027, 3, 12, 16, 30, tzinfo=UTC),
    zone="America/New_York",
    location="Lumen, 12 Main St; 2nd floor",
)


def written(*visits: Visit, method: Literal["REQUEST", "CANCEL", ""] = "REQUEST") -> Calendar:
    raw = invite(
        visits=visits,
        organizer_name="Lumen Clinic",
        organizer_email="visits@lumen.example",
        attendee="patient@example.org",
        method=method,
        now=NOW,
    )
    calendar = Calendar.from_ical(raw)
    assert isinstance(calendar, Calendar)
    return calendar


def starts_at(event: Event) -> datetime:
    assert isinstance(event.start, datetime)
    return event.start


def test_an_invitation_reads_back_as_the_visit() -> None:
    calendar = written(FIRST)

    [event] = calendar.events
    assert calendar["METHOD"] == "REQUEST"
    assert event["UID"] == FIRST.uid
    assert event["SEQUENCE"] == 0
    assert (event.start, event.end) == (FIRST.starts_at, FIRST.ends_at)
    assert starts_at(event).replace(tzinfo=None) == datetime(2027, 3, 12, 10)
    assert event["SUMMARY"] == "Appointment"
    assert event["LOCATION"] == FIRST.location
    assert event["ORGANIZER"] == "mailto:visits@lumen.example"
    assert event["ATTENDEE"] == "mailto:patient@example.org"
    assert event["STATUS"] == "CONFIRMED"
    assert event.DTSTAMP == NOW


def test_a_cancellation_keeps_the_uid_and_raises_the_sequence() -> None:
    calendar = written(replace(FIRST, sequence=3), method="CANCEL")

    [event] = calendar.events
    assert calendar["METHOD"] == "CANCEL"
    assert (event["UID"], event["SEQUENCE"]) == (FIRST.uid, 3)
    assert event["STATUS"] == "CANCELLED"


def test_several_visits_share_one_file_with_a_rule_for_every_zone() -> None:
    second = Visit(
        uid="visit-2@lumen.example",
        sequence=1,
        starts_at=datetime(2027, 4, 12, 9, tzinfo=ZoneInfo("Europe/London")),
        ends_at=datetime(2027, 4, 12, 10, tzinfo=ZoneInfo("Europe/London")),
        zone="Europe/London",
        location="Chelsea",
    )

    calendar = written(FIRST, second, method="")

    assert "METHOD" not in calendar
    assert [event["UID"] for event in calendar.events] == [FIRST.uid, second.uid]
    assert {zone.tz_name for zone in calendar.timezones} == {
        "America/New_York",
        "Europe/London",
    }
    assert calendar.get_missing_tzids() == set()


def test_the_hour_holds_on_both_sides_of_a_clock_change() -> None:
    """New York moves its clocks on 14 March 2027, so 10:00 is 15:00Z before and 14:00Z after."""
    after = Visit(
        uid="visit-3@lumen.example",
        sequence=0,
        starts_at=FIRST.starts_at + timedelta(days=7, hours=-1),
        ends_at=FIRST.ends_at + timedelta(days=7, hours=-1),
        zone=FIRST.zone,
        location=FIRST.location,
    )

    calendar = written(FIRST, after, method="")

    rule = calendar.timezones[0].to_tz()
    for event, utc_offset in zip(calendar.events, (-5, -4), strict=True):
        wall = starts_at(event).replace(tzinfo=None)
        assert wall.hour == 10
        assert wall.replace(tzinfo=rule).utcoffset() == timedelta(hours=utc_offset)


def test_an_invitation_is_about_one_visit() -> None:
    with pytest.raises(ValueError, match="one visit"):
        written(FIRST, replace(FIRST, uid="visit-2@lumen.example"))


@pytest.mark.parametrize("hour", [4, 5, 6, 7])
def test_an_hour_that_comes_twice_is_told_apart(hour: int) -> None:
    """New York has 01:00 at 05:00Z and again at 06:00Z on 7 November 2027."""
    starts = datetime(2027, 11, 7, hour, 30, tzinfo=UTC)
    visit = replace(FIRST, starts_at=starts, ends_at=starts + timedelta(minutes=45))
    [event] = written(visit).events
    assert (starts_at(event).astimezone(UTC), event.duration) == (starts, timedelta(minutes=45))
