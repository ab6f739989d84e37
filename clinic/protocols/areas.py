"""Whether two treatments are of the same place on the body. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two lists of area ids share a part; `face_neck` shares one with `face`."""
    return not parts_of(*some).isdisjoint(parts_of(*others))


def parts_of(*areas: str) -> frozenset[str]:
    """The parts that area ids name: `face_neck` is of the face and the neck."""
    return frozenset(part for area in areas for part in area.split("_"))
