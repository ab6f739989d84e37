"""Letters to patients: what they say, what they never say, and how long they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reminders.wording.texts
from reminders.catalogue import CATALOGUE, Channel, Kind, Purpose
from reminders.wording.phrases import PhraseError, parse
from reminders.wording.rendering import (
    Letter,
    LetterStep,
    LetterVisit,
    Rendered,
    WordingError,
    render,
)
from reminders.wording.rules import LONGEST, TWO_SEGMENT_KINDS
from reminders.wording.segments import fold, is_gsm, segments
from reminders.wording.sms import TERMS, WITHOUT_TERMS

LANGUAGES = ("en", "es")
WHEN = {"en": "Fri 12 Mar 10:00", "es": "vie 12 mar 10:00"}
URL = "https://care.harbour.example/p/abcdefghijklmn"

SUN = LetterStep("Keep out of the sun", "No strong sun on the area.", "instruction")
BARE = LetterStep("Come with bare skin", "No make-up, please.", "instruction", late=True)

LETTER = Letter(
    kind=Kind.REMINDER_FINAL,
    channel=Channel.SMS,
    language="en",
    first_name="José",
    clinic_name="Harbour Skin Clinic",
    sms_name="Harbour Skin",
    phone="+12125550123",
    address="1 Pier Street, New York, NY 10004",
    visits=(LetterVisit(2, 3, WHEN["en"]),),
    steps=(),
    care_url=URL,
    detail=False,
    treatment="RF microneedling",
    first_sms=False,
    unsubscribe_url="https://care.harbour.example/u/abc",
    text="Please come as you are.",
    warnings=("spreading redness", "new numbness"),
    review_url="https://reviews.example/harbour",
)
LONGEST_LETTER = replace(
    LETTER,
    first_name="F" * 24,
    sms_name="N" * 24,
    phone="+" + "9" * 15,
    care_url="https://" + "u" * 37,
    text=LONGEST["text"],
    visits=(LetterVisit(1, 1, LONGEST["when"], LONGEST["previous_when"]),),
)

every_kind = pytest.mark.parametrize("kind", list(Kind))
every_language = pytest.mark.parametrize("language", LANGUAGES)


def sms(**changes: object) -> Rendered:
    return render(replace(LETTER, **changes))  # type: ignore[arg-type]


def email(**changes: object) -> Rendered:
    return render(replace(LETTER, channel=Channel.EMAIL, **changes))  # type: ignore[arg-type]


def templates() -> Iterator[tuple[str, str, str, str]]:
    """(language, kind, key, source) of every template in the files."""
    folder = Path(reminders.wording.texts.__file__).parent
    for language in LANGUAGES:
        document = tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8"))
        for kind in Kind:
            for key, source in document[kind].items():
                yield language, kind, key, source


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


# --- Text messages --------------------------------------------------------------------------------


@every_kind
@every_language
@pytest.mark.parametrize("steps", [(), (SUN,)])
def test_an_urgent_text_about_one_visit_fits_one_segment_with_the_longest_values(
    kind: Kind, language: str, steps: tuple[LetterStep, ...]
) -> None:
    written = render(replace(LONGEST_LETTER, kind=kind, language=language, steps=steps))

    is_short = CATALOGUE[kind].priority <= 1 and kind not in TWO_SEGMENT_KINDS
    assert written.segments in ({1} if is_short else {1, 2})
    if CATALOGUE[kind].tells_start:
        assert LONGEST["when"] in written.text
        # On the last day and hours there is only what to prepare; before, the time to change.
        has_link = bool(steps) or kind not in (Kind.REMINDER_FINAL, Kind.NUDGE)
        assert (LONGEST["care_url"] in written.text) == has_link


@every_kind
@every_language
def test_a_first_text_says_how_to_opt_out_in_at_most_two_segments(
    kind: Kind, language: str
) -> None:
    written = render(
        replace(LONGEST_LETTER, kind=kind, language=language, steps=(SUN,), first_sms=True)
    )

    assert written.segments is not None and written.segments <= 2
    if kind in WITHOUT_TERMS:
        assert "STOP" not in written.text
    else:
        assert written.text.count("STOP") == 1 and "HELP" in written.text


@every_kind
@every_language
def test_a_text_starts_with_the_clinic_and_asks_for_no_reply_but_stop(
    kind: Kind, language: str
) -> None:
    text = sms(kind=kind, language=language, steps=(SUN,)).text

    assert text.startswith("Harbour Skin: ")
    assert not re.search(r"tomorrow|mañana|\b(YES|CANCEL|SI)\b", text)
    says_stop = CATALOGUE[kind].purpose is Purpose.MARKETING or kind in TERMS
    assert ("STOP" in text) == says_stop


def test_the_greeting_goes_first_then_the_call_line_and_never_the_date() -> None:
    short = sms(kind=Kind.REMINDER_FINAL)
    longer = sms(kind=Kind.REMINDER_FINAL, steps=(SUN,))
    longest = sms(kind=Kind.REMINDER_FINAL, steps=(SUN,), sms_name="N" * 24, phone="+" + "9" * 15)

    assert "Hello José." in short.text and "Late or cannot come?" in short.text
    assert "Hello" not in longer.text and "Cannot come? Call +12125550123." in longer.text
    assert "Cannot come" not in longest.text
    for written in (short, longer, longest):
        assert WHEN["en"] in written.text and written.segments == 1


def test_a_reminder_says_when_and_where_to_read_how_to_prepare() -> None:
    assert sms(kind=Kind.REMINDER_FINAL, first_name="", steps=(SUN,)).text == (
        "Harbour Skin: Reminder: your visit is on Fri 12 Mar 10:00."
        " Cannot come? Call +12125550123."
        f" How to prepare: {URL}"
    )


def test_the_reminder_that_asks_whether_the_time_suits_asks_for_a_digit() -> None:
    text = sms(kind=Kind.REMINDER_CONFIRM).text

    assert f"Reply 1 yes, 2 change. Prepare or change it: {URL}" in text


def test_a_moved_text_gives_the_old_and_the_new_time() -> None:
    moved = (LetterVisit(1, 1, "Mon 15 Mar 11:30", "Fri 12 Mar 10:00"),)

    text = sms(kind=Kind.APPT_MOVED, visits=moved).text

    assert "Your visit moved from Fri 12 Mar 10:00 to Mon 15 Mar 11:30." in text


@every_language
def test_the_after_care_text_says_when_to_call_and_whom(language: str) -> None:
    text = sms(kind=Kind.POSTCARE_0, language=language).text

    assert URL in text and text.endswith("+12125550123.")
    assert ("Severe pain" in text) or ("Dolor intenso" in text)


def test_a_series_lists_its_dates_as_far_as_they_fit_and_counts_the_rest() -> None:
    days = [f"Fri {day} Mar 10:00" for day in range(10, 30)]
    visits = tuple(LetterVisit(n, 20, when) for n, when in enumerate(days, start=1))

    three = sms(kind=Kind.BOOKING_CONFIRMED, visits=visits[:3])
    many = sms(kind=Kind.BOOKING_CONFIRMED, visits=visits)

    assert all(day in three.text for day in days[:3]) and "more" not in three.text
    listed = sum(day in many.text for day in days)
    assert many.segments == 2 and 6 <= listed < 20
    assert all(day in many.text for day in days[:listed])
    assert f"; +{20 - listed} more." in many.text and f"All visits: {URL}" in many.text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("count", [2, 3, 6, 12])
@pytest.mark.parametrize(
    "kind", [Kind.BOOKING_CONFIRMED, Kind.APPT_MOVED, Kind.REMINDER_CONFIRM, Kind.CANCELLED]
)
def test_a_first_text_about_a_series_with_preparation_fits_with_the_longest_values(
    kind: Kind, count: int, language: str
) -> None:
    visit = LONGEST_LETTER.visits[0]
    letter = replace(
        LONGEST_LETTER,
        kind=kind,
        language=language,
        visits=(visit,) * count,
        steps=(BARE,),
        first_sms=True,
    )
    written = render(letter)
    assert written.segments is not None
    assert written.segments <= 2
    assert visit.when in written.text
    assert written.text.count(LONGEST_LETTER.care_url) <= 1


@pytest.mark.parametrize("name", ["Юрий", "美玲", "Zoë 😀"])
def test_a_name_that_a_plain_text_cannot_hold_is_left_out(name: str) -> None:
    written = sms(first_name=name)

    assert written.encoding == "GSM-7" and "Hello" not in written.text
    assert "?" not in written.text.replace("come?", "")


def test_a_name_keeps_the_accents_that_a_plain_text_can_hold() -> None:
    assert "Hello José Nuñez." in sms(first_name="José Núñez").text


def test_a_clinic_name_in_other_letters_is_counted_as_what_it_costs() -> None:
    written = sms(sms_name="Клиника", steps=(SUN,))

    assert written.encoding == "UCS-2" and written.segments == 2
    assert len(written.text) <= 2 * 67


def test_a_text_that_cannot_fit_is_refused_with_what_to_do() -> None:
    with pytest.raises(WordingError, match="shorten the site's name"):
        sms(
            sms_name="Клиника красоты",
            kind=Kind.APPT_MOVED,
            steps=(SUN,),
            care_url=URL * 2,
        )


def test_a_long_address_takes_a_second_segment_before_anything_needed_is_lost() -> None:
    far = f"https://patients.{'a-rather-long-name-' * 2}of-a-clinic.example/p/{'u' * 24}/"

    written = sms(kind=Kind.REMINDER_CONFIRM, steps=(SUN,), care_url=far)

    assert written.segments == 2
    assert far in written.text and "Hello José." in written.text


def test_a_pointer_without_a_page_to_point_to_is_refused() -> None:
    with pytest.raises(WordingError, match="needs a value for “care_url”"):
        sms(kind=Kind.PRECARE_STEP, care_url="")


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


# --- E-mail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.BOOKING_CONFIRMED, Kind.PRECARE_STEP, Kind.REMINDER_CONFIRM])
def test_a_mail_with_detail_names_the_treatment_and_prints_the_steps(
    kind: Kind,
) -> None:
    mail = email(kind=kind, detail=True, steps=(SUN, BARE))

    for written in (mail.text, mail.html):
        assert "RF microneedling" in written
        assert SUN.title in written and SUN.text in written
        assert written.index("Because your visit is soon") < written.index(BARE.title)
        assert written.index(BARE.title) < written.index(SUN.title)
        assert URL in written


def test_a_neutral_mail_points_to_the_care_page() -> None:
    mail = email(kind=Kind.PRECARE_STEP, steps=(SUN,))

    assert "Please read on your page how to prepare" in mail.text
    assert f"How to prepare: {URL}" in mail.text
    assert f'<a class="button" href="{URL}">How to prepare</a>' in mail.html


def test_a_neutral_mail_about_late_steps_says_that_the_visit_is_soon() -> None:
    assert "Because your visit is soon, please read now" in email(steps=(BARE,)).text


def test_after_care_is_never_headed_as_preparation() -> None:
    steps = tuple(replace(step, is_after=True) for step in (SUN, BARE))
    mail = email(kind=Kind.POSTCARE_0, detail=True, steps=steps)

    assert "Looking after yourself" in mail.text and "visit is soon" not in mail.text
    assert "How to prepare" not in mail.text


def test_what_a_letter_took_in_of_the_other_side_has_a_heading_of_its_own() -> None:
    after = replace(SUN, title="One week on", is_after=True)
    reminder = email(kind=Kind.REMINDER_CONFIRM, detail=True, steps=(after, SUN)).text
    checkin = email(kind=Kind.CHECKIN, detail=True, steps=(after, SUN)).text

    order = ("How to prepare", "Keep out of the sun", "Looking after yourself", "One week on")
    assert sorted(order, key=reminder.index) == list(order)
    assert sorted(order, key=checkin.index) == [*order[2:], *order[:2]]


def test_a_mail_lists_every_visit_of_a_series() -> None:
    visits = tuple(LetterVisit(n, 12, f"Fri {n} Mar 10:00") for n in range(1, 13))

    mail = email(kind=Kind.BOOKING_CONFIRMED, visits=visits)

    assert mail.subject == "Your 12 visits are booked"
    for number in range(1, 13):
        assert f"Visit {number} of 12: Fri {number} Mar 10:00" in mail.text


def test_a_moved_mail_shows_the_time_before() -> None:
    moved = (LetterVisit(1, 1, "Mon 15 Mar 11:30", "Fri 12 Mar 10:00"),)

    mail = email(kind=Kind.APPT_MOVED, visits=moved)

    assert mail.subject == "New time for your visit: Mon 15 Mar 11:30"
    assert "Your visit: Mon 15 Mar 11:30 (before: Fri 12 Mar 10:00)" in mail.text


@pytest.mark.parametrize("kind", [Kind.POSTCARE_0, Kind.POSTCARE_STEP, Kind.CHECKIN])
@every_language
def test_every_mail_after_treatment_says_when_to_call_and_can_be_tapped_to_call(
    kind: Kind, language: str
) -> None:
    neutral = email(kind=kind, language=language)
    detailed = email(kind=kind, language=language, detail=True)

    assert "spreading redness" in detailed.text and "spreading redness" not in neutral.text
    assert ("severe or growing pain" in neutral.text) or ("dolor intenso" in neutral.text)
    for mail in (neutral, detailed):
        assert "emergenc" in mail.text
        assert '<a href="tel:+12125550123">+12125550123</a>' in mail.html


@every_language
def test_a_marketing_mail_has_the_address_and_a_way_out_and_never_the_treatment(
    language: str,
) -> None:
    mail = email(kind=Kind.TOUCHUP_PROMPT, language=language, detail=True, steps=(SUN,))

    for written in (mail.text, mail.html):
        assert LETTER.address in written and LETTER.unsubscribe_url in written
        assert LETTER.treatment not in written and SUN.title not in written


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [("address", "postal address"), ("unsubscribe_url", "link to unsubscribe")],
)
def test_a_marketing_mail_without_address_or_way_out_is_refused(
    lacking: str, sentence: str
) -> None:
    with pytest.raises(WordingError, match=sentence):
        email(kind=Kind.TOUCHUP_PROMPT, **{lacking: ""})


@every_kind
def test_mail_about_care_holds_no_unsubscribe_link(kind: Kind) -> None:
    if CATALOGUE[kind].purpose is Purpose.CARE:
        assert LETTER.unsubscribe_url not in email(kind=kind).html


class Tags(HTMLParser):
    """Collects the tags of a page and checks that they close in order."""

    EMPTY = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y> {phone} [a|b] $body & \r\nBcc: a@b.c"


@every_kind
@every_language
def test_hostile_values_stay_text(kind: Kind, language: str) -> None:
    mail = email(
        kind=kind,
        language=language,
        detail=True,
        first_name=HOSTILE,
        clinic_name=HOSTILE,
        address=HOSTILE,
        treatment=HOSTILE,
        visits=(LetterVisit(1, 1, HOSTILE, HOSTILE),),
        steps=(LetterStep(HOSTILE, HOSTILE, "instruction"),),
        warnings=(HOSTILE,),
        care_url='https://x.example/"><script>',
    )
    page = Tags()
    page.feed(mail.html)

    assert page.open == []
    assert page.seen <= {
        *("html", "head", "meta", "title", "style", "body", "main", "footer"),
        *("h1", "h2", "p", "ul", "li", "strong", "br", "a"),
    }
    assert page.attributes <= {"lang", "charset", "name", "content", "class", "href"}
    assert "\n" not in mail.subject and "\r" not in mail.subject


def test_a_name_cannot_add_a_line_or_fetch_another_value_in_a_text() -> None:
    text = sms(first_name="Ann\r\n{phone}", kind=Kind.CANCELLED).text

    assert "\n" not in text
    assert "Hello Ann {phone}." in text


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
