"""What another version of a protocol would change for those who are under way. Changes nothing.

A series stays with the version that it was booked by until somebody migrates it; this says what
would come of it if all were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from appointments.models import TreatmentSeries
from appointments.models.series import SeriesState
from clinic.models import ProtocolVersion
from clinic.protocols import loading
from reminders.journeys import comparing_plans
from reminders.journeys.comparing_plans import MOST_PATIENTS, Effect
from reminders.journeys.gathering import facts_of


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The open series that go by other versions (number, how many series, the most first), how many
    of them cannot go over as they treat an area that the version does not, and what would come of
    it if all others did, their visits at the same starts."""

    by_version: tuple[tuple[str, int], ...]
    left_out: int
    effect: Effect

    @property
    def series(self) -> int:
        return sum(many for _, many in self.by_version)

    @property
    def going_over(self) -> int:
        return self.series - self.left_out


def under_way(*, version: ProtocolVersion, now: datetime, most: int = MOST_PATIENTS) -> UnderWay:
    """What migrating every open series of the protocol to `version` would change from `now` on."""
    rows = list(
        TreatmentSeries.objects.filter(
            protocol_version__protocol=version.protocol, state=SeriesState.OPEN
        )
        .exclude(protocol_version=version)
        .order_by("patient", "pk")
        .values_list("pk", "patient", "areas", "protocol_version__version")
    )
    known = loading.get(version).applicability.areas.keys()
    going = [(pk, patient) for pk, patient, areas, _ in rows if known >= set(areas)]
    going_over = {pk: version for pk, _ in going}
    patients = list(dict.fromkeys(patient for _, patient in going))
    effect = comparing_plans.effect(
        patients, lambda some: facts_of(some.keys(), going_over=going_over), now=now, most=most
    )
    counted = Counter(number for *_, number in rows)
    return UnderWay(tuple(counted.most_common()), len(rows) - len(going), effect)
