"""Durations: reading, the canonical form, order and words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.durations import Duration, DurationError, from_minutes, in_words, parse

DURATIONS = st.builds(
    Duration,
    months=st.integers(0, 240),
    days=st.integers(0, 3_000),
    seconds=st.integers(0, 900_000),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P7D", Duration(days=7)),
        ("P4W", Duration(days=28)),
        ("P1W2D", Duration(days=9)),
        ("P6M", Duration(months=6)),
        ("P1Y2M", Duration(months=14)),
        ("PT72H", Duration(seconds=72 * 3600)),
        ("PT1H30M5S", Duration(seconds=5405)),
        ("P1DT12H", Duration(days=1, seconds=43_200)),
        ("PT0S", Duration()),
        ("P0D", Duration()),
    ],
)
def test_a_duration_is_read(text: str, expected: Duration) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P7X",
        "7D",
        "P-7D",
        "-P7D",
        "P1.5D",
        "P7DT",
        "PT7D",
        "P1D1W",
        "P7D ",
        "p7d",
        "P٧D",
        "P7D\n",
        "P1234567890D",
    ],
)
def test_what_is_no_duration_is_refused_in_a_sentence_that_quotes_it(text: str) -> None:
    with pytest.raises(DurationError) as refused:
        parse(text)
    assert str(refused.value) == f"'{text}' is not an ISO-8601 duration"


def test_more_than_a_century_is_refused() -> None:
    assert parse("P100Y").months == 1200
    with pytest.raises(DurationError, match="longer than a century"):
        parse("P36501D")


def test_a_negative_duration_cannot_be_made() -> None:
    with pytest.raises(DurationError):
        Duration(days=-1)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("P4W", "P28D"), ("P1Y", "P12M"), ("PT90M", "PT1H30M"), ("PT72H", "PT72H"), ("P0D", "PT0S")],
)
def test_the_canonical_form_has_weeks_as_days_and_years_as_months(
    text: str, canonical: str
) -> None:
    assert str(parse(text)) == canonical


@given(DURATIONS)
def test_the_canonical_form_reads_back_as_the_same_duration(duration: Duration) -> None:
    assert parse(str(duration)) == duration


def test_seven_days_and_168_hours_order_alike_but_are_not_equal() -> None:
    assert parse("P7D") != parse("PT168H")
    assert parse("P7D").approximate_seconds == parse("PT168H").approximate_seconds
    assert parse("P7D").is_calendar
    assert parse("PT168H").is_elapsed
    assert not parse("P1DT1H").is_elapsed


@given(DURATIONS, DURATIONS)
def test_a_longer_sum_orders_later(one: Duration, other: Duration) -> None:
    both = Duration(one.months + other.months, one.days + other.days, one.seconds + other.seconds)
    assert both.approximate_seconds == one.approximate_seconds + other.approximate_seconds


def test_whole_days_count_months_as_thirty_days() -> None:
    assert [parse(text).whole_days for text in ("P28D", "PT71H", "PT72H", "P6M")] == [
        28,
        2,
        3,
        180,
    ]


def test_minutes_come_and_go() -> None:
    assert from_minutes(75) == parse("PT1H15M")
    assert parse("PT1H15M").minutes == 75


def test_only_zero_is_false() -> None:
    assert not parse("P0D")
    assert parse("PT1S")
    assert parse("P1M")


@pytest.mark.parametrize(
    ("text", "english", "spanish"),
    [
        ("P1D", "1 day", "1 día"),
        ("P7D", "7 days", "7 días"),
        ("P14D", "14 days", "14 días"),
        ("P28D", "4 weeks", "4 semanas"),
        ("P30D", "30 days", "30 días"),
        ("P12W", "12 weeks", "12 semanas"),
        ("PT48H", "48 hours", "48 horas"),
        ("PT45M", "45 minutes", "45 minutos"),
        ("P6M", "6 months", "6 meses"),
        ("P1M", "1 month", "1 mes"),
        ("PT1H15M", "1 hour and 15 minutes", "1 hora y 15 minutos"),
        ("P1M2DT1S", "1 month, 2 days and 1 second", "1 mes, 2 días y 1 segundo"),
        ("PT0S", "0 minutes", "0 minutos"),
    ],
)
def test_a_duration_is_said_in_words(text: str, english: str, spanish: str) -> None:
    assert in_words(parse(text), "en") == english
    assert in_words(parse(text), "es") == spanish
