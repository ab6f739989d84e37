"""Writes a letter as an e-mail in plain text and HTML. Pure.

The subject and a letter without `detail` say nothing that the treatment could be guessed from;
so does every marketing e-mail, whatever its letter holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from reminders.catalogue import CATALOGUE, OFFERS, Kind, Purpose
from reminders.wording.mail_layout import Block, Heading, Link, Listing, Paragraph, as_html, as_text
from reminders.wording.phrases import Phrase
from reminders.wording.rules import has_page
from reminders.wording.texts import FRAME, Language, Wording
from reminders.wording.values import (
    Letter,
    LetterStep,
    LetterVisit,
    Rendered,
    WordingError,
    tidy,
    tidy_lines,
)

Words = Mapping[str, Phrase]

# What the letter is about, which names its headings and its link.
STAGES: Mapping[Kind, str] = {
    **dict.fromkeys((Kind.BOOKING_CONFIRMED, Kind.APPT_MOVED, Kind.PRECARE_STEP), "before"),
    **dict.fromkeys((Kind.FILL_IN, Kind.REMINDER_7D, Kind.REMINDER_CONFIRM), "before"),
    **dict.fromkeys((Kind.REMINDER_FINAL, Kind.NUDGE), "before"),
    **dict.fromkeys((Kind.POSTCARE_0, Kind.POSTCARE_STEP, Kind.CHECKIN), "after"),
    Kind.PROGRESS_MILESTONE: "progress",
    Kind.WAITLIST_OFFER: "offer",
    Kind.TOUCHUP_PROMPT: "touch_up",
}
# Kinds from whose page the patient may confirm or change the visit.
CHANGEABLE = frozenset(
    {
        *(Kind.BOOKING_CONFIRMED, Kind.APPT_MOVED),
        *(Kind.REMINDER_7D, Kind.REMINDER_CONFIRM, Kind.REMINDER_FINAL, Kind.NUDGE),
    }
)
# The stages in which there is something to do or read.
GUIDED = frozenset({"before", "after", "progress"})
# Kinds that never name the treatment.
UNNAMED = frozenset({Kind.NO_SHOW_FOLLOWUP, Kind.SESSION_DUE, *OFFERS})
# Kinds with something to read on the care page, even when the letter names no step.
GUIDES = frozenset(
    {Kind.PRECARE_STEP, Kind.POSTCARE_0, Kind.POSTCARE_STEP, Kind.PROGRESS_MILESTONE}
)


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail before it is text or HTML."""

    subject: str
    body: tuple[Block, ...]
    footer: tuple[Block, ...]


def compose(letter: Letter, language: Language, wording: Wording) -> Mail:
    """The e-mail; WordingError when a marketing letter lacks its address or a link."""
    values = _values(letter)
    several = len(letter.visits) > 1
    opening = (wording.opening_several if several else wording.opening).fill(values)
    body = (
        Paragraph(language.words["greeting"].fill(values)),
        Paragraph(opening),
        *_body(letter, language.words, wording, values),
        Paragraph(f"{language.words['closing'].fill({})} {values['clinic_name']}"),
    )
    return Mail(
        subject=tidy((wording.subject_several if several else wording.subject).fill(values)),
        body=body,
        footer=tuple(_footer(letter, language.words)),
    )


def write_email(letter: Letter, language: Language, wording: Wording) -> Rendered:
    """The e-mail as text and as a page of its own; raises as `compose` does."""
    mail = compose(letter, language, wording)
    phone = tidy(letter.phone)
    html = FRAME.substitute(
        language=letter.language,
        title=escape(mail.subject),
        clinic=escape(tidy(letter.clinic_name)),
        body=as_html(mail.body, phone=phone),
        footer=as_html(mail.footer, phone=phone),
    )
    text = f"{as_text(mail.body)}\n\n-- \n{as_text(mail.footer)}\n"
    return Rendered(mail.subject, text, html, None, "")


def _values(letter: Letter) -> dict[str, str]:
    return {
        "first_name": tidy(letter.first_name),
        "clinic_name": tidy(letter.clinic_name),
        "when": "; ".join(tidy(visit.when) for visit in letter.visits),
        "phone": tidy(letter.phone),
        "count": str(len(letter.visits)),
        "until": tidy(letter.until),
        "text": tidy_lines(letter.text),
    }


