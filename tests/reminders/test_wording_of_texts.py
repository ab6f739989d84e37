"""Text messages: short, plain, and never more than their segments."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reminders.catalogue import CATALOGUE, Kind, Purpose
from reminders.wording.rendering import (
    LetterStep,
    LetterVisit,
    WordingError,
    render,
)
from reminders.wording.rules import LONGEST, TWO_SEGMENT_KINDS
from reminders.wording.sms import TERMS, WITHOUT_TERMS
from tests.reminders.a_letter import (
    BARE,
    LONGEST_LETTER,
    SUN,
    URL,
    WHEN,
    every_kind,
    every_language,
    sms,
)


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
