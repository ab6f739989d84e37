"""When those who wait may hear of an offer, and how long it stands."""

from datetime import UTC, datetime, time, timedelta

import pytest

from appointments.waitlist.hearing import hears_at, stands_until

EIGHT = datetime(2027, 3, 4, 13, 0, tzinfo=UTC)  # in New York
QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("now", "zone", "heard"),
    [
        (EIGHT, "America/New_York", EIGHT),
        (EIGHT - timedelta(minutes=1), "America/New_York", EIGHT),
        (EIGHT - timedelta(hours=13), "America/New_York", EIGHT - timedelta(hours=13, minutes=0)),
        (EIGHT - timedelta(hours=12), "America/New_York", EIGHT),
        (EIGHT, "America/Los_Angeles", EIGHT + timedelta(hours=3)),
    ],
    ids=["at eight", "before eight", "at seven in the evening", "at eight in the evening", "west"],
)
def test_a_message_waits_for_the_morning_where_the_patient_is(
    now: datetime, zone: str, heard: datetime
) -> None:
    assert hears_at([zone], now=now) == heard


def test_every_zone_and_the_patients_own_quiet_hours_count() -> None:
    both = ["America/New_York", "America/Los_Angeles"]
    assert hears_at(both, now=EIGHT) == EIGHT + timedelta(hours=3)
    quiet = time(7, 0), time(10, 30)
    assert hears_at(both[:1], now=EIGHT, quiet=quiet) == EIGHT + timedelta(hours=2, minutes=30)
    assert hears_at(both[:1], now=EIGHT, quiet=(time(8, 0), time(20, 0))) is None


def test_the_time_to_answer_begins_when_the_last_has_heard() -> None:
    night, far = EIGHT - timedelta(hours=9), EIGHT + timedelta(days=2)
    heard = [EIGHT, EIGHT + timedelta(hours=3)]
    assert stands_until(heard, minutes=15, first_start=far, now=night) == heard[1] + QUARTER
    assert stands_until([night, None], minutes=15, first_start=far, now=night) == night + QUARTER
    soon = EIGHT + timedelta(minutes=5)
    assert stands_until([EIGHT], minutes=15, first_start=soon, now=night) == soon