def _body(
    letter: Letter, words: Words, wording: Wording, values: Mapping[str, str]
) -> Iterator[Block]:
    stage = STAGES.get(letter.kind, "")
    if CATALOGUE[letter.kind].purpose is Purpose.CARE:
        if facts := tuple(_facts(letter, words, stage)):
            yield Listing(facts)
        if stage in GUIDED:
            yield from _guidance(letter, words, stage)
        if stage == "after":
            yield from _red_flags(letter, words, values)
    if letter.care_url and has_page(letter.kind):
        opens = "visit" if letter.kind in CHANGEABLE else stage or "visits"
        label = words[f"open_{opens}"].fill({})
        yield Link(label, letter.care_url, is_button=True)
    if letter.kind is Kind.REVIEW_REQUEST:
        if not letter.review_url:
            raise WordingError("A request for a review needs the address where it is written.")
        yield Link(words["open_review"].fill({}), letter.review_url, is_button=True)
    if closing := wording.closing.fill(values):
        yield Paragraph(closing)


def _facts(letter: Letter, words: Words, stage: str) -> Iterator[tuple[str, str]]:
    """When, where and, with detail, what: for visits to come and visits that are off."""
    if stage == "before" or letter.kind is Kind.CANCELLED:
        for visit in letter.visits:
            yield _visit(visit, words)
    if stage == "offer":
        for visit in letter.visits:
            yield words["offered"].fill({}), tidy(visit.when)
            if visit.previous_when:
                yield words["instead_of"].fill({}), tidy(visit.previous_when)
    if stage in ("before", "offer") and letter.visits and letter.address:
        yield (
            words["where"].fill({}),
            f"{tidy(letter.clinic_name)}, {tidy(letter.address)}",
        )
    if letter.detail and letter.treatment and letter.kind not in UNNAMED:
        yield words["treatment"].fill({}), tidy(letter.treatment)


def _visit(visit: LetterVisit, words: Words) -> tuple[str, str]:
    numbers = {"session": str(visit.session), "sessions": str(visit.sessions)}
    lead = words["visit_of"].fill(numbers) if visit.sessions > 1 else words["visit"].fill({})
    times = {"when": tidy(visit.when), "previous_when": tidy(visit.previous_when)}
    return lead, words["visit_time"].fill(times)


def _guidance(letter: Letter, words: Words, stage: str) -> Iterator[Block]:
    """The steps themselves with detail, otherwise a pointer to the page that holds them."""
    late = [step for step in letter.steps if step.late and stage == "before"]
    timely = [step for step in letter.steps if step not in late]
    # Steps of the other side come under a heading of their own.
    others = [step for step in timely if step.is_after == (stage == "before")]
    own = [step for step in timely if step not in others]
    if letter.fills_in and letter.care_url:
        yield Paragraph(words["fill_in"].fill({}))
    if letter.detail and letter.steps:
        yield from _steps(words["late"].fill({}), late)
        yield from _steps(words[stage].fill({}), own)
        yield from _steps(words["after" if stage == "before" else "before"].fill({}), others)
    elif letter.steps or letter.kind in GUIDES:
        if not letter.care_url:
            raise WordingError("The message points to the care page but has no link to it.")
        yield Paragraph(words["read_late" if late else f"read_{stage}"].fill({}))


def _steps(heading: str, steps: list[LetterStep]) -> Iterator[Block]:
    if steps:
        yield Heading(heading)
        yield Listing(tuple((tidy(step.title), tidy(step.text)) for step in steps))


def _red_flags(letter: Letter, words: Words, values: Mapping[str, str]) -> Iterator[Block]:
    if letter.detail and letter.warnings:
        yield Heading(words["red_flags"].fill(values))
        yield Listing(tuple(("", tidy(warning)) for warning in letter.warnings))
    else:
        yield Paragraph(words["red_flags_neutral"].fill(values))
    yield Paragraph(words["emergency"].fill({}))


def _footer(letter: Letter, words: Words) -> Iterator[Block]:
    is_marketing = CATALOGUE[letter.kind].purpose is Purpose.MARKETING
    if is_marketing and not letter.address:
        raise WordingError("A marketing e-mail needs the clinic's postal address.")
    if is_marketing and not letter.unsubscribe_url:
        raise WordingError("A marketing e-mail needs a link to unsubscribe.")
    lines = (letter.clinic_name, letter.address, letter.phone)
    yield Paragraph(" · ".join(tidy(line) for line in lines if line))
    if is_marketing:
        yield Link(words["unsubscribe"].fill({}), letter.unsubscribe_url)
