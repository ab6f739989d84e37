"""What a template may say and how long it may be. Pure.

The longest values are what the forms of the product accept; a text that must fit one segment
does so with all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from reminders.catalogue import CATALOGUE, Channel, Kind
from reminders.wording.phrases import Phrase, PhraseError, parse
from reminders.wording.segments import GSM_7, fold, segments
from reminders.wording.texts import EMAIL_VALUES, SMS_VALUES

HARD_SEGMENTS = 2
ONE_SEGMENT_PRIORITY = 1
# Free words, and what carries the opt-out line each time.
TWO_SEGMENT_KINDS = frozenset({Kind.STAFF_REPLY, Kind.ON_CALL, Kind.HELP_REPLY, Kind.START_ACK})

LONGEST: Mapping[str, str] = {
    "sms_name": "N" * 24,
    "first_name": "F" * 24,
    "when": "W" * 24,
    "previous_when": "P" * 24,
    "phone": "+" + "9" * 15,
    "until": "U" * 24,
    "care_url": "https://" + "u" * 37,
    "steps_url": "https://" + "u" * 37,
    "text": "t" * 270,
}

# What a template must not say, in either language, and why.
FORBIDDEN: tuple[tuple[str, str], ...] = (
    (
        r"\b(tomorrow|today|tonight|yesterday|mañana|hoy|ayer)\b",
        "says “{}”: a message may be read on another day; give weekday, date and time.",
    ),
    (
        r"\b(reply|respond|answer|responda|conteste)\b(?! STOP\b)",
        "says “{}”: patients cannot answer by text but with STOP and HELP.",
    ),
    (
        r"\b(bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly)\b",
        "uses the shortener “{}”: carriers block them; use the clinic's own address.",
    ),
    (
        r"(https?://|www\.)",
        "holds a link (“{}”): links are merge values.",
    ),
    (
        (
            r"\b(botox|dysport|xeomin|jeuveau|toxin\w*|toxina\w*|filler\w*|relleno\w*|lasers?"
            r"|láser|ipl|microneedling|microagujas|ultrasound|ultrasonido|ultherapy|thermage"
            r"|morpheus|radiofrequency|radiofrecuencia|peel|anti-?wrinkle|antiarrugas"
            r"|injection\w*|inyecci\w*)\b"
        ),
        "names a treatment or medicine (“{}”).",
    ),
    (
        (
            r"\b(offers?|discounts?|prices?|free|deals?|ofertas?|descuentos?|precios?|gratis)\b"
            r"|[$£€] ?\d|\d ?[%$£€]"
        ),
        "speaks of a price or an offer (“{}”).",
    ),
)


def wanted_segments(kind: Kind) -> int:
    """How many segments a text of `kind` about one visit should take at most."""
    is_short = CATALOGUE[kind].priority <= ONE_SEGMENT_PRIORITY and kind not in TWO_SEGMENT_KINDS
    return 1 if is_short else HARD_SEGMENTS


def problems(source: str, *, kind: Kind, channel: Channel, several: bool = False) -> list[str]:
    """Sentences on all that is wrong with one template (text, subject or paragraph) of `kind`.

    `several`: it speaks of more than one visit, which may take a second segment.
    """
    try:
        phrase = parse(source)
    except PhraseError as error:
        return [str(error)]
    known = SMS_VALUES if channel is Channel.SMS else EMAIL_VALUES
    if strange := sorted(phrase.names - known):
        return [f"No value is called “{name}”." for name in strange]
    found = list(_forbidden(source))
    if channel is Channel.SMS:
        found.extend(_sms_problems(source, phrase, kind, several))
    return found


def _forbidden(source: str) -> Iterator[str]:
    for pattern, sentence in FORBIDDEN:
        for match in re.finditer(pattern, source, re.IGNORECASE):
            yield f"The template {sentence.format(match[0])}"


def _sms_problems(source: str, phrase: Phrase, kind: Kind, several: bool) -> Iterator[str]:
    if not source.startswith("{sms_name}: "):
        yield "A text message starts with the clinic's name: “{sms_name}: ”."
    if CATALOGUE[kind].tells_start and "when" not in phrase.always:
        yield "The time of the visit must not be optional: put “{when}” outside brackets."
    *_, shortest = phrase.shrinking(LONGEST)
    counted = segments(fold(shortest))
    if counted.encoding != GSM_7:
        yield "The template has characters that a plain text message cannot hold."
    wanted = HARD_SEGMENTS if several else wanted_segments(kind)
    if counted.count > wanted:
        yield (
            f"With the longest values the text has {counted.units} units in {counted.count}"
            f" segments; {wanted} is the limit."
        )
