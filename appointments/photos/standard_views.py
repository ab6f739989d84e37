"""From which sides each area is photographed: data of `standard_views.toml`. Pure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("standard_views.toml")
# What shows a spot, such as a reaction of the skin.
CLOSE = "close"


@dataclass(frozen=True, slots=True)
class View:
    """One side from which an area is photographed."""

    id: str
    en: str
    es: str

    def name(self, language: str) -> str:
        return self.es if language == "es" else self.en


@cache
def _data() -> tuple[dict[str, View], dict[str, tuple[View, ...]]]:
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    views = {id_: View(id_, name["en"], name["es"]) for id_, name in read["views"].items()}
    areas = {area: tuple(views[each] for each in sides) for area, sides in read["areas"].items()}
    return views, areas


def of(area: str) -> tuple[View, ...]:
    """The standard views of an area, the most telling one first and the close-up last."""
    views, areas = _data()
    return (*areas.get(area, (views["front"],)), views[CLOSE])


def is_view_of(view: str, area: str) -> bool:
    return any(each.id == view for each in of(area))


def name(view: str, language: str) -> str:
    """A view in words; its id when it is none of ours any more."""
    views, _ = _data()
    return views[view].name(language) if view in views else view.replace("_", " ")
