"""Folding of names and dates for search."""

from datetime import date

import pytest

from patients import naming


@pytest.mark.parametrize(
    ("written", "found_by"),
    [
        ("Núñez-Ó", "nunez o"),
        ("  Łukasz   O'Neil ", "lukasz o neil"),
        ("ÆRØ ß", "aero ss"),
        ("李 小龍", "李 小龍"),
        ("_ -- .", ""),
    ],
)
def test_names_lose_accents_case_and_punctuation(written: str, found_by: str) -> None:
    assert naming.folded(written) == found_by


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1988-05-04", date(1988, 5, 4)),
        ("5/4/1988", date(1988, 5, 4)),
        ("25.4.1988", date(1988, 4, 25)),
        ("31.2.1988", None),
        ("0000-01-01", None),
        ("1988", None),
    ],
)
def test_a_birth_date_is_read_in_the_ways_people_write_it(written: str, meant: date | None) -> None:
    assert naming.as_date(written) == meant


def test_only_what_is_written_like_a_number_has_digits() -> None:
    assert naming.digits("+1 (212) 555-0123") == "12125550123"
    assert naming.digits("room 101") == ""
