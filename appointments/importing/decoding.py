"""Which encoding a file is in, found in one pass that holds one block at a time. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from clinic.saying import gettext

BLOCK = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A zip of XML, and what came before it.
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
# So many of the bytes of Latin letters in UTF-16 are zero; a stray NUL elsewhere is not.
_ZEROS = 0.3


class Unreadable(ValueError):
    """The file as a whole cannot be read; `sentence` says why and what to do."""

    code = "file_unreadable"
    field = "file"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def encoding_of(stream: BinaryIO) -> str:
    """The encoding of a file, by its mark or else by what its bytes can be.

    Without a mark it is UTF-16 where every other byte is zero, UTF-8 where all of it is, else
    Windows' Western letters (cp1252).

    Raises:
        Unreadable: when it is none of these.
    """
    stream.seek(0)
    head = stream.read(BLOCK)
    if head.startswith(_SPREADSHEETS):
        raise Unreadable(
            gettext(
                "This is a file of a spreadsheet program. Save it as “CSV UTF-8” there and"
                " upload that."
            )
        )
    for mark, name in _MARKS:
        if head.startswith(mark):
            return _proved(stream, name)
    if name := _unmarked_utf16(head):
        return _proved(stream, name)
    if _can_be(stream, "utf-8"):
        return "utf-8"
    if b"\x00" in head:
        raise Unreadable(
            gettext("This file is no text. Save the table as “CSV UTF-8” and upload that.")
        )
    return _proved(stream, "cp1252")


def _unmarked_utf16(head: bytes) -> str:
    half = len(head) // 2
    if half < 2:
        return ""
    if head[1::2].count(0) > _ZEROS * half:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > _ZEROS * half else ""


def _proved(stream: BinaryIO, name: str) -> str:
    if not _can_be(stream, name):
        raise Unreadable(
            gettext(
                "This file is neither UTF-8, UTF-16 nor Windows text all through. Save it as "
                "“CSV UTF-8” and upload it again."
            )
        )
    return name


def _can_be(stream: BinaryIO, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        for block in _blocks(stream):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while block := stream.read(BLOCK):
        yield block
