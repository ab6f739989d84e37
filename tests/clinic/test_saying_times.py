"""Days and moments in words."""

from datetime import date, timedelta

from clinic.saying_days import format_day, read_on
from clinic.saying_times import format_when, when
from tests.clinic.clocks import NEW_YORK, utc


def test_a_moment_is_written_with_weekday_date_and_time() -> None:
    at = utc(2027, 3, 12, 15)
    assert format_when(at, NEW_YORK, "en") == "Fri 12 Mar 10:00"
    assert format_when(at, NEW_YORK, "es") == "vie 12 mar 10:00"
    assert format_when(at, NEW_YORK, "en", with_zone=True) == "Fri 12 Mar 10:00 EST"
    assert format_when(at, "America/Sao_Paulo", "es", with_zone=True) == ("vie 12 mar 12:00 UTC-03")


def test_a_date_has_its_year_where_it_could_be_taken_for_another() -> None:
    at = utc(2027, 3, 12, 15)
    same, near, far = (at - timedelta(days=days) for days in (70, 300, 301))
    assert format_when(at, NEW_YORK, "en", seen_at=same) == "Fri 12 Mar 10:00"
    for seen in (near, far):
        assert format_when(at, NEW_YORK, "en", seen_at=seen) == "Fri 12 Mar 2027 10:00"
    assert format_when(at, NEW_YORK, "en", seen_at=far, year=False) == "Fri 12 Mar 10:00"
    assert when(at, NEW_YORK, "en", year=True).day == "Fri 12 Mar 2027"
    assert when(at, NEW_YORK, "es", seen_at=far).brief == "12 mar 2027 10:00"
    assert when(at, NEW_YORK, "es", seen_at=near).brief == "vie 12 mar 10:00"
    day = date(2027, 3, 12)
    assert format_day(day, today=date(2028, 3, 12)) == "Fri 12 Mar 2027"
    assert format_day(day, today=date(2027, 12, 1)) == format_day(day) == "Fri 12 Mar"


def test_a_sentence_says_the_year_that_is_not_its_readers() -> None:
    at, day = utc(2027, 3, 12, 15), date(2027, 3, 12)
    with read_on(date(2026, 11, 26)):
        assert format_day(day) == "Fri 12 Mar 2027"
        assert format_when(at, NEW_YORK, "es") == "vie 12 mar 2027 10:00"
    with read_on(date(2027, 1, 1)):
        assert format_when(at, NEW_YORK, "en") == "Fri 12 Mar 10:00"
    assert format_day(day) == "Fri 12 Mar"


def test_a_repeated_time_is_always_written_with_its_zone() -> None:
    assert format_when(utc(2027, 11, 7, 5, 30), NEW_YORK, "en") == "Sun 7 Nov 01:30 EDT"
    assert format_when(utc(2027, 11, 7, 6, 30), NEW_YORK, "en") == "Sun 7 Nov 01:30 EST"
