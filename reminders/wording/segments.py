"""How long a text message is: GSM-7 or UCS-2, in units and segments, and folding into GSM-7.

The figures are those of GSM 03.38 (3GPP TS 23.038): one segment holds 160 units of GSM-7 or 70
of UCS-2; in a longer text each segment gives some up for its header and holds 153 or 67. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

GSM_7 = "GSM-7"
UCS_2 = "UCS-2"

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}[]~|\\€\f")
_GSM = _BASIC | _EXTENDED

_SINGLE = {GSM_7: 160, UCS_2: 70}
_JOINED = {GSM_7: 153, UCS_2: 67}

# What Unicode's own decomposition does not turn into GSM-7.
_LIKENESS = {
    **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\t\v\x1c\x1d\x1e\x1f\x85\u2028\u2029", " "),
    "…": "...",
    "•": "-",
    "·": "-",
    "⁄": "/",
    "×": "x",
    "œ": "oe",
    "Œ": "OE",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
    "ı": "i",
}


@dataclass(frozen=True, slots=True)
class Segments:
    """`count` segments in `encoding` ("GSM-7" or "UCS-2"), `units` in all before splitting."""

    count: int
    encoding: str
    units: int


def is_gsm(text: str) -> bool:
    """Whether every character of `text` exists in GSM-7."""
    return _GSM.issuperset(text)


def units(text: str) -> int:
    """The length of `text` in units of its encoding: septets of GSM-7 or 16-bit units."""
    return segments(text).units


def segments(text: str) -> Segments:
    """How `text` is split; an escape pair or a surrogate pair is never torn apart."""
    encoding = GSM_7 if is_gsm(text) else UCS_2
    sizes = [2 if _is_pair(char, encoding) else 1 for char in text]
    total = sum(sizes)
    if total <= _SINGLE[encoding]:
        return Segments(1, encoding, total)
    return Segments(_packed(sizes, _JOINED[encoding]), encoding, total)


def capacity(count: int, encoding: str) -> int:
    """How many units `count` segments hold."""
    return _SINGLE[encoding] if count == 1 else count * _JOINED[encoding]


def fold(text: str) -> str:
    """`text` with everything that has a likeness in GSM-7 replaced by it.

    Accents that GSM-7 has (é ñ ü à) stay, others go (á í ó ú ç); typographic quotes, dashes and
    spaces become plain, invisible characters go. What has no likeness stays as it is, so the
    result is GSM-7 exactly when `is_gsm` says so.
    """
    if is_gsm(text):
        return text
    visible = "".join(char for char in text if not _is_invisible(char))
    folded: list[str] = []
    for char in unicodedata.normalize("NFC", visible):
        if unicodedata.category(char) == "Mn" and folded and folded[-1][-1] in _GSM:
            continue
        folded.append(_likeness(char))
    return "".join(folded)


def _is_pair(char: str, encoding: str) -> bool:
    return char in _EXTENDED if encoding == GSM_7 else char > "\uffff"


def _packed(sizes: Iterable[int], room: int) -> int:
    count, left = 1, room
    for size in sizes:
        if size > left:
            count, left = count + 1, room
        left -= size
    return count


def _is_invisible(char: str) -> bool:
    if char in _GSM or char in _LIKENESS:
        return False
    return unicodedata.category(char) in {"Cc", "Cf"}


def _likeness(char: str) -> str:
    if char in _GSM:
        return char
    if char in _LIKENESS:
        return _LIKENESS[char]
    plain = "".join(
        _LIKENESS.get(part, part)
        for part in unicodedata.normalize("NFKD", char)
        if unicodedata.category(part) != "Mn"
    )
    return plain if plain and is_gsm(plain) else char
