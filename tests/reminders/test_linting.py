"""What may be published and what may not, and that what may be can always be written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinic import saying_times
from reminders.catalogue import OFFERS, SAID_NOW, Channel, Kind
from reminders.wording.findings import Level, errors, warnings
from reminders.wording.linting import House, lint
from reminders.wording.measuring import longest_letter, measure
from reminders.wording.phrases import Phrase
from reminders.wording.rendering import LetterVisit, render
from reminders.wording.rules import LONGEST, SUBJECT_LENGTH, wanted_segments
from reminders.wording.segments import fold, is_gsm, segments
from reminders.wording.texts import SOURCES
from reminders.wording.versions import PHRASES, Sources, shipped, tidied, version

EDITABLE = [kind for kind in Kind if kind not in SAID_NOW]
HOUSE = House(
    hosts=frozenset({"care.harbour.example"}), names=("Sam Okafor", "Okafor", "Glow Lift")
)
GOOD = "{sms_name}: Your visit is on {when}.[ Questions? Call {phone}.|]"


def sources(**changes: str) -> Sources:
    """The words of the last reminder, but for these phrases."""
    return tidied({**SOURCES["en"][Kind.REMINDER_FINAL], **changes})


def codes(kind: Kind = Kind.REMINDER_FINAL, language: str = "en", **changes: str) -> set[str]:
    """The codes of all that is found beyond notes, with their phrases."""
    said = tidied({**SOURCES[language][kind], **changes})
    found = lint(said, kind=kind, language=language, house=HOUSE)
    for each in found:
        assert each.what.endswith((".", "}")) and each.mend.endswith(".") and "{}" not in each.what
    return {f"{each.phrase}:{each.code}" for each in found if each.level is not Level.NOTE}


@pytest.mark.parametrize("language", list(SOURCES))
@pytest.mark.parametrize("kind", list(Kind))
def test_the_words_that_come_with_the_product_have_neither_errors_nor_warnings(
    kind: Kind, language: str
) -> None:
    assert codes(kind, language) == set()


# --- Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("See you tomorrow.", "relative_day"),
        ("Le esperamos mañana.", "relative_day"),
        ("Reply YES to confirm.", "asks_for_reply"),
        ("Reply CANCEL to cancel.", "asks_for_reply"),
        ("Responda SI.", "asks_for_reply"),
        ("Text CANCEL to us.", "asks_for_keyword"),
        ("Reply 1 to confirm.", "asks_for_digit"),
        ("Have your credit card ready.", "asks_for_secret"),
        ("Tenga su DNI a mano.", "asks_for_secret"),
        ("What is your date of birth?", "asks_for_secret"),
        ("Your Botox awaits.", "prescription_drug"),
        ("Your BOTOX awaits.", "prescription_drug"),
        ("Ozempic is here.", "prescription_drug"),
        ("Your anti-wrinkle treatment.", "prescription_drug"),
        ("Your anti wrinkle treatment.", "prescription_drug"),
        ("Wrinkle relaxing is due.", "prescription_drug"),
        ("Su toxina botulínica.", "prescription_drug"),
        ("Su láser le espera.", "treatment"),
        ("Your filler visit.", "treatment"),
        ("It is about your lips.", "body_area"),
        ("You see Dr Novak.", "provider"),
        ("You see Sam Okafor.", "own_name"),
        ("Your glow lift awaits.", "own_name"),
        ("It is $200.", "price"),
        ("Cuesta 90 €.", "price"),
        ("Now 20% off.", "price"),
        ("A special offer waits.", "offer"),
        ("Un descuento le espera.", "offer"),
        ("Feel free to call.", "perhaps_offer"),
        ("More: bit.ly/x", "shortener"),
        ("More: https://evil.example/x", "foreign_link"),
        ("More: www.evil.zip", "foreign_link"),
        ("More: ftp://care.harbour.example/x", "open_link"),
        ("More: http://care.harbour.example/x", "open_link"),
        ("More: care.harbour.example/x", "open_link"),
        ("See you 😀", "emoji"),
        ("PLEASE READ.", "shouting"),
        ("See you!!", "shouting"),
    ],
)
def test_a_sentence_that_must_not_be_sent_is_found_in_a_text(sentence: str, code: str) -> None:
    assert f"sms:{code}" in codes(sms=f"{GOOD} {sentence}")


@pytest.mark.parametrize(
    "sentence",
    [
        "Reply STOP to opt out.",
        "Reply STOP to opt out, HELP for help.",
        "Come back soon.",
        "We see you at 9:30 sharp.",
        "Please surface at the desk.",
        "More: https://care.harbour.example/x",
        "Stoptime. Offering. Toxicity. Pricey.",
    ],
)
def test_a_sentence_that_only_looks_like_one_is_let_through(sentence: str) -> None:
    assert codes(Kind.REMINDER_7D, sms=f"{GOOD} {sentence}") == set()


def test_a_digit_may_be_asked_for_where_one_question_is_open() -> None:
    asking = f"{GOOD} Reply 1 to confirm."
    assert codes(Kind.REMINDER_CONFIRM, sms=asking) == set()
    assert "sms:asks_for_reply" in codes(Kind.REMINDER_CONFIRM, sms=f"{GOOD} Reply YES.")


@pytest.mark.parametrize("price", ["20%", "$1,200.50", "90 €"])
def test_a_price_is_quoted_whole(price: str) -> None:
    found = lint(
        sources(sms=f"{GOOD} Now {price} only."),
        kind=Kind.REMINDER_FINAL,
        language="en",
        house=HOUSE,
    )
    assert any(f"“{price}”" in each.what for each in found)


def test_prices_are_for_marketing_mail_and_medicines_for_no_message_at_all() -> None:
    offer = "We have a special offer: 20% off."
    assert codes(Kind.TOUCHUP_PROMPT, opening=offer) == set()
    assert codes(Kind.REMINDER_FINAL, opening=offer) == {"opening:offer", "opening:price"}
    for kind in (Kind.TOUCHUP_PROMPT, Kind.REMINDER_FINAL):
        assert "opening:prescription_drug" in codes(kind, opening="Your Dysport is due.")


def test_marketing_needs_a_postal_address_of_every_site_that_it_reaches() -> None:
    bare = House(unaddressed=("Sunset",))
    for kind, expected in ((Kind.TOUCHUP_PROMPT, ["no_postal_address"]), (Kind.NUDGE, [])):
        said = tidied(SOURCES["en"][kind])
        found = errors(lint(said, kind=kind, language="en", house=bare))
        assert [each.code for each in found] == expected


# --- Values and notation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sms": ""}, "sms:empty"),
        ({"subject": ""}, "subject:empty"),
        ({"sms": "{sms_name}: on {when"}, "sms:notation"),
        ({"opening": "Hello [name"}, "opening:notation"),
        ({"sms": f"{GOOD} {{treatment}}"}, "sms:unknown_value"),
        ({"sms": f"{GOOD} {{surname}}"}, "sms:unknown_value"),
        ({"sms": f"{GOOD} {{until}}"}, "sms:unknown_value"),
        ({"opening": "See {care_url}."}, "opening:unknown_value"),
        ({"sms": f"{GOOD} Hello {{first_name}}."}, "sms:may_be_missing"),
        ({"sms": f"{GOOD} Was: {{previous_when}}."}, "sms:may_be_missing"),
        ({"opening": "Hello {first_name}."}, "opening:may_be_missing"),
        ({"sms": "{sms_name}: Your visit[ on {when}]."}, "sms:value_missing"),
        ({"sms": f"{GOOD}[ Hello {{first_name}}.]"}, "sms:name_must_go"),
        ({"sms": "Your visit is on {when}. {sms_name}: {phone}"}, "sms:no_sender"),
        ({"sms": "{sms_name}: Your visit is on {when}."}, "sms:no_way_on"),
        ({"sms": f"{GOOD} Привет"}, "sms:not_plain"),
        ({"sms": GOOD + " " + "x" * 120}, "sms:too_long"),
        ({"sms_several": GOOD + " " + "x" * 240}, "sms_several:too_long"),
        ({"sms_several": GOOD + " " + "x" * 160}, "sms_several:too_long_first"),
        ({"subject": "S" * 190 + " {when}"}, "subject:subject_long"),
        ({"subject_several": "Your visits: {when}"}, "subject_several:subject_lists"),
        ({"subject_several": "", "subject": "Visit: {when}"}, "subject_several:subject_lists"),
    ],
)
def test_a_text_that_could_not_be_written_for_everybody_is_found(
    changes: dict[str, str], code: str
) -> None:
    assert code in codes(Kind.REMINDER_FINAL, "en", **changes)


def test_what_plain_texts_write_otherwise_is_noted_and_bars_nothing() -> None:
    said = sources(sms=f"{GOOD} Adiós – “ya”.")
    found = lint(said, kind=Kind.REMINDER_FINAL, language="en")
    [note] = [each for each in found if each.code == "folded"]
    assert note.level is Level.NOTE and "ó as o" in note.what and '“ as "' in note.what
    assert errors(found) == warnings(found) == []


def test_a_finding_is_accepted_for_these_words_in_this_place_only() -> None:
    def keys(**changes: str) -> list[str]:
        found = lint(sources(**changes), kind=Kind.REMINDER_FINAL, language="en")
        return [each.key for each in warnings(found)]

    assert keys(opening="Feel free.") == ["perhaps_offer:opening:free"]
    assert keys(closing="Feel free.") == ["perhaps_offer:closing:free"]
    assert keys(opening="An exclusive visit.") == ["perhaps_offer:opening:exclusive"]


def test_an_own_address_that_is_long_costs_a_warning_before_it_costs_an_error() -> None:
    def found(letters: int) -> set[tuple[str, Level]]:
        house = House(link="https://" + "u" * letters)
        said = tidied(SOURCES["en"][Kind.APPT_MOVED])
        return {
            (each.code, each.level)
            for each in lint(said, kind=Kind.APPT_MOVED, language="en", house=house)
        }

    assert found(37) == set()
    assert found(60) == {("long_link", Level.WARNING)}
    assert ("too_long", Level.ERROR) in found(200)


def test_typed_line_breaks_and_unseen_characters_go_and_what_is_seen_stays() -> None:
    typed = " {sms_name}: one\r\n  two[ Call {phone}. |]\u200b\x00\n"
    assert tidied({"sms": typed})["sms"] == "{sms_name}: one two[ Call {phone}. |]"


# --- Length ---------------------------------------------------------------------------------------


def test_no_clock_prints_a_time_longer_than_the_longest_that_is_reckoned_with() -> None:
    months = [datetime(2027, month, 28, 12, tzinfo=UTC) for month in (1, 7)]
    seen_at = datetime(2025, 1, 1, tzinfo=UTC)
    printed = {
        saying_times.when(at, zone, language, with_zone=True, seen_at=seen_at).brief
        for zone in available_timezones()
        for at in months
        for language in SOURCES
    }
    assert max(map(len, printed)) == len(LONGEST["when"])
    assert all(is_gsm(fold(each)) for each in printed)


@pytest.mark.parametrize(
    ("text", "count", "encoding"),
    [
        ("a" * 158 + "€", 1, "GSM-7"),
        ("a" * 159 + "€", 2, "GSM-7"),
        ("a" * 152 + "€" + "a" * 152, 3, "GSM-7"),
        ("a" * 70 + "’", 2, "UCS-2"),
        (fold("a" * 70 + "’"), 1, "GSM-7"),
        ("José Núñez", 1, "UCS-2"),
        (fold("José Núñez"), 1, "GSM-7"),
    ],
)
def test_segments_are_counted_as_carriers_count_them(text: str, count: int, encoding: str) -> None:
    counted = segments(text)
    assert (counted.count, counted.encoding) == (count, encoding)


def test_the_room_that_is_shown_is_what_can_still_be_written() -> None:
    def single(sms: str) -> int:
        measured = measure(Kind.REMINDER_FINAL, "en", version(sources(sms=sms)).wording)
        return next(each for each in measured if not each.is_first).room

    room = single(GOOD)
    assert room > 0
    assert codes(sms=GOOD + "x" * room) == set()
    assert "sms:too_long" in codes(sms=GOOD + "x" * (room + 1))


# --- Whatever passes can be written ---------------------------------------------------------------

# Pieces that staff might put together, the awkward ones included: double units, accents, quotes.
_WORD = st.sampled_from(
    [
        *("see you", "cita", "café", "¿cómo está?", "“soon”", "€", "[x|]", "~^", "niño", "{when}"),
        *("[ Call {phone}.| {phone}|]", "[ Hello {first_name}. |]", "[ Prepare: {steps_url}]"),
        *("[ All: {more_url}]", "[ from {previous_when}]", "{phone}", "[ at {care_url}| |]"),
        *("x" * 20, "ó" * 15),
    ]
)
_PHRASE = st.lists(_WORD, max_size=9).map(" ".join)
_NAME = st.one_of(
    st.sampled_from(["", "José Núñez", "Ða Þór", "Zoë 😀", "美玲", "O’Neill", "œ" * 60, "{phone}"]),
    st.text(max_size=60),
)
_ZONE = st.sampled_from(sorted(available_timezones()))
_AT = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC)
)


@given(
    kind=st.sampled_from(EDITABLE),
    language=st.sampled_from(sorted(SOURCES)),
    sms=_PHRASE,
    several=_PHRASE,
    name=_NAME,
    zone=_ZONE,
    times=st.lists(_AT, min_size=1, max_size=12),
    first=st.booleans(),
    steps=st.booleans(),
)
def test_whatever_the_linter_lets_through_is_written_within_its_limits_for_every_patient(
    kind: Kind,
    language: str,
    sms: str,
    several: str,
    name: str,
    zone: str,
    times: list[datetime],
    first: bool,
    steps: bool,
) -> None:
    shown = tidied(
        {
            **SOURCES[language][kind],
            "sms": "{sms_name}: {when} " + sms if sms else SOURCES[language][kind]["sms"],
            "sms_several": "{sms_name}: {when} " + several if several else "",
        }
    )
    # Hypothesis fails the test when hardly anything is let through.
    assume(not errors(lint(shown, kind=kind, language=language)))
    said = [saying_times.format_when(at, zone, language, with_zone=True) for at in times]
    letter = longest_letter(kind, language, visits=1)
    letter = replace(
        letter,
        first_name=name,
        first_sms=first,
        steps=letter.steps if steps else (),
        # A place on offer is one.
        visits=tuple(LetterVisit(1, 1, when, when) for when in said[: 1 if kind in OFFERS else 12]),
    )

    text = render(letter, version(shown).wording)

    limit = 2 if first or len(letter.visits) > 1 else wanted_segments(kind)
    assert text.encoding == "GSM-7" and text.segments is not None
    assert text.segments <= limit and segments(text.text).count == text.segments
    mail = render(replace(letter, channel=Channel.EMAIL), version(shown).wording)
    assert len(mail.subject) <= SUBJECT_LENGTH


# --- Versions -------------------------------------------------------------------------------------


def test_two_versions_have_one_digest_exactly_when_they_say_the_same() -> None:
    assert version(sources()).digest == shipped(Kind.REMINDER_FINAL, "en").digest
    seen = {version(sources(**{name: "other"})).digest for name in PHRASES}
    assert len(seen) == len(PHRASES) and shipped(Kind.REMINDER_FINAL, "en").digest not in seen
    moved = {**sources(), "opening": sources()["closing"], "closing": sources()["opening"]}
    assert version(moved).digest != version(sources()).digest


def test_a_phrase_for_several_visits_that_is_empty_says_what_the_one_for_one_says() -> None:
    wording = version(sources(sms=GOOD, sms_several="")).wording
    assert isinstance(wording.sms_several, Phrase) and wording.sms_several == wording.sms
