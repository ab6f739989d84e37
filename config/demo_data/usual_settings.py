"""What is usually set on the devices of the demo, by protocol: about what its sources say.

Each way is one device or handpiece with what goes together; a series keeps to one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from appointments.charting.log import Value


@dataclass(frozen=True, slots=True)
class Between:
    """Values from `least` to `most`, `step` apart: where a series stays about where it began."""

    least: str
    most: str
    step: str = "1"

    def values(self) -> list[int | float]:
        least, most, step = map(Decimal, (self.least, self.most, self.step))
        found = [least + step * number for number in range(int((most - least) / step) + 1)]
        return [int(each) if each == each.to_integral_value() else float(each) for each in found]


Way = Mapping[str, Value | Between]
_EVERYWHERE: Way = {
    "pain": Between("2", "5"),
    "device_serial": "As allocated",
    "anaesthetic": "Lidocaine 5 %, 40 min",
    "cooling": "Cold air",
    "endpoint": "Even redness",
    "reaction": "redness",
}
_WAYS: Mapping[str, tuple[Way, ...]] = {
    "consultation": ({"findings": "Mild laxity, good skin"},),
    "ipl": (
        {
            "filter": "530–750 nm", "fluence": Between("8", "13", "0.5"),
            "pulse_type": "double, 2.5 ms", "pulse": 2.5, "pulse_delay": 10, "spot": "10×48 mm",
            "passes": 1, "endpoint": "Spots slightly darker", "reaction": "spots darkened",
        },
        {
            "filter": "555–950 nm", "fluence": Between("10", "14.5", "0.5"),
            "pulse_type": "single", "pulse": 15, "spot": "10×48 mm", "passes": 1,
        },
    ),
    "laser_fractional": (
        {
            "wavelength": "1550 nm", "tip_lot": "T-114", "energy": Between("20", "40", "5"),
            "cover": Between("12", "20", "2"), "passes": 8, "mtz_width": 100,
            "anaesthetic_minutes": 45, "endpoint": "Redness and slight swelling",
        },
        {
            "wavelength": "1927 nm", "tip_lot": "T-121", "energy": Between("5", "10"),
            "cover": Between("12", "20", "2"), "passes": 8, "anaesthetic_minutes": 45,
            "reaction": "bronzing",
        },
    ),
    "laser_nonablative": (
        {
            "wavelength": 1064, "spot": 5, "fluence": Between("13", "15", "0.5"), "pulse": 0.3,
            "passes": Between("3", "4"), "skin_temperature": Between("40", "42", "0.5"),
            "pulses": Between("2000", "6000", "200"),
        },
        {
            "wavelength": 1320, "spot": 10, "fluence": Between("13", "18", "0.5"), "pulse": 50,
            "cooling_time": 30, "passes": Between("2", "3"),
            "skin_temperature": Between("41", "44", "0.5"), "pulses": Between("150", "320", "10"),
        },
    ),
    "rf_microneedling": (
        {
            "cartridge_lot": "C-108", "pins": 25, "insulated": True,
            "depth": Between("1", "2", "0.5"), "energy": Between("14", "20"), "passes": 2,
            "pulses": Between("220", "340", "10"), "endpoint": "Pinpoint bleeding",
        },
        {
            "cartridge_lot": "C-117", "pins": 24, "insulated": False,
            "depth": Between("0.8", "1.6", "0.2"), "energy": Between("10", "16"), "passes": 2,
            "pulses": Between("220", "340", "10"),
        },
    ),
    "rf_monopolar": (
        {
            "frequency": 6.78, "tip": "4 cm²", "tip_lot": "T-103",
            "level": Between("2.5", "4.5", "0.5"), "pulses": Between("550", "900", "10"),
            "return_pad": "Lower back", "heat_feedback": "Warm to hot, well borne",
            "pain": Between("4", "6"),
        },
    ),
    "rf_series": (
        {
            "power": Between("60", "90", "5"), "skin_temperature": Between("40.5", "42.5", "0.5"),
            "minutes_at_target": Between("6", "10"), "passes": 3, "gel": "Ultrasound gel",
            "pain": Between("1", "3"),
        },
    ),
    "ultrasound": (
        {
            "transducer_serial": "TR-106", "energy": Between("0.9", "1.2", "0.05"),
            "lines_deep": Between("20", "40", "5"), "lines_middle": Between("20", "40", "5"),
            "coupling_seen": True, "analgesia": "Ibuprofen 600 mg, 1 h before",
            "pain": Between("4", "7"),
        },
    ),
}  # fmt: skip


def way_of(protocol: str, series: int) -> Way:
    """What a series is treated with."""
    ways = _WAYS.get(protocol, ({},))
    return {**_EVERYWHERE, **ways[series % len(ways)]}
