"""How long a text may be, and how long the values are that are merged into it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reminders.catalogue import CATALOGUE, SAID_NOW, Kind, Purpose

HARD_SEGMENTS = 2
ONE_SEGMENT_PRIORITY = 1
SUBJECT_LENGTH = 200
# Kinds whose letters carry no link.
WITHOUT_LINK = frozenset(
    {Kind.CANCELLED, Kind.WAITLIST_GONE, Kind.SESSION_DUE, *SAID_NOW - {Kind.NEW_LINK}}
)
# Free words, and what carries the opt-out line each time.
TWO_SEGMENT_KINDS = frozenset({Kind.STAFF_REPLY, Kind.ON_CALL, Kind.HELP_REPLY, Kind.START_ACK})

# The longest that the forms of the product accept and the clock prints ("28 Jan 2028 20:45
# UTC+0845"). A name is not among them: however long, it may go, and so it must (`linting`).
LONGEST: Mapping[str, str] = {
    "sms_name": "N" * 24,
    "first_name": "F" * 60,
    "when": "W" * 26,
    "previous_when": "P" * 26,
    "phone": "+" + "9" * 15,
    "until": "U" * 25,
    "care_url": "https://" + "u" * 37,
    "steps_url": "https://" + "u" * 37,
    "text": "t" * 270,
}


def has_page(kind: Kind) -> bool:
    """Whether a letter of `kind` leads to a page of the patient's: to that of their care or of an
    offer, and of what is marketing only to the times of a touch-up."""
    is_marketing = CATALOGUE[kind].purpose is Purpose.MARKETING
    return kind not in WITHOUT_LINK and (not is_marketing or kind is Kind.TOUCHUP_PROMPT)


def wanted_segments(kind: Kind) -> int:
    """How many segments a text of `kind` about one visit should take at most."""
    is_short = CATALOGUE[kind].priority <= ONE_SEGMENT_PRIORITY and kind not in TWO_SEGMENT_KINDS
    return 1 if is_short else HARD_SEGMENTS
