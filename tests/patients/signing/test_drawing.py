"""What is a signature drawn by hand, and what is let into a page and a sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.signing import drawing
from patients.signing.drawing import DrawingRefused

POINT = st.tuples(st.integers(0, drawing.WIDTH), st.integers(0, drawing.HEIGHT))
LINES = st.lists(st.lists(POINT, min_size=5, max_size=30), min_size=1, max_size=4)


def path_of(lines: list[list[tuple[int, int]]]) -> str:
    return "".join(
        ("L" if number else "M") + f"{x} {y}"
        for line in lines
        for number, (x, y) in enumerate(line)
    )


@given(LINES)
def test_what_was_drawn_is_read_point_by_point(lines: list[list[tuple[int, int]]]) -> None:
    lines = [[(0, 0), (40, 40)], *lines]
    assert drawing.lines(path_of(lines)) == tuple(map(tuple, lines))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "could not be read"),
        ("L1 1L2 2", "could not be read"),
        ('M1 1L2 2"/><script>', "could not be read"),
        ("M1 1 L2 2", "could not be read"),
        ("M-1 1L2 2L3 3L4 4L50 50", "could not be read"),
        ("M1 1L601 2L3 3L4 4L50 50", "outside"),
        ("M1 1L1 201L3 3L4 4L50 50", "outside"),
        ("M1 1L2 2L3 3", "hardly anything"),
        ("M1 1L2 2L3 3L2 2L1 1L2 2", "hardly anything"),
        ("M1 1" + "L2 2L90 90" * 2500, "too long"),
        ("M1 1" + "L2 2" * 20_000, "too long"),
        ("M１ 1L2 2L3 3L4 4L50 50", "could not be read"),
    ],
)
def test_anything_else_is_refused(path: str, said: str) -> None:
    with pytest.raises(DrawingRefused, match=said):
        drawing.lines(path)
