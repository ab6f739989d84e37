"""Where two treatments at a time disagree, and what counts then."""

from clinic.protocols import loading, reading
from clinic.protocols.differing import differences
from clinic.protocols.schema import Protocol


def read(name: str) -> Protocol:
    file = loading.LIBRARY / f"{name}.toml"
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


def test_choices_that_differ_stand_side_by_side_with_what_counts() -> None:
    found = {each.topic: each for each in differences([read("rf_microneedling"), read("ipl")])}
    assert set(found) == {"makeup"}
    assert dict(found["makeup"].choices) == {
        "RF microneedling": "48 hours",
        "Intense pulsed light": "same day",
    }
    assert found["makeup"].sentence.endswith("Messages say the longest ban.")
    cooling = differences([read("rf_microneedling"), read("ultrasound")])
    assert [each.topic for each in cooling] == ["cooling"]


def test_one_treatment_and_choices_alike_do_not_differ() -> None:
    one = read("laser_fractional")
    assert differences([one]) == () == differences([one, one])
    both = differences([one, read("laser_nonablative")])
    assert "sun.tanning" not in [each.topic for each in both]


def test_the_order_does_not_matter_for_what_counts() -> None:
    one, other = read("laser_fractional"), read("laser_nonablative")
    assert {(each.topic, each.counts) for each in differences([one, other])} == {
        (each.topic, each.counts) for each in differences([other, one])
    }
