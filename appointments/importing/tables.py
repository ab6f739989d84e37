"""Reading and writing tables as CSV: rows by their number in a spreadsheet, one at a time. Pure.

What looks like a formula is written with an apostrophe before it, as spreadsheets do, and read
without: so no program runs what a former system stored, and what is written reads back the same.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO, TextIO

from appointments.importing.decoding import Unreadable, encoding_of
from clinic.retelling import kept
from clinic.saying import gettext, noop
from patients.naming import folded

DELIMITERS = (",", ";", "\t", "|")
MOST_COLUMNS = 200
# The columns that are added to the rows to be mended; a file with them is the same kind of file.
PROBLEM, DECISION = "problem", "decision"
# A cell of the csv module's own limit is refused as it is read; this much is kept of a line.
_LONGEST_LINE = 1 << 20
_SAMPLE_LINES = 30
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_NAMED = re.compile(r"sep=(.)\s*$")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read. `first` is the row of its header, 1 or, below a line that names
    the delimiter, 2. Column names are unique and never empty."""

    encoding: str
    delimiter: str
    first: int
    columns: tuple[str, ...]

    @property
    def signature(self) -> str:
        """The same for every file with these columns in this order, ours aside."""
        own = [folded(each) for each in self.columns if each not in (PROBLEM, DECISION)]
        return blake2b("\n".join(own).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """One row, by its number as a spreadsheet counts. With a `problem` its cells mean nothing."""

    number: int
    cells: tuple[str, ...]
    problem: str = ""


def layout_of(stream: BinaryIO) -> Layout:
    """How this file is to be read. Raises Unreadable when it is empty or no table."""
    stream.seek(0)
    if not stream.read(1):
        raise Unreadable(gettext("This file is empty. Export it again and upload that."))
    encoding = encoding_of(stream)
    sample = [line for line, _ in zip(_lines(stream, encoding), range(_SAMPLE_LINES), strict=False)]
    named = _NAMED.match(sample[0]) if sample else None
    first = 2 if named else 1
    body = sample[first - 1 :]
    delimiter = named[1] if named else _delimiter_of(body)
    header = next(_parsed(iter(body), delimiter), Record(1, ()))
    names = [" ".join(cell.split()) for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    if header.problem or not names:
        raise Unreadable(
            gettext(
                "The first row holds no column names. Write one in each column and upload it again."
            )
        )
    if len(names) > MOST_COLUMNS:
        raise Unreadable(
            gettext("This file has more than %(most)s columns. Remove those not needed.")
            % {"most": MOST_COLUMNS}
        )
    return Layout(encoding, delimiter, first, tuple(_unique(names)))


def records(stream: BinaryIO, layout: Layout) -> Iterator[Record]:
    """Every row below the header that holds anything, each as wide as the header."""
    lines = _lines(stream, layout.encoding)
    for _ in range(layout.first - 1):
        next(lines, "")
    width = len(layout.columns)
    for record in _parsed(lines, layout.delimiter):
        number = record.number + layout.first - 1
        if number == layout.first or not (record.problem or any(map(str.strip, record.cells))):
            continue
        if record.problem:
            yield Record(number, (), record.problem)
        elif any(map(str.strip, record.cells[width:])):
            said = kept(
                "It has %(cells)s cells and the header %(width)s: a delimiter too many.",
                cells=len(record.cells),
                width=width,
            )
            yield Record(number, (), said)
        else:
            cells = (*record.cells[:width], *[""] * (width - len(record.cells)))
            yield Record(number, cells)


def write(rows: Iterable[Sequence[str]], delimiter: str = ",") -> Iterator[str]:
    """Lines of CSV, as `records` reads them."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter).writerow([_escaped(cell) for cell in row])
        yield line.getvalue()


def _escaped(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _read(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell


def _parsed(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    # Strict: a quotation mark out of place would else swallow the rows up to the next one.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(number, (), _problem(str(error)))
        else:
            yield Record(number, tuple(map(_read, cells)))


def _problem(error: str) -> str:
    if "limit" in error:
        return noop(
            "A cell is longer than 131,072 characters, or a quotation mark is never closed."
        )
    return noop("A quotation mark is out of place or never closed.")


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Lines with their ends, without NULs. Of a line beyond all measure only the beginning."""
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        while line := text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
                _skip_rest(text)
                line += "\n"
            yield line.replace("\x00", "")
    finally:
        # Who leaves before the end has closed the file by then.
        if not stream.closed:
            text.detach()


def _skip_rest(text: TextIO) -> None:
    while rest := text.readline(_LONGEST_LINE):
        if rest[-1] in "\r\n":
            return


def _delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter by which most rows have the width of the header, and it is the widest."""

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [len(each.cells) for each in _parsed(iter(lines), delimiter) if each.cells]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    return max(DELIMITERS, key=fit)


def _unique(names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        said = name or f"Column {number}"
        seen[said] = seen.get(said, 0) + 1
        yield said if seen[said] == 1 else f"{said} ({seen[said]})"
