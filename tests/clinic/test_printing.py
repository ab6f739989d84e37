"""The sheets that are kept: what they say, on how many pages, and that they are the same twice."""

import io
from datetime import UTC, datetime

from PIL import Image

from clinic import printing
from clinic.printing import Bullets, Facts, Heading, Paragraph, Picture, Strokes, Table
from tests import pdf

AT = datetime(2027, 2, 15, 14, 0, tzinfo=UTC)
FOOTER = "SHA-256 5f2c"


def a_picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 400), "teal").save(content, "JPEG")
    return content.getvalue()


def a_sheet(name: str = "Zoë Łukasiewicz-Nuñez", *, rows: int = 3, language: str = "es") -> bytes:
    return printing.pdf(
        title="Consentimiento",
        blocks=[
            Heading("Riesgos"),
            Paragraph("Puede haber:\x00 enrojecimiento."),
            Bullets(("quemaduras", "cicatrices")),
            Facts((("Paciente", name),)),
            Table(("Zona", "Pases"), tuple((f"zona {n}", str(n)) for n in range(rows))),
            Picture(a_picture(), "Cara, izquierda"),
            Strokes((((0, 0), (50, 60), (100, 0)), ((7, 7),)), (300, 100)),
        ],
        footer=FOOTER,
        at=AT,
        language=language,
    )


def test_the_same_sheet_is_the_same_bytes_and_another_is_not() -> None:
    assert a_sheet() == a_sheet()
    assert a_sheet() != a_sheet("Zoe Lukasiewicz-Nunez")


def test_everything_can_be_read_again_with_its_accents() -> None:
    said = pdf.text(a_sheet())
    for part in (
        *("Consentimiento", "Riesgos", "Puede haber: enrojecimiento.", "quemaduras"),
        *("Zoë Łukasiewicz-Nuñez", "zona 2", "Cara, izquierda", FOOTER, "Página 1 de"),
    ):
        assert part in said
    assert "Page 1 of" in pdf.text(a_sheet(language="en"))


def test_headings_and_the_footer_stand_on_every_page_and_no_row_is_lost() -> None:
    pages = pdf.pages(a_sheet(rows=90))
    assert len(pages) > 2
    assert all(FOOTER in page and f"Página {n} de" in page for n, page in enumerate(pages, 1))
    with_rows = [page for page in pages if "zona" in page]
    assert len(with_rows) > 1 and all("Pases" in page for page in with_rows)
    assert all(f"zona {n} " in " ".join(pages) for n in range(90))


def test_a_value_longer_than_a_page_goes_on_on_the_next() -> None:
    words = " ".join(f"w{n}" for n in range(3000))
    sheet = printing.pdf(title="Notes", blocks=[Facts((("Note", words),))], footer=FOOTER, at=AT)
    assert len(pdf.pages(sheet)) > 2
    assert [word for word in pdf.text(sheet).split() if word in set(words.split())] == words.split()


def test_a_letter_that_the_font_lacks_does_not_keep_a_sheet_from_being_made() -> None:
    assert "Consentimiento" in pdf.text(a_sheet("李小龙"))
