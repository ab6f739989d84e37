"""Folding names and dates for search: the embedded PostgreSQL has no unaccent. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_DATES = (
    re.compile(r"^(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})$"),
    # Month first as the sites of the house write it; day first when the first cannot be a month.
    re.compile(r"^(?P<m>\d{1,2})[/.](?P<d>\d{1,2})[/.](?P<y>\d{4})$"),
)


# Control characters, and what is not seen or turns the text around it: no part of a name.
_HIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def one_line(text: str) -> str:
    """A name as it is stored: what can be seen of it, in one line."""
    return " ".join(_HIDDEN.sub("", text).split())


# A file says the same words row after row.
@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """`text` in lower case without accents, punctuation or double spaces: "Núñez-Ó" → "nunez o"."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^\w]+|_", " ", letters).split())


def digits(text: str) -> str:
    """The digits of `text`, when it is written like a phone number; else an empty string."""
    return re.sub(r"\D", "", text) if re.fullmatch(r"[\d\s()+./-]+", text.strip()) else ""


def as_date(text: str) -> date | None:
    """The birth date that `text` may mean (1988-05-04, 5/4/1988, 25.4.1988), or None."""
    for pattern in _DATES:
        if found := pattern.match(text.strip()):
            year, month, day = (int(found[part]) for part in "ymd")
            if month > 12:
                month, day = day, month
            try:
                return date(year, month, day)
            except ValueError:
                return None
    return None
