"""Counting and folding of text messages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.models.site import PLAIN_LETTERS
from reminders.wording.segments import (
    GSM_7,
    UCS_2,
    Segments,
    capacity,
    fold,
    is_gsm,
    segments,
    units,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments(1, GSM_7, 0)),
        ("a" * 160, Segments(1, GSM_7, 160)),
        ("a" * 161, Segments(2, GSM_7, 161)),
        ("a" * 306, Segments(2, GSM_7, 306)),
        ("a" * 307, Segments(3, GSM_7, 307)),
        ("a" * 158 + "€", Segments(1, GSM_7, 160)),
        ("a" * 159 + "€", Segments(2, GSM_7, 161)),
        ("a" * 152 + "€" + "a" * 152, Segments(3, GSM_7, 306)),
        ("a" * 69 + "’", Segments(1, UCS_2, 70)),
        ("a" * 70 + "’", Segments(2, UCS_2, 71)),
        ("ш" * 134, Segments(2, UCS_2, 134)),
        ("ш" * 135, Segments(3, UCS_2, 135)),
        ("ш" * 66 + "😀" + "ш" * 66, Segments(3, UCS_2, 134)),
    ],
)
def test_a_text_is_split_as_a_phone_splits_it(text: str, expected: Segments) -> None:
    assert segments(text) == expected


@pytest.mark.parametrize(("letter", "encoding"), [("a", GSM_7), ("ш", UCS_2)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_so_many_segments_hold_so_much_and_no_more(letter: str, encoding: str, count: int) -> None:
    full = letter * capacity(count, encoding)

    assert [segments(text).count for text in (full, full + letter)] == [count, count + 1]


def test_every_character_of_the_extension_table_counts_twice() -> None:
    assert units("^{}[]~|\\€") == 18


def test_a_typographic_quote_costs_a_segment_only_until_it_is_folded() -> None:
    raw = "a" * 70 + "’"

    assert segments(raw).count == 2
    assert segments(fold(raw)) == Segments(1, GSM_7, 71)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("José Núñez", "José Nuñez"),
        ("áíóú ÁÍÓÚ ç", "aiou AIOU c"),
        ("éñüà¿¡ÉÑÜ", "éñüà¿¡ÉÑÜ"),
        ("“so” ‘it’ – is — …", "\"so\" 'it' - is - ..."),
        ("10\u00a0Uhr\u202f9", "10 Uhr 9"),
        ("zero\u200bwidth\u200d\ufeff\u00ad", "zerowidth"),
        ("Jose\u0301 Nun\u0303ez", "José Nuñez"),
        ("Łukasz Straße œuvre", "Lukasz Straße oeuvre"),
        ("ﬁne ½", "fine 1/2"),
        ("bell\x07 and tab\there", "bell and tab here"),
    ],
)
def test_folding_keeps_what_gsm_has_and_replaces_what_has_a_likeness(
    text: str, expected: str
) -> None:
    assert fold(text) == expected


@pytest.mark.parametrize("name", ["Юрий", "美玲", "😀"])
def test_what_has_no_likeness_is_left_as_it_is_and_never_becomes_a_question_mark(
    name: str,
) -> None:
    assert fold(name) == name
    assert not is_gsm(fold(name))


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_segments_hold_every_unit(text: str) -> None:
    found = segments(text)
    room = 160 if found.encoding == GSM_7 else 70
    assert found.units == units(text)
    assert found.units <= found.count * room


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_a_folded_latin_text_has_no_question_mark_that_was_not_there(text: str) -> None:
    assert fold(text).count("?") == text.count("?")


def test_the_name_that_a_site_signs_with_has_letters_of_one_unit_each() -> None:
    def costs_one(letter: str) -> bool:
        return (segments(letter).encoding, segments(letter).units) == (GSM_7, 1)

    plain = {each for each in map(chr, range(0x2500)) if re.search(PLAIN_LETTERS, each)}
    # A line break is a plain letter too, but not of a name.
    assert plain == {each for each in map(chr, range(0x2500)) if costs_one(each)} - set("\n\r")
