"""Writes a letter as a text message: the longest form that fits, folded into GSM-7. Pure.

The values of a text are the clinic, times, a phone and links: a treatment, a step or a surname
cannot reach it.
"""

from __future__ import annotations

from collections.abc import Iterator

from reminders.catalogue import CATALOGUE, Kind, Purpose
from reminders.wording.rules import HARD_SEGMENTS, wanted_segments
from reminders.wording.segments import fold, is_gsm, segments
from reminders.wording.texts import Language, Wording
from reminders.wording.values import Letter, Rendered, WordingError, tidy

# Who asks for help or comes back reads how to opt out each time.
TERMS = frozenset({Kind.HELP_REPLY, Kind.START_ACK})
# Not for somebody who opted out, is in danger, is in a conversation or belongs to the staff.
WITHOUT_TERMS = frozenset(
    {Kind.OPTOUT_ACK, Kind.SAFETY_TEXT, Kind.STAFF_REPLY, Kind.ON_CALL, Kind.CANARY}
)


def write_sms(letter: Letter, language: Language, wording: Wording) -> Rendered:
    """The longest text in the segments that its kind wants, else in the most that are allowed.

    The opt-out line of a first text and a list of several visits may take a second segment.
    """
    wanted = segments_for(letter)
    for limit in (wanted, HARD_SEGMENTS):
        for text in _texts(letter, language, wording):
            counted = segments(text)
            if counted.count <= limit:
                tells = bool(_tail(letter, language))
                return Rendered("", text, "", counted.count, counted.encoding, tells)
    raise WordingError(
        f"The shortest text needs more than {HARD_SEGMENTS} segments; shorten the site's name"
        " for text messages or write it in plain letters."
    )


def segments_for(letter: Letter) -> int:
    """How many segments the text should take at most."""
    is_roomy = letter.first_sms or len(letter.visits) > 1
    return HARD_SEGMENTS if is_roomy else wanted_segments(letter.kind)


def forms(letter: Letter, language: Language, wording: Wording, shown: int) -> Iterator[str]:
    """The texts that list the first `shown` visits, from the longest to the shortest."""
    phrase = wording.sms_several if len(letter.visits) > 1 else wording.sms
    tail = _tail(letter, language)
    for text in phrase.shrinking(_values(letter, language, shown)):
        yield fold(text + tail)


def _texts(letter: Letter, language: Language, wording: Wording) -> Iterator[str]:
    """From the longest to the shortest: first the optional parts go, then the last visits."""
    for shown in range(len(letter.visits), 0, -1) or (0,):
        yield from forms(letter, language, wording, shown)


def _tail(letter: Letter, language: Language) -> str:
    if letter.kind in TERMS or (letter.first_sms and letter.kind not in WITHOUT_TERMS):
        return language.words["first_sms"].fill({})
    if CATALOGUE[letter.kind].purpose is Purpose.MARKETING:
        return language.words["stop"].fill({})
    return ""


def _values(letter: Letter, language: Language, shown: int) -> dict[str, str]:
    """The values of a text that lists the first `shown` visits and counts the others."""
    hidden = len(letter.visits) - shown
    times = [tidy(visit.when) for visit in letter.visits[:shown]]
    if hidden:
        times.append(language.words["more"].fill({"count": str(hidden)}))
    name = fold(tidy(letter.first_name))
    return {
        "sms_name": tidy(letter.sms_name),
        "first_name": name if is_gsm(name) else "",
        "when": "; ".join(times),
        "previous_when": tidy(letter.visits[0].previous_when) if letter.visits else "",
        "phone": tidy(letter.phone),
        "until": tidy(letter.until),
        "text": tidy(letter.text),
        "care_url": letter.care_url,
        # The care page shows all visits, how to prepare and what to fill in: one link is enough.
        "steps_url": letter.care_url if letter.has_page and not hidden else "",
        "more_url": letter.care_url if hidden else "",
    }
