"""An open adverse event bars further treatment of its areas until a clinician has closed it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from appointments.clearance.bars import BOTH, Bar, Outcome
from appointments.clearance.treatments import Treatment
from appointments.models import AdverseEvent, Severity
from clinic import statements
from clinic.access import Capability
from clinic.protocols.schema import Kind
from clinic.retelling import kept, text, word
from clinic.saying import gettext, noop

_SEVERITY = {
    Severity.MILD: noop("mild"),
    Severity.MODERATE: noop("moderate"),
    Severity.SEVERE: noop("severe"),
}


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    patients = {treatment.patient.pk for treatment in treatments}
    found = defaultdict(list)
    asked = "closed_at IS NULL AND patient_id = ANY (%s::bigint[]) ORDER BY id"
    for event in statements.where(AdverseEvent, asked, [statements.array(patients)]):
        found[event.patient_id].append(event)
    return [
        [_bar(event) for event in found[treatment.patient.pk] if _is_about(event, treatment)]
        for treatment in treatments
    ]


def _is_about(event: AdverseEvent, treatment: Treatment) -> bool:
    """A call or a look at it is no treatment: plain services stay free."""
    if treatment.protocol.kind is Kind.SERVICE:
        return False
    return event.is_about(treatment.areas)


def _bar(event: AdverseEvent) -> Bar:
    return Bar(
        code="adverse_event",
        acts=BOTH,
        outcome=Outcome.BLOCK,
        stored=kept(
            "An adverse event (%(severity)s: %(what)s) is open. A clinician must close it before "
            "this area is treated again.",
            severity=word(_SEVERITY[Severity(event.severity)]),
            what=text(event.what),
        ),
        flag=gettext("adverse event open"),
        rule=gettext("Nothing further is done to an area while an adverse event of it is open."),
        about=str(event.pk),
        page="visit-events",
        decides_with=Capability.CHART,
    )
