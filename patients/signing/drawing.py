"""A signature drawn by hand: a path of straight lines on a pad of fixed size. Pure.

It is written as the `d` of an SVG path in whole numbers, `M12 40L15 38L20 41M60 10L…`, and nothing
else is let through, so that it can be put into a page and a sheet as it is.
"""

from __future__ import annotations

import re

WIDTH, HEIGHT = 600, 200
LONGEST = 40_000
MOST_POINTS = 4000
# Less ink than this is a touch of the pad by mistake.
LEAST_POINTS, LEAST_SPAN = 5, 30

Lines = tuple[tuple[tuple[int, int], ...], ...]

_PATH = re.compile(r"(?:M[0-9]{1,3} [0-9]{1,3}(?:L[0-9]{1,3} [0-9]{1,3})*)+")
_POINT = re.compile(r"([ML])([0-9]{1,3}) ([0-9]{1,3})")


class DrawingRefused(ValueError):
    """The drawing is no signature; `sentence` says what to do."""

    code = "drawing_refused"
    field = "drawing"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def lines(path: str) -> Lines:
    """The lines of a path, each a row of points. Raises DrawingRefused."""
    if len(path) > LONGEST:
        raise DrawingRefused("The drawing is too long. Clear it and sign once more.")
    if not _PATH.fullmatch(path):
        raise DrawingRefused("The drawing could not be read. Clear it and sign once more.")
    found: list[list[tuple[int, int]]] = []
    for letter, x, y in _POINT.findall(path):
        if letter == "M":
            found.append([])
        found[-1].append((int(x), int(y)))
    points = [point for line in found for point in line]
    if any(x > WIDTH or y > HEIGHT for x, y in points):
        raise DrawingRefused("The drawing lies outside of its pad. Clear it and sign once more.")
    if len(points) > MOST_POINTS:
        raise DrawingRefused("The drawing is too long. Clear it and sign once more.")
    across, down = ([point[axis] for point in points] for axis in (0, 1))
    if len(points) < LEAST_POINTS or _span(across) + _span(down) < LEAST_SPAN:
        raise DrawingRefused("There is hardly anything drawn. Sign with your full name.")
    return tuple(tuple(line) for line in found)


def _span(values: list[int]) -> int:
    return max(values) - min(values)
