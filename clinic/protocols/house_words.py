"""The words in which ways of treating and kinds of rooms are told.

Both are kept as they were first written, in English where they came with our own protocols.
Those are told in the reader's language; a clinic's own, and what it renamed, as the clinic wrote
it. Pure.
"""

from __future__ import annotations

from clinic.saying import gettext, noop

MODALITIES = frozenset(
    {
        noop("Consultation"),
        noop("Focused ultrasound"),
        noop("Fractional laser"),
        noop("Intense pulsed light"),
        noop("Monopolar radiofrequency"),
        noop("Non-ablative laser"),
        noop("RF microneedling"),
        noop("Radiofrequency series"),
    }
)
ROOMS = frozenset({noop("consult"), noop("laser"), noop("treatment")})


def modality_word(name: str) -> str:
    return gettext(name) if name in MODALITIES else name


def room_word(kind: str) -> str:
    """As a word within a sentence: "laser", "own kind" of "own_kind"."""
    return gettext(kind) if kind in ROOMS else kind.replace("_", " ").replace("-", " ")
