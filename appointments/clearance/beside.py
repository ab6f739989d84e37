"""Which other treatments a patient has under way in the same place. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from appointments.models import TreatmentSeries
from appointments.models.series import SeriesState
from clinic import statements
from clinic.models import ProtocolVersion, Site
from clinic.protocols import loading
from clinic.protocols.areas import overlap
from clinic.protocols.schema import Kind, Protocol


def open_series(patient_ids: Collection[int]) -> dict[int, list[TreatmentSeries]]:
    """The series under way of each patient, in three statements at most; plain services are no
    treatment."""
    found: dict[int, list[TreatmentSeries]] = defaultdict(list)
    asked = "state = 'open' AND patient_id = ANY (%s::bigint[]) ORDER BY booked_at DESC, id DESC"
    rows = statements.where(TreatmentSeries, asked, [statements.array(patient_ids)])
    if not rows:
        return found
    sites = statements.by_id(Site, {row.site_id for row in rows})
    # Protocols are kept by their digests: the long document is read once in a process.
    ids = {row.protocol_version_id for row in rows}
    versions = statements.by_id(ProtocolVersion, ids, without=["document"])
    for row in rows:
        row.site, row.protocol_version = sites[row.site_id], versions[row.protocol_version_id]
        if _is_treatment(row):
            found[row.patient_id].append(row)
    return found


def open_among(series: Iterable[TreatmentSeries]) -> list[TreatmentSeries]:
    """The same of series that were read before, with their protocol versions."""
    return [row for row in series if row.state == SeriesState.OPEN and _is_treatment(row)]


def _is_treatment(series: TreatmentSeries) -> bool:
    return loading.get(series.protocol_version).kind is Kind.SERIES


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
