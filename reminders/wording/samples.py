"""A version as patients would read it: a patient like most, one with the longest of everything,
several visits, the first text to a number. Pure.

The samples go the way of real letters (`sms`, `email`); what cannot be written says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from clinic import saying_times
from clinic.saying import gettext
from reminders.catalogue import OFFERS, Channel, Kind
from reminders.wording.email import GUIDES, compose
from reminders.wording.lettering import Sender
from reminders.wording.mail_layout import as_html
from reminders.wording.measuring import Measure, longest_letter, measure
from reminders.wording.phrases import PhraseError
from reminders.wording.rules import HARD_SEGMENTS, has_page
from reminders.wording.segments import Segments, segments
from reminders.wording.sms import segments_for, write_sms
from reminders.wording.texts import LANGUAGES, Wording
from reminders.wording.values import Letter, LetterStep, LetterVisit, Rendered, WordingError

# A Friday morning in New York, and the Monday on which the visit was before.
_AT = datetime(2027, 3, 12, 15, tzinfo=UTC)
_BEFORE, _APART = _AT - timedelta(days=4), timedelta(days=28)
_ZONE = "America/New_York"
# Kinds that say what the time was before.
MOVING = frozenset({Kind.APPT_MOVED, Kind.WAITLIST_OFFER})
_Written = TypeVar("_Written")


@dataclass(frozen=True, slots=True)
class TextSample:
    """One text message; `problem` in place of it when it cannot be written."""

    label: str
    text: str = ""
    counted: Segments | None = None
    limit: int = 1
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MailSample:
    """One e-mail; `body` and `footer` are HTML in which everything is escaped."""

    label: str
    subject: str = ""
    body: str = ""
    footer: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Samples:
    """`rooms` are the measures by phrase, at the longest values, of later texts."""

    texts: tuple[TextSample, ...]
    mails: tuple[MailSample, ...]
    rooms: dict[str, Measure]


def samples(wording: Wording, *, kind: Kind, language: str, sender: Sender, link: str) -> Samples:
    """How `wording` reads; `link` is as long as those that patients get."""
    typical = _typical(kind, language, sender, link)
    longest = replace(longest_letter(kind, language, visits=1, link=link), first_name="María")
    several = replace(typical, visits=tuple(_visits(kind, language, 3)))
    letters = {
        gettext("As most patients read it"): typical,
        gettext("With the longest times, name and link"): longest,
    }
    if kind not in OFFERS:
        letters[gettext("About three visits")] = several
    letters[gettext("The first text to a number, or the first in thirty days")] = replace(
        typical, first_sms=True
    )
    mails = {gettext("As most patients read it"): typical}
    if kind not in OFFERS:
        mails[gettext("About three visits")] = several
    return Samples(
        tuple(_text(label, letter, wording) for label, letter in letters.items()),
        tuple(_mail(label, letter, wording) for label, letter in mails.items()),
        _rooms(kind, language, wording, link),
    )


def _typical(kind: Kind, language: str, sender: Sender, link: str) -> Letter:
    return Letter(
        kind=kind,
        channel=Channel.SMS,
        language=language,
        first_name="Elena",
        clinic_name=sender.clinic_name,
        sms_name=sender.sms_name,
        phone=sender.phone,
        address=sender.address,
        visits=tuple(_visits(kind, language, 1)),
        steps=(LetterStep("", "", "instruction"),) if kind in GUIDES else (),
        care_url=link if has_page(kind) else "",
        detail=False,
        treatment="",
        first_sms=False,
        unsubscribe_url=link,
        until=saying_times.when(_AT, _ZONE, language).time,
        review_url=sender.review_url or link,
        fills_in=kind is Kind.FILL_IN,
    )


def _visits(kind: Kind, language: str, count: int) -> Iterator[LetterVisit]:
    before = (
        saying_times.format_when(_BEFORE, _ZONE, language, year=False) if kind in MOVING else ""
    )
    for session in range(count):
        yield LetterVisit(
            session=session + 1,
            sessions=3,
            when=saying_times.format_when(_AT + session * _APART, _ZONE, language, year=False),
            previous_when="" if session else before,
        )


def _text(label: str, letter: Letter, wording: Wording) -> TextSample:
    written = _or_problem(lambda: _fitting(letter, wording))
    if isinstance(written, str):
        return TextSample(label, problem=written)
    return TextSample(label, written.text, segments(written.text), segments_for(letter))


def _fitting(letter: Letter, wording: Wording) -> Rendered:
    try:
        return write_sms(letter, LANGUAGES[letter.language], wording)
    except WordingError:
        raise WordingError(f"It does not fit into {HARD_SEGMENTS} segments.") from None


def _mail(label: str, letter: Letter, wording: Wording) -> MailSample:
    mail = _or_problem(lambda: compose(letter, LANGUAGES[letter.language], wording))
    if isinstance(mail, str):
        return MailSample(label, problem=mail)
    body, footer = (as_html(part, phone=letter.phone) for part in (mail.body, mail.footer))
    return MailSample(label, mail.subject, body, footer)


def _rooms(kind: Kind, language: str, wording: Wording, link: str) -> dict[str, Measure]:
    try:
        measured = list(measure(kind, language, wording, link=link))
    except PhraseError:
        return {}
    return {each.phrase: each for each in measured if not each.is_first}


def _or_problem(write: Callable[[], _Written]) -> _Written | str:
    """What `write` gives, else the sentence on why it cannot be written."""
    try:
        return write()
    except (PhraseError, WordingError) as error:
        return str(error)
