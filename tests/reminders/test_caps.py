"""Caps: local days, whole families, and who gives way."""

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import wall_time
from reminders.caps import CAPS, LONGEST, Had, full
from reminders.catalogue import CATALOGUE, Channel, Kind, Purpose

NEW_YORK = "America/New_York"
NOON = datetime(2027, 3, 12, 17, tzinfo=UTC)  # a Friday
CARE, MARKETING = Purpose.CARE, Purpose.MARKETING


def text(at: datetime, kind: Kind = Kind.REMINDER_FINAL) -> Had:
    return Had(at, CATALOGUE[kind].purpose, Channel.SMS, kind)


def may(
    had: list[Had], now: datetime = NOON, kind: Kind = Kind.POSTCARE_STEP, **more: object
) -> str:
    """Empty when it may go, else when it may, on New York's clock."""
    entry = CATALOGUE[kind]
    asked = {
        "channel": Channel.SMS,
        "zones": (NEW_YORK,),
        "purpose": entry.purpose,
        "priority": entry.priority,
    }
    found = full(kind=kind, had=had, now=now, **(asked | more))  # type: ignore[arg-type]
    return f"{wall_time.local(found.until, NEW_YORK):%a %d %H:%M} {found.reason}" if found else ""


def at(day: int, hour: int = 12) -> datetime:
    return wall_time.instant(datetime(2027, 3, day).date(), hour * 60, NEW_YORK)


def test_one_text_a_day_whoever_of_the_family_had_it() -> None:
    assert may([]) == ""
    assert may([text(at(12, 8))]) == "Sat 13 00:00 cap"
    assert may([text(at(11, 23))]) == ""


def test_three_in_seven_days() -> None:
    assert may([text(at(6)), text(at(8)), text(at(10))]) == "Sat 13 00:00 cap"
    assert may([text(at(5)), text(at(8)), text(at(10))]) == ""


def test_what_is_never_held_back_counts_all_the_same() -> None:
    urgent = [text(at(12, 8), Kind.APPT_MOVED), text(at(12, 9), Kind.REMINDER_FINAL)]
    assert may(urgent) == "Sat 13 00:00 cap"
    for kind in Kind:
        if not CATALOGUE[kind].sparable:
            assert may(urgent * 3, kind=kind) == ""
    assert may(urgent * 3, kind=Kind.PRECARE_STEP) != ""
    assert may(urgent * 3, kind=Kind.PRECARE_STEP, priority=1) == ""  # a critical step


def test_reminders_checkins_offers_and_everything_urgent_never_give_way() -> None:
    never = {
        Kind.FILL_IN,
        Kind.REMINDER_7D,
        Kind.REMINDER_CONFIRM,
        Kind.REMINDER_FINAL,
        Kind.NUDGE,
        Kind.CHECKIN,
    }
    assert not any(CATALOGUE[kind].sparable for kind in never)
    assert not any(entry.sparable for entry in CATALOGUE.values() if entry.priority < 2)


def test_e_mail_about_care_is_not_capped() -> None:
    had = [Had(at(12, 8), CARE, Channel.EMAIL, Kind.POSTCARE_STEP)] * 5
    assert may(had, channel=Channel.EMAIL) == ""
    assert may(had) == ""


def test_prompts_once_a_week_and_each_kind_once_a_month() -> None:
    prompt = text(at(1), Kind.TOUCHUP_PROMPT)
    assert may([prompt], kind=Kind.TOUCHUP_PROMPT) == "Wed 31 00:00 too_often"
    assert may([prompt], now=at(31, 10), kind=Kind.TOUCHUP_PROMPT) == ""
    by_mail = Had(at(1), MARKETING, Channel.EMAIL, Kind.TOUCHUP_PROMPT)
    assert may([by_mail], kind=Kind.TOUCHUP_PROMPT) == "Wed 31 00:00 too_often"


@pytest.mark.parametrize(
    ("sent", "asked", "may_go"),
    [
        # The 14th has 23 hours: from its first minute to its last it is one day.
        (datetime(2027, 3, 14, 4, 30, tzinfo=UTC), datetime(2027, 3, 14, 4, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 14, 5, 0, tzinfo=UTC), datetime(2027, 3, 15, 3, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 14, 5, 0, tzinfo=UTC), datetime(2027, 3, 15, 4, 0, tzinfo=UTC), True),
        # 7 November has 25 hours, from 04:00 to 05:00 UTC the day after.
        (datetime(2027, 11, 7, 4, 0, tzinfo=UTC), datetime(2027, 11, 8, 4, 59, tzinfo=UTC), False),
        (datetime(2027, 11, 7, 4, 0, tzinfo=UTC), datetime(2027, 11, 8, 5, 0, tzinfo=UTC), True),
    ],
)
def test_a_day_is_a_day_of_the_recipients_clock(
    sent: datetime, asked: datetime, may_go: bool
) -> None:
    assert (may([text(sent)], now=asked) == "") is may_go


def test_where_the_zone_is_unknown_the_day_that_ends_last_counts() -> None:
    zones = (NEW_YORK, "America/Los_Angeles")
    assert may([text(at(12, 8))], zones=zones) == "Sat 13 03:00 cap"


@given(
    minutes=st.lists(st.integers(0, 60 * 24 * 21), max_size=40),
    zone=st.sampled_from(sorted(available_timezones())),
    start=st.integers(0, 365),
)
def test_whoever_only_sends_when_there_is_room_never_breaks_a_cap(
    minutes: list[int], zone: str, start: int
) -> None:
    begin = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=start)
    had: list[Had] = []
    for minute in sorted(minutes):
        now = begin + timedelta(minutes=minute)
        if may(had, now=now, zones=(zone,)) == "":
            had.append(text(now, Kind.POSTCARE_STEP))
    days = [wall_time.local(each.at, zone).date() for each in had]
    for cap in CAPS[CARE, Channel.SMS]:
        for day in days:
            since = day - timedelta(days=cap.days - 1)
            assert sum(since <= each <= day for each in days) <= cap.most


def test_the_ledger_is_asked_as_far_back_as_any_cap_looks() -> None:
    assert timedelta(days=91) == LONGEST
