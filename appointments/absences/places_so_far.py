"""Where the visits of some series are, and where they would be by what was proposed so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from appointments.absences import relocation
from appointments.finding.needs import PATIENT, Need, need_of
from appointments.finding.plans import Stay
from appointments.finding.ticks import TICK
from appointments.lifecycle import State
from appointments.models import Allocation, Appointment
from appointments.proposing.places import VisitWish
from clinic.protocols import loading as protocols
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit and the place it would have, with the sentences why."""

    visit: Appointment
    stay: Stay
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Known:
    """The standing visits of some series and where they are: now (`_former`) and as proposed so
    far. `taken` is what the proposals hold, in ticks by resource."""

    series: dict[int, list[Appointment]]
    _former: dict[int, Stay]
    _proposed: dict[int, Stay] = field(default_factory=dict)
    taken: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, visits: Iterable[Appointment]) -> Known:
        """In two queries."""
        rows = (
            Appointment.objects.filter(series__in={visit.series_id for visit in visits})
            .exclude(state__in=(State.CANCELLED, State.NO_SHOW))
            .select_related("site", "protocol_version", "series__patient", "series__site")
            .order_by("series", "session")
        )
        series: dict[int, list[Appointment]] = defaultdict(list)
        for row in rows:
            series[row.series_id].append(row)
        held = Allocation.objects.filter(active=True, appointment__in=[row.pk for row in rows])
        resources: dict[int, dict[str, int]] = defaultdict(dict)
        for visit, kind, resource in held.exclude(resource__kind=PATIENT).values_list(
            "appointment_id", "resource__kind", "resource_id"
        ):
            resources[visit][kind] = resource
        return cls(
            series, {row.pk: Stay(_day(row), row.starts_at, resources[row.pk]) for row in rows}
        )

    def former(self, visit: Appointment) -> Stay:
        return self._former[visit.pk]

    def stay(self, visit: Appointment) -> Stay:
        """Where a visit is, as proposed so far."""
        return self._proposed.get(visit.pk, self._former[visit.pk])

    def moved_of(self, patient: int) -> list[int]:
        """The visits of a patient that are proposed to move already: they move together."""
        rows = (row for visits in self.series.values() for row in visits)
        return [
            row.pk for row in rows if row.pk in self._proposed and row.series.patient_id == patient
        ]

    def keep(self, placed: Sequence[Placed]) -> None:
        """Let what was proposed stand for those that are proposed after it."""
        for each in placed:
            self._proposed[each.visit.pk] = each.stay
            need = _need(each.visit)
            patient = each.visit.series.patient.resource_id
            for resource, period in relocation.occupied(need, each.stay, patient):
                self.taken[resource].append(period)


def stay_at(visit: Appointment, wish: VisitWish) -> Stay:
    day = local(wish.starts_at, visit.site.zone).date()
    return Stay(day, wish.starts_at, wish.resources)


def ends_at(visit: Appointment, stay: Stay) -> datetime:
    """When the visit would end at that place: it keeps its length."""
    return stay.starts_at + visit.body * TICK


def _need(visit: Appointment) -> Need:
    return need_of(protocols.get(visit.protocol_version), visit.series.areas, visit.body)


def _day(visit: Appointment) -> date:
    return local(visit.starts_at, visit.site.zone).date()
