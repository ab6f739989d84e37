"""Which photos stand beside each other: one area from one side, the earlier first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clinic.saying import gettext


class Shown(Protocol):
    """What comparing needs to know of a photo."""

    @property
    def pk(self) -> int: ...
    @property
    def area(self) -> str: ...
    @property
    def view(self) -> str: ...
    @property
    def taken_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos of one view; `before` was taken first."""

    before: Shown
    after: Shown


class NotComparable(ValueError):
    """The two do not show the same; `sentence` says so."""

    code = "not_comparable"
    field = "after"

    @property
    def sentence(self) -> str:
        return gettext("These photos show different views. Compare two of the same area and side.")

    def __init__(self) -> None:
        super().__init__(self.sentence)


def pair(one: Shown, other: Shown) -> Pair:
    """Both in order of time. Raises NotComparable unless they show the same, and are two."""
    if one.pk == other.pk or not one.view or (one.area, one.view) != (other.area, other.view):
        raise NotComparable
    before, after = sorted((one, other), key=lambda each: (each.taken_at, each.pk))
    return Pair(before, after)


def first_and_last(photos: Iterable[Shown]) -> Pair | None:
    """The longest way between two of one view; None when there is one only."""
    ordered = sorted(photos, key=lambda each: (each.taken_at, each.pk))
    return Pair(ordered[0], ordered[-1]) if len(ordered) > 1 else None
