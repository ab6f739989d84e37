"""Reads back what `clinic.printing` wrote: the text of a PDF, page by page."""

import re
import zlib

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|\(((?:\\.|[^\\()])*)\)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages(content: bytes) -> list[str]:
    """What each page says, its pieces joined with spaces."""
    assert content.startswith(b"%PDF-")
    objects = {int(number): body for number, body in _OBJECT.findall(content)}
    letters = {
        int(name): _letters(objects, int(number))
        for name, number in re.findall(rb"/F(\d+) (\d+) 0 R", content)
    }
    found = re.findall(rb"/Contents (\d+) 0 R", content)
    return [_said(_stream(objects[int(number)]), letters) for number in found]


def text(content: bytes) -> str:
    """The whole of it, on one line."""
    return re.sub(r"\s+", " ", " ".join(pages(content)))


def _stream(body: bytes) -> bytes:
    raw = body.split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0]
    return zlib.decompress(raw) if b"/FlateDecode" in body else raw


def _letters(objects: dict[int, bytes], number: int) -> dict[int, str]:
    match = re.search(rb"/ToUnicode (\d+) 0 R", objects[number])
    assert match, "a font without its letters"
    table = _stream(objects[int(match[1])])
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4,})>", table)
    return {int(code, 16): bytes.fromhex(to.decode()).decode("utf-16-be") for code, to in pairs}


def _said(page: bytes, letters: dict[int, dict[int, str]]) -> str:
    font, said = 0, []
    for name, shown in _SHOWN.findall(page):
        if name:
            font = int(name)
            continue
        raw = re.sub(rb"\\(.)", lambda m: _ESCAPED.get(m[1], m[1]), shown, flags=re.DOTALL)
        codes = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
        said.append("".join(letters[font].get(code, "?") for code in codes))
    return " ".join(said)
