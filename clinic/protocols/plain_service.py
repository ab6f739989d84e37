"""A plain service (toxin, facial, call) as a protocol: one visit, no series and no steps. Pure."""

from __future__ import annotations

from clinic.durations import Duration, from_minutes
from clinic.protocols.schema import (
    Applicability,
    Area,
    Fitzpatrick,
    Kind,
    Protocol,
    Resources,
    Review,
    Series,
    Sessions,
    SetUp,
    SkinType,
    Text,
)

FIRST_VERSION = "1.0.0"
DISCLAIMER = Text(
    en="A plain service set up by the clinic. It carries no care advice.",
    es="Un servicio sencillo definido por la clínica. No contiene consejos de cuidado.",
)


def service(
    *,
    id: str,
    name: Text,
    modality: str,
    code: str,
    minutes: int,
    room_kind: str,
    needs_device: bool = False,
    set_up_minutes: int = 0,
    clean_up_minutes: int = 0,
    min_age: int = 18,
) -> Protocol:
    """The first version of a service whose visits take `minutes`, in its one area "visit".

    The result is not yet checked: see `reading.check`.
    """
    held = SetUp(from_minutes(set_up_minutes), from_minutes(clean_up_minutes))
    return Protocol(
        id=id,
        version=FIRST_VERSION,
        modality=modality,
        code=code,
        name=name,
        kind=Kind.SERVICE,
        disclaimer=DISCLAIMER,
        review=Review(owner_role="clinical_lead", next_review=Duration(months=12)),
        resources=Resources(
            room_kind=room_kind, provider=held, room=held, device=held if needs_device else None
        ),
        applicability=Applicability(
            areas={"visit": Area(name=Text("Visit", "Visita"), chair=from_minutes(minutes))},
            fitzpatrick=Fitzpatrick(allow=tuple(SkinType)),
            min_age=min_age,
        ),
        series=Series(sessions=Sessions(1, 1, 1)),
    )
