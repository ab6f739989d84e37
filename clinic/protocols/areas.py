"""Whether two treatments are of the same place on the body. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two lists of area ids share a part; `face_neck` shares one with `face`."""
    return not _parts(some).isdisjoint(_parts(others))


def _parts(areas: Iterable[str]) -> set[str]:
    return {part for area in areas for part in area.split("_")}
