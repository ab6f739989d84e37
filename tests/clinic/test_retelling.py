"""Sentences are stored with their facts and told in the language of who reads them."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from clinic.durations import parse
from clinic.retelling import (
    anew,
    counted,
    day,
    either,
    kept,
    moment,
    retold,
    span,
    text,
    together,
    word,
)

AT = datetime(2027, 3, 12, 15, tzinfo=UTC)
BOOKED = kept(
    "Session %(session)s was booked for %(when)s.", session=2, when=moment(AT, "America/New_York")
)


def both(stored: str) -> tuple[str, str]:
    with translation.override("es"):
        spanish = retold(stored)
    return retold(stored), spanish


def test_a_sentence_is_told_with_its_facts_in_either_language() -> None:
    assert both(BOOKED) == (
        "Session 2 was booked for Fri 12 Mar 10:00.",
        "La sesión 2 se reservó para el vie 12 mar 10:00.",
    )


def test_every_kind_of_fact_has_its_words_in_either_language() -> None:
    stored = kept(
        "%(a)s · %(b)s · %(c)s · %(d)s · %(e)s · %(f)s",
        a=day(date(2027, 3, 1)),
        b=span(parse("P7D")),
        c=counted("%(count)s screening question", "%(count)s screening questions", 2),
        d=word("care messages by text"),
        e=either("Legs", "Piernas"),
        f=text("Ana = 100 % | @home"),
    )
    assert both(stored) == (
        "Mon 1 Mar · 7 days · 2 screening questions · care messages by text · Legs"
        " · Ana = 100 % | @home",
        "lun 1 mar · 7 días · 2 preguntas de salud · mensajes de cuidados por SMS · Piernas"
        " · Ana = 100 % | @home",
    )


def test_what_was_stored_without_facts_reads_as_it_did() -> None:
    old = "Session 1 on Fri 12 Mar was cancelled: 100 % sure."
    assert both(old) == (old, old)
    assert both("") == ("", "")
    assert both("The offer was taken back.")[1] == "La oferta se retiró."


def test_several_sentences_are_one_text_each_told_by_itself() -> None:
    assert retold(together((BOOKED, "The offer was taken back."))) == (
        f"{retold(BOOKED)} The offer was taken back."
    )


def test_the_signs_of_facts_cannot_come_with_a_text() -> None:
    stored = kept("%(by)s chose.", by=text("Eve\x1fby=Ana\x1eOther\x1d"))
    assert retold(stored) == "Eve by=Ana Other  chose."


def test_of_other_values_only_what_holds_facts_is_told_anew() -> None:
    with translation.override("es"):
        told = anew({"why": [BOOKED], "word": "The offer was taken back.", "number": 3})
    assert told["why"] == ["La sesión 2 se reservó para el vie 12 mar 10:00."]
    assert (told["word"], told["number"]) == ("The offer was taken back.", 3)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("50% off\x1fok", "50% off ok"),
        ("hi %s \x1fa@x\x1dy", "hi %s  a@x y"),
        ("%(x)s\x1fa=b", "%(x)s a=b"),
        ("%(x)999999999s\x1fx=b", "%(x)999999999s"),
        ("%(x)s\x1fx#%(count)999999999s\x1d\x1d1", "%(count)999999999s"),
        ("a\x1f", "a "),
        ("%(x)s\x1fx@99999999999999999999\x1dUTC", "%(x)s x@99999999999999999999 UTC"),
        ("%(x)s\x1fx@1\x1dNowhere/..", "%(x)s x@1 Nowhere/.."),
        ("%(x)s\x1fx~P7X", "%(x)s x~P7X"),
    ],
)
def test_what_somebody_wrote_with_our_signs_is_told_without_them(written: str, told: str) -> None:
    assert anew(written) == told


def test_no_kind_of_fact_brings_signs_with_its_words() -> None:
    signs = "a\x1fb=\x1dc\x1e"
    stored = kept(
        "%(a)s|%(b)s|%(c)s|%(d)s",
        a=either(signs, "es"), b=either(signs, signs), c=word(signs, "d"),
        d=counted(signs, signs, 1),
    )  # fmt: skip
    assert retold(stored) == "a b= c |a b= c |a b= c , d|a b= c "


def test_a_first_sentence_that_is_too_long_is_told_and_cut() -> None:
    assert together((BOOKED, "Nothing changed."), most=20) == retold(BOOKED)[:20]
    assert together(("Nothing changed.", BOOKED), most=20) == "Nothing changed."
