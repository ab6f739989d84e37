"""Names of people as former systems write them: with titles, or in one cell. Pure."""

from __future__ import annotations

import re

_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "sir",
        "dame",
        "rev",
        "hr",
        "herr",
        "frau",
        "sr",
        "sra",
        "srta",
        "don",
        "doña",
    ]
)
_AFTER = frozenset(["md", "phd", "do", "dds", "rn", "np", "pa", "esq"])
# They belong to the family name that they stand before.
_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "de",
        "da",
        "do",
        "dos",
        "das",
        "del",
        "della",
        "di",
        "du",
        "la",
        "le",
        "les",
        "ter",
        "ten",
        "te",
        "zu",
        "bin",
        "bint",
        "ibn",
        "al",
        "el",
        "san",
        "st",
        "st.",
        "saint",
        "mac",
        "o'",
    ]
)


def without_title(name: str) -> str:
    """ "Dr. Anna" → "Anna"; a name that is nothing else stays."""
    words = name.split()
    while len(words) > 1 and _plain(words[0]) in _TITLES:
        words.pop(0)
    while len(words) > 1 and _plain(words[-1]) in _AFTER:
        words.pop()
    return " ".join(words).rstrip(",")


def parted(name: str) -> tuple[str, str]:
    """Given and family name of a name in one cell; one of them is empty when it has one word.

    "Dr. Anna van der Berg" and "van der Berg, Anna" are ("Anna", "van der Berg").
    """
    if "," in name:
        family, _, given = name.partition(",")
        given, family = without_title(given), without_title(family)
        if given and _plain(given) not in _AFTER:
            return given, family
        name = family
    words = without_title(name).split()
    if len(words) < 2:
        return (words[0] if words else ""), ""
    begins = len(words) - 1
    while begins > 1 and words[begins - 1].lower() in _PARTICLES:
        begins -= 1
    return " ".join(words[:begins]), " ".join(words[begins:])


def can_be(name: str) -> bool:
    """Whether it may be somebody's name: it has a letter and is no formula."""
    return any(char.isalpha() for char in name) and not name.startswith(("=", "+", "@"))


def _plain(word: str) -> str:
    return re.sub(r"[.,]", "", word).lower()
