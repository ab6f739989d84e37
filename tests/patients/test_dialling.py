"""Where a number may be at home."""

from zoneinfo import available_timezones

import pytest

from patients.dialling import _ZONES, zones_of


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12125550123", ("America/New_York",)),
        ("+13105550123", ("America/Los_Angeles",)),
        ("+18085550123", ("Pacific/Honolulu",)),
        ("+16715550123", ("Pacific/Guam",)),
        ("+34600123456", ("Atlantic/Canary", "Europe/Madrid")),
        ("+390612345678", ("Europe/Rome", "Europe/Vatican")),
        ("+18005550123", ()),
        ("", ()),
    ],
)
def test_a_number_may_be_at_home_in_the_zones_of_its_area(
    number: str, zones: tuple[str, ...]
) -> None:
    assert zones_of(number) == zones


def test_every_zone_of_the_table_has_a_clock() -> None:
    assert len(_ZONES) > 600
    assert {zone for zones in _ZONES.values() for zone in zones} <= available_timezones()
