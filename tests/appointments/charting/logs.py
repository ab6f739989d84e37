"""Logs of RF microneedling, whole and hostile."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from appointments.charting.log import Log, log_of
from clinic.protocols.schema import LogField, LogPer, LogType, Protocol, Region, Text

SESSION = {
    "device_serial": "Needle 1, RM-1",
    "cartridge_lot": "LOT-7",
    "pins": 24,
    "insulated": True,
    "anaesthetic": "Lidocaine 5 %, 45 min",
    "pain": 4,
    "reaction": "redness",
    "outcome": "completed",
}
ZONE = {"depth": 1.5, "energy": 20, "passes": 2, "pulses": 300, "endpoint": "Pinpoint bleeding"}


REGIONS = {"cheeks": {"shots": 40}, "forehead": {"shots": 25}, "neck": {"shots": 12}}


def with_a_map(microneedling: Protocol) -> Protocol:
    """Another version, which counts the pulses of each region of face and neck."""
    known = microneedling.applicability.areas
    parts = {"face": (Region.FOREHEAD, Region.BROW, Region.CHEEKS), "neck": (Region.NECK,)}
    areas = {area: replace(each, regions=parts.get(area, ())) for area, each in known.items()}
    shots = LogField(
        id="shots",
        label=Text("Pulses there", "Disparos ahí"),
        type=LogType.INTEGER,
        per=LogPer.REGION,
        required=False,
        unit="pulses",
        minimum=1,
        maximum=300,
        copyable=True,
    )
    return replace(
        microneedling,
        version="5.0.0",
        applicability=replace(microneedling.applicability, areas=areas),
        session_log=(*microneedling.session_log, shots),
    )


def a_log(
    *, zones: tuple[str, ...] = ("face",), without: tuple[str, ...] = (), **changes: Any
) -> Log:
    """Everything that the protocol asks for, without some fields and with changes: those of a
    zone's field go to every zone."""
    session = {**SESSION, **{k: v for k, v in changes.items() if k not in (*ZONE, "note", "more")}}
    zone = {**ZONE, **{k: v for k, v in changes.items() if k in ZONE}}
    document = {
        "session": {name: each for name, each in session.items() if name not in without},
        "zones": {
            area: {name: each for name, each in zone.items() if name not in without}
            for area in zones
        },
        "note": changes.get("note", ""),
        **changes.get("more", {}),
    }
    return log_of(document)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, "\x00", "\ud800", "14,5", "2027-02-30", "completed", "aborted"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def documents(protocol: Protocol, areas: list[str]) -> st.SearchStrategy[Any]:
    """Documents that look like a log here and there, and like anything else elsewhere."""
    names = st.sampled_from([field.id for field in protocol.session_log]) | st.text(max_size=5)
    values = st.dictionaries(names, JSON, max_size=8)
    return JSON | st.fixed_dictionaries(
        {},
        optional={
            "session": values,
            "zones": st.dictionaries(st.sampled_from([*areas, "moon", "a.b"]), values, max_size=3)
            | JSON,
            "regions": st.dictionaries(
                st.sampled_from(["cheeks", "neck", "thighs", "moon"]), values, max_size=3
            )
            | JSON,
            "reasons": st.dictionaries(st.text(max_size=9), JSON, max_size=2),
            "products": st.lists(JSON, max_size=2),
            "cartridge": st.dictionaries(
                st.sampled_from(["code", "lot", "expires_on", "life"]), JSON, max_size=4
            ),
            "note": JSON,
        },
    )
