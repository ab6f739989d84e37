"""Files are read as they were meant, and what is written reads back the same."""

import io
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appointments.importing import tables
from appointments.importing.decoding import Unreadable
from appointments.importing.tables import DELIMITERS, Record
from clinic.retelling import retold

CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
) | st.sampled_from(
    ["=1+1", "'=x", "''+1", "+1 212", "-", "@a", "a\nb", 'say "so"', "'t Hooft", ";,\t"]
)


def read(content: bytes) -> tuple[tables.Layout, list[Record]]:
    stream = io.BytesIO(content)
    layout = tables.layout_of(stream)
    return layout, list(tables.records(stream, layout))


@settings(max_examples=150)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_reads_back_the_same(
    rows: list[tuple[str, ...]], delimiter: str, encoding: str
) -> None:
    text = "".join(tables.write([("name", "born", "note"), *rows], delimiter))
    stream = io.BytesIO(text.encode(encoding))
    found = list(
        tables.records(stream, tables.Layout(encoding, delimiter, 1, ("name", "born", "note")))
    )
    told = [row for row in rows if any(map(str.strip, row))]
    assert [record.cells for record in found] == told
    assert not any(record.problem for record in found)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    rows = [("Name", "Née", "Born"), ("Ana Núñez", "Müller", "1980-01-02")] * 3
    content = "".join(tables.write(rows, delimiter)).encode(encoding)
    layout, found = read(content)
    assert (layout.delimiter, layout.columns) == (delimiter, ("Name", "Née", "Born"))
    assert found[0].cells == rows[1]


def test_rows_keep_the_numbers_that_a_spreadsheet_shows() -> None:
    content = b'a,b\n1,2\n\n"x\ny",4\n,\n5\n6,7,8\n9,10,\n'
    _, found = read(content)
    assert [(record.number, record.cells) for record in found if not record.problem] == [
        (2, ("1", "2")), (4, ("x\ny", "4")), (6, ("5", "")), (8, ("9", "10")),
    ]  # fmt: skip
    assert [(record.number, retold(record.problem)[:17]) for record in found if record.problem] == [
        (7, "It has 3 cells an")
    ]


def test_a_line_may_name_the_delimiter_and_columns_may_share_a_name() -> None:
    layout, found = read(b"sep=;\nName;;Name\nAna;x;y\n")
    assert layout.columns == ("Name", "Column 2", "Name (2)")
    assert found == [Record(3, ("Ana", "x", "y"))]


def test_bad_rows_are_told_and_the_rest_is_read() -> None:
    content = b'a,b\n1,2\n"x"y,3\n4,\x00 5\n' + b"z" * 200_000 + b',6\n7,8\n"never closed,9\n'
    _, found = read(content)
    assert [record.number for record in found] == [2, 3, 4, 5, 6, 7]
    assert found[1].problem == "A quotation mark is out of place or never closed."
    assert found[2].cells == ("4", " 5")
    assert "longer than 131,072 characters" in found[3].problem
    assert found[4].cells == ("7", "8")
    assert "never closed" in found[5].problem


def test_a_line_beyond_all_measure_is_not_held() -> None:
    blocks = chain([b"a,b\n1,2\n"], [b"x" * 1000] * 3000, [b"\n3,4\n"])
    _, found = read(b"".join(blocks))
    assert [bool(record.problem) for record in found] == [False, True, False]


BINARY = (b"PK\x03\x04xl/", b"\xd0\xcf\x11\xe0old", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a\n\x81", b"\xff\xfea", b"," * 300, *BINARY])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read(content)


def test_our_own_columns_make_no_other_kind_of_file() -> None:
    plain, _ = read(b"Name,Born\nx,y\n")
    mended, _ = read(b"Name,Born,problem,decision\nx,y,z,new\n")
    assert plain.signature == mended.signature != read(b"Born,Name\nx,y\n")[0].signature
