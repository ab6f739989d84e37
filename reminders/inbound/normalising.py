"""A reply as the grammar sees it: plain words and the marks that divide them. Pure.

Folds what people vary without meaning anything by it: case, accents, emoji, apostrophes, letters
drawn out ("stoppp"), letters set apart ("S T O P"). Refuses to know what a word means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

# Stands between two clauses: a comma, a full stop, a line end, a dash with air around it.
BREAK = "|"
# Times and amounts stay whole: "10:30", "38.5".
_PIECES = re.compile(r"\d+(?:[.:]\d+)+|[^\W_]+|[.,;:!?()\n\r…]+|\s[-–—]+\s")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ＇"))
_DRAWN_OUT = re.compile(r"([^\W\d])\1{2,}")
# "do not" and "don't" are the same word.
_BEFORE_NOT = {
    **{verb: f"{verb}nt" for verb in ("do", "does", "did", "is", "are", "was", "were")},
    **{verb: f"{verb}nt" for verb in ("have", "has", "had", "would", "could", "should")},
    "can": "cant",
    "will": "wont",
}


def tokens(
    text: str, *, spellings: Mapping[str, str], keywords: Collection[str]
) -> tuple[str, ...]:
    """The folded words of `text`, with BREAK between clauses and neither first nor last.

    `spellings` replaces single words ("q" → "que"). A word of `keywords` that is written in
    capitals among small letters is set off by breaks, as its writer meant it to be.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    is_all_capitals = not any(letter.islower() for letter in folded)
    pieces: list[str] = []
    for raw in _PIECES.findall(folded):
        word = _fold(raw)
        if not word:
            pieces.append(BREAK)
        elif word in keywords and raw.isupper() and not is_all_capitals:
            pieces += [BREAK, word, BREAK]
        else:
            pieces += spellings.get(word, word).split()
    return _tidy(_contracted(_joined(pieces)))


def clauses(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The words between the breaks."""
    found: list[list[str]] = [[]]
    for word in words:
        if word == BREAK:
            found.append([])
        else:
            found[-1].append(word)
    return [tuple(clause) for clause in found if clause]


def _fold(raw: str) -> str:
    """The word in small plain letters; empty for marks."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", raw.casefold())
        if unicodedata.category(letter)[0] in "LN" or letter in ".:"
    )
    plain = _DRAWN_OUT.sub(r"\1", plain)
    return plain if any(letter.isalnum() for letter in plain) else ""


def _joined(pieces: list[str]) -> list[str]:
    """ "s t o p" as one word, when the message is nothing but single letters."""
    words = [piece for piece in pieces if piece != BREAK]
    if len(words) >= 3 and all(len(word) == 1 and word.isalpha() for word in words):
        return ["".join(words)]
    return pieces


def _contracted(pieces: list[str]) -> list[str]:
    made: list[str] = []
    for piece in pieces:
        if piece == "not" and made and made[-1] in _BEFORE_NOT:
            made[-1] = _BEFORE_NOT[made[-1]]
        else:
            made.append("cant" if piece == "cannot" else piece)
    return made


def _tidy(pieces: list[str]) -> tuple[str, ...]:
    made: list[str] = []
    for piece in pieces:
        if piece != BREAK or (made and made[-1] != BREAK):
            made.append(piece)
    while made and made[-1] == BREAK:
        made.pop()
    return tuple(made)
