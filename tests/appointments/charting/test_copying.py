"""Taking over last time's settings: corrected, zone by zone, and never what is seen today."""

from typing import Any

from hypothesis import given, settings

from appointments.charting import copying, fields
from appointments.charting.copying import SAFETY_FIELDS, Signed
from appointments.charting.log import Log, log_of
from clinic.protocols.schema import Protocol
from tests.appointments.charting.logs import a_log, documents

AREAS = ["face", "neck"]


def test_settings_come_with_their_was_and_safety_fields_never(microneedling: Protocol) -> None:
    was = copying.was(microneedling, AREAS, [Signed(a_log())])
    assert was == {
        "session.device_serial": "Needle 1, RM-1",
        "session.pins": 24,
        "session.insulated": True,
        "zones.face.depth": 1.5,
        "zones.face.energy": 20,
        "zones.face.passes": 2,
    }
    copied = copying.copied(microneedling, a_log(depth=2.0, pain=9), was, AREAS)
    assert copied.zones["face"]["depth"] == 1.5
    assert copied.session["pain"] == 9
    assert "neck" not in copied.zones
    empty = copying.copied(microneedling, Log(), was, AREAS)
    assert set(empty.zones) == set(AREAS) and empty.zones["neck"] == {}


def test_the_corrected_value_is_taken_and_a_zone_from_when_it_was_treated(
    microneedling: Protocol,
) -> None:
    first = Signed(a_log(zones=("face", "neck"), depth=1.0))
    second = Signed(
        a_log(depth=2.5), ({"zones.face.depth": 1.8}, {"zones.moon.depth": 9, "session.pins": None})
    )
    was = copying.was(microneedling, AREAS, [second, first])
    assert was["zones.face.depth"] == 1.8
    assert was["zones.neck.depth"] == 1.0
    assert was["session.pins"] == 24
    assert second.log.zones["face"]["depth"] == 2.5


def test_a_value_that_the_present_version_does_not_know_is_left(microneedling: Protocol) -> None:
    odd = Signed(a_log(insulated="perhaps", depth=9.5))
    was = copying.was(microneedling, ["face"], [odd])
    assert "session.insulated" not in was
    assert was["zones.face.depth"] == 9.5


def test_whatever_was_signed_no_safety_field_is_ever_touched(microneedling: Protocol) -> None:
    @settings(max_examples=50)
    @given(last=documents(microneedling, AREAS), now=documents(microneedling, AREAS))
    def holds(last: Any, now: Any) -> None:
        before = fields.as_typed(microneedling, log_of(now))
        earlier = Signed(fields.as_typed(microneedling, log_of(last)))
        was = copying.was(microneedling, AREAS, [earlier])
        after = copying.copied(microneedling, before, was, AREAS)
        assert not {path.split(".")[-1] for path in was} & SAFETY_FIELDS

        def safe(log: Log) -> dict[str, Any]:
            return {path: v for path, v in log.values() if path.split(".")[-1] in SAFETY_FIELDS}

        assert safe(after) == safe(before)
        assert (after.note, after.products, after.cartridge) == (
            before.note,
            before.products,
            before.cartridge,
        )

    holds()
