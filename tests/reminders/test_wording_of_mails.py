"""E-mails: what they show, what they never tell, and what stays text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reminders.catalogue import CATALOGUE, Kind, Purpose
from reminders.wording.rendering import (
    LetterStep,
    LetterVisit,
    WordingError,
)
from tests.reminders.a_letter import BARE, LETTER, SUN, URL, email, every_kind, every_language, sms


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
