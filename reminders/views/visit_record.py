"""The treatment log of a visit, as the panel of the visit's page shows it."""

from __future__ import annotations

from typing import Any

from appointments.lifecycle import UNDER_WAY, State
from appointments.models import AdverseEvent, Appointment, TreatmentRecord
from appointments.models.record import NOT_WHOLE
from clinic.protocols import loading as protocols


def context(shown: Appointment) -> dict[str, Any]:
    record = (
        TreatmentRecord.objects.filter(appointment=shown)
        .select_related("drafted_by", "signed_by")
        .first()
    )
    has_log = bool(protocols.get(shown.protocol_version).session_log)
    is_open = shown.state in (*UNDER_WAY, State.DONE)
    return {
        "record": record,
        "has_log": is_open and (has_log or record is not None),
        "is_cut_short": record is not None and record.outcome in NOT_WHOLE,
        "events": AdverseEvent.objects.filter(appointment=shown).order_by("pk"),
        "may_have_gone_wrong": is_open,
    }
