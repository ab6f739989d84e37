"""Letters to patients: what they say, what they never say, and how long they are."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reminders.wording.texts
from reminders.catalogue import Channel, Kind
from reminders.wording.phrases import PhraseError, parse
from reminders.wording.rendering import (
    LetterStep,
    LetterVisit,
    WordingError,
    render,
)
from reminders.wording.segments import fold, is_gsm, segments
from tests.reminders.a_letter import (
    BARE,
    LANGUAGES,
    LETTER,
    SUN,
    WHEN,
    email,
    every_kind,
    every_language,
    sms,
    templates,
)

# --- Every letter ---------------------------------------------------------------------------------


@every_kind
@every_language
@pytest.mark.parametrize("detail", [False, True])
@pytest.mark.parametrize("steps", [(), (SUN, BARE)])
@pytest.mark.parametrize("count", [1, 3])
def test_every_kind_can_be_written_in_every_language_on_both_channels(
    kind: Kind, language: str, detail: bool, steps: tuple[LetterStep, ...], count: int
) -> None:
    visits = tuple(LetterVisit(n, 3, WHEN[language], "Thu 11 Mar 09:00") for n in range(1, 4))
    said = {
        "kind": kind,
        "language": language,
        "detail": detail,
        "steps": steps,
        "visits": visits[:count],
    }

    text, mail = sms(**said), email(**said)

    assert text.segments in {1, 2} and text.encoding == "GSM-7" and not text.subject + text.html
    assert mail.subject and mail.segments is None
    for written in (text.text, mail.subject, mail.text, mail.html):
        assert "{" not in written.split("<style>")[0] and "None" not in written
        assert not re.search(r"[\[\]|]|  |\$\w", written.split("<style>")[0])


@every_kind
@every_language
def test_a_letter_without_name_or_visit_details_still_reads_as_a_sentence(
    kind: Kind, language: str
) -> None:
    written = sms(kind=kind, language=language, first_name="")

    assert "José" not in written.text
    assert not re.search(r"  | [,.;:]|: ?$|\.\.", written.text)


def test_the_two_files_hold_the_same_templates() -> None:
    held = {(language, kind, key) for language, kind, key, _ in templates()}

    assert {entry[1:] for entry in held if entry[0] == "en"} == {
        entry[1:] for entry in held if entry[0] == "es"
    }


def test_a_language_without_words_is_refused_with_a_sentence() -> None:
    with pytest.raises(WordingError, match="no messages in the language “fr”"):
        sms(language="fr")


@pytest.mark.parametrize("channel", list(Channel))
def test_a_link_that_is_no_web_address_is_refused(channel: Channel) -> None:
    with pytest.raises(WordingError, match="must start with https"):
        render(replace(LETTER, channel=channel, care_url="javascript:alert(1)"))


@every_language
def test_a_request_for_a_review_leads_to_where_it_is_written(language: str) -> None:
    mail = email(kind=Kind.REVIEW_REQUEST, language=language)
    assert 'href="https://reviews.example/harbour"' in mail.html
    assert "https://reviews.example/harbour" in mail.text
    with pytest.raises(WordingError, match="where it is written"):
        email(kind=Kind.REVIEW_REQUEST, language=language, review_url="")


# --- What must not be read by others --------------------------------------------------------------

secrets = st.text(
    st.characters(categories=["Lu", "Ll", "Nd"], exclude_characters="STOP"),
    min_size=6,
    max_size=30,
).map(lambda word: f"Q7{word}Q7")


@given(
    kind=st.sampled_from(list(Kind)),
    language=st.sampled_from(LANGUAGES),
    secret=secrets,
    late=st.booleans(),
    detail=st.booleans(),
    first=st.booleans(),
)
def test_no_text_and_no_neutral_mail_ever_tells_treatment_step_or_warning(
    kind: Kind, language: str, secret: str, late: bool, detail: bool, first: bool
) -> None:
    letter = replace(
        LETTER,
        kind=kind,
        language=language,
        treatment=secret,
        steps=(LetterStep(secret, secret, secret, late),),
        warnings=(secret,),
        first_sms=first,
    )

    text = render(replace(letter, detail=detail)).text
    mail = render(replace(letter, channel=Channel.EMAIL))
    detailed = render(replace(letter, channel=Channel.EMAIL, detail=True))

    for written in (text, mail.subject, mail.text, mail.html, detailed.subject):
        assert secret not in written
        assert fold(secret) not in written


@every_language
def test_a_text_holds_neither_the_clinics_long_name_nor_its_address(
    language: str,
) -> None:
    for kind in Kind:
        text = sms(kind=kind, language=language).text
        assert LETTER.clinic_name not in text and LETTER.address not in text


# --- The notation and the rules -------------------------------------------------------------------


def test_a_phrase_shrinks_from_the_left_through_all_its_forms() -> None:
    phrase = parse("[long|short|]middle[ end| e]")

    assert list(phrase.shrinking({})) == [
        "longmiddle end",
        "shortmiddle end",
        "middle end",
        "middle e",
    ]


def test_an_optional_part_goes_when_its_value_is_missing() -> None:
    assert parse("Hello[ {first_name}],").fill({"first_name": ""}) == "Hello,"
    assert parse("Hello[ {first_name}],").fill({"first_name": "Ann"}) == "Hello Ann,"


def test_a_missing_value_outside_brackets_is_an_error() -> None:
    with pytest.raises(PhraseError, match="needs a value for “when”"):
        parse("Your visit is on {when}.").fill({})


@pytest.mark.parametrize("source", ["Hello [name", "Hello name]", "Hello {name", "[a[b]]"])
def test_a_bracket_that_does_not_close_is_an_error(source: str) -> None:
    with pytest.raises(PhraseError, match="does not close"):
        parse(source)


@every_language
def test_the_shared_opt_out_line_is_plain_and_short_enough_for_a_second_segment(
    language: str,
) -> None:
    line = fold(reminders.wording.texts.LANGUAGES[language].words["first_sms"].fill({}))

    assert is_gsm(line)
    assert segments("x" * 160 + line).count == 2
