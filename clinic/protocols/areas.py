"""Places on the body: which are the same, and which stands above which. Pure."""

from __future__ import annotations

from collections.abc import Iterable

# As one lists them for somebody who stands before one: the database keeps no order of a document.
FROM_HEAD_TO_FOOT = (
    *("face_neck", "face", "brow", "eyelids", "submental", "neck", "decollete", "chest"),
    *("shoulders", "upper_arms", "arms", "hands", "back", "abdomen", "buttocks", "thighs"),
    *("knees", "legs"),
)


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two lists of area ids share a part; `face_neck` shares one with `face`."""
    return not parts_of(*some).isdisjoint(parts_of(*others))


def parts_of(*areas: str) -> frozenset[str]:
    """The parts that area ids name: `face_neck` is of the face and the neck."""
    return frozenset(part for area in areas for part in area.split("_"))


def in_order(areas: Iterable[str]) -> list[str]:
    """Area ids from head to foot; those of no known place come last, by name."""
    places = {area: number for number, area in enumerate(FROM_HEAD_TO_FOOT)}
    return sorted(areas, key=lambda area: (places.get(area, len(places)), area))
