"""The one place that writes PDF: sheets for the record, made to be kept and read again.

A sheet is a title and blocks in order. Pure: the same sheet gives the same bytes, so that their
SHA-256 proves the copy that was stored. The letters are embedded (DejaVu Sans: Latin with every
accent, Greek, Cyrillic), so a sheet reads the same everywhere. Refuses to know whose record it is.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from PIL import Image

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
PAGE_OF = {"en": "Page {page} of {{nb}}", "es": "Página {page} de {{nb}}"}

# Millimetres on A4, and points of the letters.
MARGIN, FOOT, LINE = 18, 20, 5
TITLE_SIZE, HEADING_SIZE, TEXT_SIZE, SMALL_SIZE = 16, 11.5, 9.5, 7
WHOLE_LINES = 8  # A row of a table up to so high stays in one piece.

# It names letters that a font lacks, and letters may be a patient's name.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines break at newlines and where they are full."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values beside each other."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`headings` stand again on each page; every row has as many cells as there are headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG or PNG, as wide as `width` (mm) at most, with its caption below."""

    content: bytes
    caption: str = ""
    width: float = 80


@dataclass(frozen=True, slots=True)
class Strokes:
    """Lines drawn by hand, such as a signature: points within `size`, (0, 0) at the upper left."""

    lines: tuple[tuple[tuple[int, int], ...], ...]
    size: tuple[int, int]
    width: float = 70


Block = Heading | Paragraph | Bullets | Facts | Table | Picture | Strokes


def pdf(
    *, title: str, blocks: Iterable[Block], footer: str, at: datetime, language: str = "en"
) -> bytes:
    """A sheet as PDF. `footer` (one line, such as the digest of what it shows) and the page's
    number stand on every page; `at` (aware) is the date in the file's properties; `language`
    ("en" or "es") is that of the page numbers and for screen readers."""
    sheet = _Sheet(footer=footer, language=language)
    sheet.set_title(title)
    sheet.set_creator("Afterglow")
    sheet.set_lang(language)
    sheet.set_creation_date(at)
    sheet.add_page()
    sheet.write_title(title)
    for block in blocks:
        sheet.write_block(block)
    return bytes(sheet.output())


