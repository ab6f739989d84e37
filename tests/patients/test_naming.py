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


def test_what_is_not_seen_is_no_part_of_a_name() -> None:
    assert naming.one_line("  Zo\u00eb\u202e \u200b\x07 O\u2019Brien\n") == "Zo\u00eb O\u2019Brien"
    assert naming.one_line("\u202e\u200b") == ""
    # What joins letters is a part of names in other scripts.
    joined = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    assert naming.one_line(joined) == joined
