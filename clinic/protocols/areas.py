"""Places on the body: which are the same, and which stands above which. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clinic.protocols.schema import Protocol, Region
from clinic.saying import gettext, language, noop

# As one lists them for somebody who stands before one: the database keeps no order of a document.
FROM_HEAD_TO_FOOT = (
    *("face_neck", "face", "brow", "eyelids", "submental", "neck", "decollete", "chest"),
    *("shoulders", "upper_arms", "arms", "hands", "back", "abdomen", "buttocks", "thighs"),
    *("knees", "legs"),
)

REGIONS: Mapping[str, str] = {
    Region.FOREHEAD: noop("Forehead"),
    Region.BROW: noop("Brow"),
    Region.PERIORBITAL: noop("Around the eyes"),
    Region.CHEEKS: noop("Cheeks"),
    Region.LOWER_FACE: noop("Lower face"),
    Region.SUBMENTAL: noop("Under the chin"),
    Region.NECK: noop("Neck"),
    Region.DECOLLETE: noop("Décolleté"),
}


def regions_of(protocol: Protocol, areas: Iterable[str]) -> tuple[str, ...]:
    """The regions of some areas of a protocol, each once, from head to foot, then the areas that
    have none and are their own."""
    known = protocol.applicability.areas
    parts = {region for area in areas if area in known for region in known[area].regions}
    whole = [area for area in areas if area in known and not known[area].regions]
    on_the_map = [each.value for each in Region if each in parts]
    return (*on_the_map, *(area for area in whole if area not in parts))


def region_name(protocol: Protocol, region: str) -> str:
    """A region, or an area that is its own, in words of the reader."""
    if region in REGIONS:
        return gettext(REGIONS[region])
    known = protocol.applicability.areas
    return known[region].name.get(language()) if region in known else region


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
