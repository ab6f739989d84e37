"""What a log still lacks: every type, range, zone and reason, and an answer to anything."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from appointments.charting import checking, fields
from appointments.charting.checking import Finding, Wear
from appointments.charting.log import Log, canonical, document_of, log_of
from clinic.protocols import loading, reading
from clinic.protocols.schema import LogType, Protocol
from tests.appointments.charting.logs import a_log, documents

DAY = date(2027, 3, 4)
AREAS = ["face", "neck"]


def found(protocol: Protocol, log: Log, areas: list[str] = ["face"], **more: Any) -> list[Finding]:  # noqa: B006
    log = fields.as_typed(protocol, log)
    return list(checking.findings(protocol, log, areas=areas, day=DAY, **more))


def codes(*args: Any, **more: Any) -> dict[str, str]:
    return {each.path: each.code for each in found(*args, **more)}


def test_a_whole_log_may_be_signed(microneedling: Protocol) -> None:
    assert found(microneedling, a_log()) == []
    typed = fields.as_typed(microneedling, a_log(depth="1,5", pins="24", insulated="yes"))
    assert typed.zones["face"]["depth"] == 1.5
    assert (typed.session["pins"], typed.session["insulated"]) == (24, True)


def test_a_value_out_of_range_is_told_with_its_area(microneedling: Protocol) -> None:
    (finding,) = found(microneedling, a_log(depth=9))
    assert "(Face): 9 is outside 0.5–8" in finding.sentence


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"without": ("pain",)}, "session.pain", "required"),
        ({"without": ("depth",)}, "zones.face.depth", "required"),
        ({"pain": "much"}, "session.pain", "type"),
        ({"pain": 4.5}, "session.pain", "type"),
        ({"pain": True}, "session.pain", "type"),
        ({"insulated": "perhaps"}, "session.insulated", "type"),
        ({"reaction": "blue"}, "session.reaction", "choice"),
        ({"pain": 11}, "session.pain", "range"),
        ({"depth": 0.4}, "zones.face.depth", "range"),
        ({"depth": 9}, "zones.face.depth", "range"),
        ({"moonlight": 1}, "session.moonlight", "unknown"),
        ({"zones": ("face", "moon")}, "zones.moon", "unknown"),
        ({"outcome": "partial"}, "note", "why"),
        ({"more": {"products": [{"lot": "L"}]}}, "products.0.name", "required"),
        (
            {"more": {"products": [{"name": "Serum", "expires_on": "2027-03-03"}]}},
            "products.0.expires_on",
            "expired",
        ),
        ({"more": {"cartridge": {"expires_on": "soon"}}}, "cartridge.expires_on", "type"),
        ({"more": {"cartridge": {"expires_on": "2027-03-03"}}}, "cartridge.expires_on", "expired"),
        ({"more": {"cartridge": {"life": "-5"}}}, "cartridge.life", "type"),
        ({"more": {"cartridge": {"life": 299}}}, "cartridge.life", "worn"),
    ],
)
def test_each_thing_that_is_wrong_is_named(
    microneedling: Protocol, changes: dict[str, Any], path: str, code: str
) -> None:
    log = a_log(**changes)
    assert codes(microneedling, log) == {path: code}
    assert all(each.sentence.endswith(".") for each in found(microneedling, log))
    reasoned = log_of({**document_of(log), "reasons": {path: "As the device asks"}})
    yields = code in ("range", "expired", "worn")
    assert codes(microneedling, reasoned) == ({} if yields else {path: code})


@pytest.mark.parametrize(
    "changes",
    [
        {"pain": 0, "depth": 0.5},
        {"pain": 10, "depth": 8},
        {"more": {"products": [{"name": "Serum", "expires_on": "2027-03-04"}]}},
        {"more": {"cartridge": {"expires_on": "2027-03-04"}}},
    ],
)
def test_a_bound_itself_and_the_last_day_itself_are_right(
    microneedling: Protocol, changes: dict[str, Any]
) -> None:
    assert codes(microneedling, a_log(**changes)) == {}


def test_a_cartridge_is_worn_by_every_visit_that_used_it(microneedling: Protocol) -> None:
    log = a_log(more={"cartridge": {"code": "AX-1"}})
    assert codes(microneedling, log, wear=Wear(used=700, life=1000)) == {}
    assert codes(microneedling, log, wear=Wear(used=701, life=1000)) == {"cartridge.life": "worn"}
    old = Wear(expires_on=date(2027, 3, 3))
    assert codes(microneedling, log, wear=old) == {"cartridge.expires_on": "expired"}


def test_zones_that_were_not_treated_need_an_outcome_that_says_so(microneedling: Protocol) -> None:
    assert codes(microneedling, a_log(), AREAS) == {"zones.neck": "zones"}
    part = a_log(outcome="partial", note="Too painful on the neck")
    assert codes(microneedling, part, AREAS) == {}
    none = a_log(zones=(), outcome="partial", note="The device failed")
    assert codes(microneedling, none, AREAS) == {"zones": "zones"}
    # Nothing was done, so nothing of it is asked for; only why.
    aborted = log_of({"session": {"outcome": "aborted"}, "note": "Felt faint at once"})
    assert codes(microneedling, aborted, AREAS) == {}
    begun = a_log(outcome="aborted", note="Felt faint", without=("depth",))
    assert codes(microneedling, begun, AREAS) == {"zones.face.depth": "required"}


@pytest.mark.parametrize("name", sorted(path.stem for path in loading.LIBRARY.glob("*.toml")))
def test_any_document_has_an_answer(name: str) -> None:
    """Total for every protocol of the library; and what has none lacks nothing that is required."""
    file = loading.LIBRARY / f"{name}.toml"
    protocol = reading.read(file.read_text(encoding="utf-8"), filename=file.name)
    areas = list(protocol.applicability.areas)[:2]
    required = [path for path, field in fields.places(protocol, areas) if field.required]

    @settings(max_examples=25)
    @given(document=documents(protocol, areas))
    def holds(document: Any) -> None:
        log = fields.as_typed(protocol, log_of(document))
        lacks = checking.findings(protocol, log, areas=areas, day=DAY)
        assert all(each.sentence and each.code for each in lacks)
        if not lacks and fields.outcome_of(protocol, log) == "completed":
            assert {path for path, _ in log.values()} >= set(required)
        fields.used(protocol, log), fields.cartridge_of(protocol, log)

    holds()


def test_where_nothing_is_asked_something_must_be_written(microneedling: Protocol) -> None:
    service = replace(microneedling, session_log=())
    assert codes(service, Log(zones={"face": {}})) == {"note": "empty"}
    assert codes(service, Log(zones={"face": {}}, note="12 units, no reaction")) == {}


def test_a_text_keeps_its_lines_and_a_string_is_one_line(microneedling: Protocol) -> None:
    words = "Mild laxity.\r\nPlan: three sessions."
    [endpoint] = [each for each in microneedling.session_log if each.id == "endpoint"]
    log = log_of({"zones": {"face": {"endpoint": words}}})
    for kind, kept, most in (
        (LogType.TEXT, "Mild laxity.\nPlan: three sessions.", 4000),
        (LogType.STRING, "Mild laxity. Plan: three sessions.", 500),
    ):
        asked = replace(microneedling, session_log=(replace(endpoint, type=kind),))
        assert fields.as_typed(asked, log).zones["face"]["endpoint"] == kept
        long = replace(endpoint, type=kind)
        assert checking.value_finding(long, "x" * most, "p") is None
        assert checking.value_finding(long, "x" * (most + 1), "p")


def test_nothing_is_no_log() -> None:
    assert log_of(None) == log_of([]) == log_of({"session": 5}) == Log()


def test_a_log_reads_as_it_was_written(microneedling: Protocol) -> None:
    @settings(max_examples=80)
    @given(document=documents(microneedling, AREAS))
    def holds(document: Any) -> None:
        log = log_of(document)
        written = document_of(log)
        stored = json.loads(canonical(written))
        assert log_of(stored) == log and canonical(document_of(log_of(stored))) == canonical(
            written
        )
        assert "\x00" not in canonical(written)
        canonical(written).encode()

    holds()
