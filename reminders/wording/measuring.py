"""How long a text is when all that is merged into it is as long as can be. Pure.

The length is not computed beside the writer: the letters with the longest values go the very way
of a real one, so what fits here fits for every patient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reminders.catalogue import Channel, Kind
from reminders.wording.rules import HARD_SEGMENTS, LONGEST, has_page, wanted_segments
from reminders.wording.segments import Segments, capacity, fold, segments
from reminders.wording.sms import forms
from reminders.wording.texts import LANGUAGES, Wording
from reminders.wording.values import Letter, LetterStep, LetterVisit

# So many that “+99 more” is counted in.
MOST_VISITS = 100
_STEP = LetterStep("Prepare", "Prepare.", "instruction")


@dataclass(frozen=True, slots=True)
class Measure:
    """The shortest text that the longest values allow. `limit` is how many segments it may take,
    `room` how many units more would still fit (below zero: too many as it is)."""

    phrase: str
    is_first: bool
    text: str
    counted: Segments
    limit: int

    @property
    def room(self) -> int:
        return self.allowed - self.counted.units

    @property
    def allowed(self) -> int:
        """How many units it may have, in the letters that it is written with."""
        return capacity(self.limit, self.counted.encoding)

    @property
    def over(self) -> int:
        """How many units are too many."""
        return max(-self.room, 0)

    @property
    def fits(self) -> bool:
        return self.counted.count <= self.limit


def longest_letter(kind: Kind, language: str, *, visits: int, link: str = "") -> Letter:
    """A letter in which nothing could be longer; `link` in place of the reference length."""
    visit = LetterVisit(1, 1, LONGEST["when"], LONGEST["previous_when"])
    url = link or LONGEST["care_url"]
    return Letter(
        kind=kind,
        channel=Channel.SMS,
        language=language,
        first_name=LONGEST["first_name"],
        clinic_name="C" * 80,
        sms_name=LONGEST["sms_name"],
        phone=LONGEST["phone"],
        address="A" * 200,
        visits=(visit,) * visits,
        steps=(_STEP,),
        care_url=url if has_page(kind) else "",
        detail=False,
        treatment="",
        first_sms=False,
        unsubscribe_url=url,
        until=LONGEST["until"],
        text=LONGEST["text"],
        review_url=url,
    )


def measure(kind: Kind, language: str, wording: Wording, *, link: str = "") -> Iterator[Measure]:
    """Each text of a kind at its longest: about one visit and several, later and as the first one
    to a number. PhraseError when a value is missing that the text cannot do without."""
    for phrase, visits in (("sms", 1), ("sms_several", MOST_VISITS)):
        later = longest_letter(kind, language, visits=visits, link=link)
        for letter in (later, replace(later, first_sms=True)):
            is_roomy = letter.first_sms or visits > 1
            yield Measure(
                phrase,
                letter.first_sms,
                *_shortest(letter, wording),
                HARD_SEGMENTS if is_roomy else wanted_segments(kind),
            )


def _shortest(letter: Letter, wording: Wording) -> tuple[str, Segments]:
    written = forms(letter, LANGUAGES[letter.language], wording, 1)
    counted = [(text, segments(fold(text))) for text in written]
    return min(counted, key=lambda each: each[1].units)