class _Sheet(FPDF):
    def __init__(self, *, footer: str, language: str) -> None:
        super().__init__(format="A4")
        self.footer_line, self.language = footer, language
        self.add_font(FAMILY, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, margin=FOOT)

    def footer(self) -> None:
        """Called by FPDF at the end of each page."""
        self.set_y(-FOOT + 6)
        self._letters(SMALL_SIZE)
        self.cell(self.epw - 30, 3.5, _printable(self.footer_line))
        self.cell(30, 3.5, PAGE_OF[self.language].format(page=self.page_no()), align="R")

    def write_title(self, text: str) -> None:
        self._letters(TITLE_SIZE, bold=True)
        self._flow(text, 8)
        self.ln(2)

    def write_block(self, block: Block) -> None:
        match block:
            case Heading(text):
                self._heading(text)
            case Paragraph(text, small):
                self._letters(SMALL_SIZE if small else TEXT_SIZE)
                self._flow(text, 3.8 if small else LINE)
                self.ln(1.5)
            case Bullets(items):
                self._rows([("•", item) for item in items], (5, self.epw - 5), ruled=False)
            case Facts(rows):
                self._rows(rows, (55, self.epw - 55), bold_first=True)
            case Table(headings, rows):
                self._rows(rows, [self.epw / len(headings)] * len(headings), headings=headings)
            case Picture():
                self._picture(block)
            case Strokes():
                self._strokes(block)

    def _heading(self, text: str) -> None:
        self._begin_page_unless(20)
        self.ln(2)
        self._letters(HEADING_SIZE, bold=True)
        self._flow(text, 6)
        self.ln(0.5)

    def _rows(
        self,
        rows: Sequence[tuple[str, ...]],
        widths: Sequence[float],
        *,
        headings: tuple[str, ...] = (),
        bold_first: bool = False,
        ruled: bool = True,
    ) -> None:
        if headings:
            self._row(headings, widths, bold=len(headings), ruled=ruled)
        for row in rows:
            self._row(row, widths, bold=int(bold_first), ruled=ruled, headings=headings)
        self.ln(2)

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        *,
        bold: int,
        ruled: bool,
        headings: tuple[str, ...] = (),
    ) -> None:
        """One row, the first `bold` cells of it bold. A short one stays in one piece, a long one
        goes on on the next page, below the headings again."""
        columns = []
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            self._letters(TEXT_SIZE, bold=number < bold)
            columns.append(self._wrapped(cell, width))
        done, longest = 0, max(map(len, columns))
        while done < longest:
            left = longest - done
            if self._begin_page_unless(min(left, WHOLE_LINES) * LINE + 1) and headings:
                self._row(headings, widths, bold=len(headings), ruled=ruled)
            part = min(left, int((self.page_break_trigger - self.get_y() - 1) // LINE))
            self._part([column[done : done + part] for column in columns], widths, bold, ruled)
            done += part

    def _part(
        self, columns: Sequence[list[str]], widths: Sequence[float], bold: int, ruled: bool
    ) -> None:
        top, left = self.get_y(), self.l_margin
        for number, (lines, width) in enumerate(zip(columns, widths, strict=True)):
            self._letters(TEXT_SIZE, bold=number < bold)
            for count, line in enumerate(lines):
                self.set_xy(left, top + count * LINE)
                self.cell(width, LINE, line)
            left += width
        below = top + max(map(len, columns)) * LINE + 1
        if ruled:
            self.set_draw_color(200)
            self.line(self.l_margin, below - 0.5, left, below - 0.5)
        self.set_xy(self.l_margin, below)

    def _wrapped(self, text: str, width: float) -> list[str]:
        found = self.multi_cell(
            width,
            LINE,
            _printable(text),
            align="L",
            dry_run=True,
            output="LINES",
            wrapmode=WrapMode.WORD,
        )
        return list(found) if isinstance(found, list) and found else [""]

    def _picture(self, picture: Picture) -> None:
        content = io.BytesIO(picture.content)
        with Image.open(content) as image:
            shape = image.height / image.width
        height = min(picture.width, self.epw) * shape
        height = min(height, self.h - MARGIN - FOOT - 10)
        self._begin_page_unless(height + 8)
        self.image(content, w=height / shape, h=height, alt_text=picture.caption or None)
        self._letters(SMALL_SIZE)
        self._flow(picture.caption, 4)
        self.ln(2)

    def _strokes(self, strokes: Strokes) -> None:
        across, down = strokes.size
        scale = strokes.width / across
        self._begin_page_unless(down * scale + 4)
        left, top = self.get_x(), self.get_y()
        self.set_draw_color(0)
        self.set_fill_color(0)
        self.set_line_width(0.4)
        for line in strokes.lines:
            points = [(left + x * scale, top + y * scale) for x, y in line]
            if len(points) > 1:
                self.polyline(points)
            else:
                self.circle(*points[0], radius=0.3, style="F")
        self.set_line_width(0.2)
        self.set_xy(self.l_margin, top + down * scale + 2)

    def _begin_page_unless(self, height: float) -> bool:
        """Whether a new page was begun, because `height` does not fit on this one."""
        if self.get_y() + height <= self.page_break_trigger:
            return False
        self.add_page()
        return True

    def _letters(self, size: float, *, bold: bool = False) -> None:
        self.set_font(FAMILY, "B" if bold else "", size)

    def _flow(self, text: str, height: float) -> None:
        self.multi_cell(
            self.epw, height, _printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )


def _printable(text: str) -> str:
    """Without what a font has no letter for and a reader no use of: control characters."""
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable())
