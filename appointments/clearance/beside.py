"""Which other treatments a patient has under way in the same place. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from appointments.models import TreatmentSeries
from appointments.models.series import SeriesState
from clinic.protocols import loading
from clinic.protocols.areas import overlap
from clinic.protocols.schema import Kind, Protocol


def open_series(patient_ids: Collection[int]) -> dict[int, list[TreatmentSeries]]:
    """The series under way of each patient, in one query; plain services are no treatment."""
    found = defaultdict(list)
    rows = TreatmentSeries.objects.filter(patient__in=patient_ids, state=SeriesState.OPEN)
    for row in rows.select_related("site", "protocol_version").defer("protocol_version__document"):
        if loading.get(row.protocol_version).kind is Kind.SERIES:
            found[row.patient_id].append(row)
    return found


def protocols_beside(
    protocol: Protocol, areas: Sequence[str], series: Sequence[TreatmentSeries]
) -> tuple[Protocol, ...]:
    """The protocols, each once, of those of the patient's `series` that touch `areas` and go by
    another one."""
    others = {
        other.id: other
        for row in series
        if overlap(areas, row.areas)
        if (other := loading.get(row.protocol_version)).id != protocol.id
    }
    return tuple(others[each] for each in sorted(others))
