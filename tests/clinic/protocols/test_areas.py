"""Areas stand from head to foot, whatever order a document comes in."""

import tomllib

from clinic.protocols.areas import FROM_HEAD_TO_FOOT, in_order
from clinic.protocols.loading import LIBRARY


def test_areas_stand_from_head_to_foot_and_unknown_ones_last() -> None:
    assert in_order(["zygoma", "arms", "hands", "face", "elbow", "neck"]) == [
        *("face", "neck", "arms", "hands"),
        *("elbow", "zygoma"),
    ]


def test_every_area_of_the_library_has_its_place() -> None:
    files = [tomllib.loads(file.read_text()) for file in LIBRARY.glob("*.toml")]
    used = {area for each in files for area in each["applicability"]["areas"]}
    assert len(used) > 10
    assert used - {"visit"} <= set(FROM_HEAD_TO_FOOT)
