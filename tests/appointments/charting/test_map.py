"""The map: what was delivered in each region of what was treated, with its totals."""

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from appointments.charting import checking, copying, fields
from appointments.charting.copying import Signed
from appointments.charting.gist import gist
from appointments.charting.log import Log, log_of
from clinic.protocols import loading, reading
from clinic.protocols.areas import region_name, regions_of
from clinic.protocols.schema import Protocol

DAY = date(2027, 3, 4)


@pytest.fixture(scope="module")
def ultrasound() -> Protocol:
    file = loading.LIBRARY / "ultrasound.toml"
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


def a_log(areas: list[str], regions: dict[str, Any]) -> Log:
    zone = {"energy": 0.9, "coupling_seen": True}
    session = {
        "device_serial": "US-1",
        "analgesia": "None",
        "pain": 3,
        "reaction": "none",
        "outcome": "completed",
    }
    return log_of({"session": session, "zones": dict.fromkeys(areas, zone), "regions": regions})


def test_areas_are_made_of_regions_and_one_without_any_is_its_own(ultrasound: Protocol) -> None:
    assert regions_of(ultrasound, ["thighs", "neck", "brow", "face_neck"]) == (
        *("forehead", "brow", "periorbital", "cheeks", "lower_face", "submental", "neck"),
        "thighs",
    )
    names = [region_name(ultrasound, each) for each in ("periorbital", "thighs", "moon")]
    assert names == ["Around the eyes", "Both thighs", "moon"]


@pytest.mark.parametrize(
    ("areas", "regions", "codes"),
    [
        (["face_neck"], {"cheeks": {"lines_deep": "40", "lines_middle": 30}}, {}),
        (["thighs"], {"thighs": {"lines_deep": 90}}, {}),
        (["face_neck"], {}, {"regions.forehead": "regions"}),
        (["brow", "neck"], {"neck": {"lines_deep": 9}}, {"regions.brow": "regions"}),
        (
            ["brow"],
            {"brow": {"lines_deep": 9}, "neck": {"lines_deep": 9}},
            {"regions.neck": "unknown"},
        ),
        (["brow"], {"brow": {"lines_deep": "many"}}, {"regions.brow.lines_deep": "type"}),
        (["brow"], {"brow": {"lines_deep": 0}}, {"regions.brow.lines_deep": "range"}),
        (["brow"], {"brow": {"lines_deep": 9, "depth": 2}}, {"regions.brow.depth": "unknown"}),
    ],
)
def test_something_is_written_of_each_area_that_was_treated_and_of_no_other(
    ultrasound: Protocol, areas: list[str], regions: dict[str, Any], codes: dict[str, str]
) -> None:
    log = fields.as_typed(ultrasound, a_log(areas, regions))
    found = checking.findings(ultrasound, log, areas=areas, day=DAY)
    assert {each.path: each.code for each in found} == codes


def test_what_was_delivered_is_summed_and_wears_out_a_transducer_where_it_is_one(
    ultrasound: Protocol,
) -> None:
    one = {"cheeks": {"lines_deep": 40}, "neck": {"lines_deep": 25}}
    log = a_log(["face_neck"], one)
    assert fields.totals(ultrasound, log) == {
        "lines_deep": 65,
        "lines_middle": 0,
        "lines_shallow": 0,
    }
    assert fields.used(ultrasound, log) == 65
    two = a_log(["face_neck"], {**one, "brow": {"lines_shallow": 8, "lines_deep": "many"}})
    assert fields.totals(ultrasound, two)["lines_shallow"] == 8
    assert fields.used(ultrasound, two) is None
    assert gist(ultrasound, two) == ("73 lines", "0.9 J")
    with translation.override("es"):
        assert gist(ultrasound, two) == ("73 líneas", "0.9 J")


def test_last_times_count_stands_beside_todays_and_is_never_copied(ultrasound: Protocol) -> None:
    last = Signed(
        a_log(["face_neck"], {"cheeks": {"lines_deep": 40}}),
        ({"regions.cheeks.lines_deep": 44, "regions.neck.lines_deep": 12},),
    )
    was = copying.was(ultrasound, ["face_neck"], [last])
    assert (was["regions.cheeks.lines_deep"], was["regions.neck.lines_deep"]) == (44, 12)
    copied = copying.copied(ultrasound, Log(), was, ["face_neck"])
    assert copied.zones["face_neck"]["energy"] == 0.9
    assert copied.regions == {}
