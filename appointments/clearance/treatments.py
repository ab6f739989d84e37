"""Who is to be treated by which version where: what sources of bars are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from appointments.clearance.bars import Bar
from appointments.models import Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, Site
from clinic.protocols import loading
from clinic.protocols.schema import Protocol
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment that is wished for, booked or about to start. `series` and `visit` are its
    rows once it has some."""

    patient: Patient
    site: Site
    version: ProtocolVersion
    areas: Sequence[str]
    series: TreatmentSeries | None = None
    visit: Appointment | None = None

    @property
    def protocol(self) -> Protocol:
        return loading.get(self.version)


def as_lacking(bar: Bar, site: Site) -> Bar:
    """`bar` as it counts at `site` when something is merely lacking: from its `clearance_from` on
    it stands, before it is only shown."""
    begins = site.clearance_from
    if begins is None:
        return replace(bar, acts=frozenset())
    return replace(bar, since=max(begins, bar.since or begins))


def treatment_of(visit: Appointment) -> Treatment:
    """The treatment of a visit, with its site, version, series and patient loaded."""
    series = visit.series
    return Treatment(
        patient=series.patient,
        site=visit.site,
        version=visit.protocol_version,
        areas=series.areas,
        series=series,
        visit=visit,
    )
