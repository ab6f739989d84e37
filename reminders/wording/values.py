"""A letter to a patient before it has words, and after. Pure values.

Texts in a letter are in its language and its times are local, ready to be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reminders.catalogue import Channel, Kind


class WordingError(ValueError):
    """A sentence that says why a letter cannot be written."""


@dataclass(frozen=True, slots=True)
class LetterVisit:
    """A visit in a letter: session number `session` of `sessions`, and its time as the patient
    reads it ("Fri 12 Mar 10:00", with the zone where the patient's differs). `previous_when` is
    the time that the patient was told before."""

    session: int
    sessions: int
    when: str
    previous_when: str = ""


@dataclass(frozen=True, slots=True)
class LetterStep:
    """A step of the protocol; `kind` is the protocol's word for it. `late` when its own moment
    had passed before the visit was booked or moved; `is_after` when it follows a treatment."""

    title: str
    text: str
    kind: str
    late: bool = False
    is_after: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """All that one message says. `kind` leads; steps of other messages may have been taken in.

    `phone` is printed as it is. `detail`: the patient accepts treatment detail by e-mail.
    `first_sms`: the opt-out line is due. `warnings` are signs after which to call the clinic,
    printed with `detail` only. `until` is the end of an offer, to be read. `text` are words that a
    person or the system gave. `review_url` is where a review is written. `fills_in`: the page asks
    the patient something.
    """

    kind: Kind
    channel: Channel
    language: str
    first_name: str
    clinic_name: str
    sms_name: str
    phone: str
    address: str
    visits: tuple[LetterVisit, ...]
    steps: tuple[LetterStep, ...]
    care_url: str
    detail: bool
    treatment: str
    first_sms: bool
    unsubscribe_url: str = ""
    until: str = ""
    warnings: tuple[str, ...] = ()
    text: str = ""
    review_url: str = ""
    fills_in: bool = False

    @property
    def has_page(self) -> bool:
        """Whether there is more to read or to fill in on the patient's page."""
        return bool(self.steps) or self.fills_in


@dataclass(frozen=True, slots=True)
class Rendered:
    """A written letter. Of a text message `subject` and `html` are empty and `encoding` is
    "GSM-7" or "UCS-2"; of an e-mail `segments` is None and `encoding` empty. `tells_opt_out`: a
    text that says how to get no more."""

    subject: str
    text: str
    html: str
    segments: int | None
    encoding: str
    tells_opt_out: bool = False


def tidy_lines(value: str) -> str:
    """`value` with its line breaks and single empty lines; every line is tidy."""
    lines = "\n".join(tidy(line) for line in value.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def tidy(value: str) -> str:
    """`value` on one line: no line can be smuggled into a subject or a text."""
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())
