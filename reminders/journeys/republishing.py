"""What another version of a protocol would change for those who are under way. Changes nothing.

A series stays with the version that it was booked by until somebody migrates it; this says what
would come of it if all were.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from appointments.lifecycle import TO_COME
from appointments.models import TreatmentSeries
from clinic.models import ProtocolVersion
from clinic.protocols import loading
from clinic.protocols.schema import Protocol
from reminders.journeys.gathering import facts_of
from reminders.planning.facts import PatientFacts, SeriesFacts
from reminders.planning.plans import plan

_BATCH = 25
# So many patients are planned twice within a page's patience.
MOST_PATIENTS = 200


@dataclass(frozen=True, slots=True)
class Effect:
    """Of the `patients` whose open series go by another version, `looked_at` were planned both
    ways; of these `touched` would get other messages: so many more, other and fewer."""

    patients: int
    looked_at: int
    touched: int
    added: int
    changed: int
    gone: int

    @property
    def messages(self) -> int:
        return self.added + self.changed + self.gone


def effect(*, version: ProtocolVersion, now: datetime, most: int = MOST_PATIENTS) -> Effect:
    """What migrating every open series of the protocol to `version` would change from `now` on."""
    under_way = TreatmentSeries.objects.filter(
        protocol_version__protocol=version.protocol, closed_at=None
    ).exclude(protocol_version=version)
    ids = list(under_way.order_by("patient").values_list("patient", flat=True).distinct())
    looked_at, protocol = ids[:most], loading.get(version)
    series = set(under_way.filter(patient__in=looked_at).values_list("pk", flat=True))
    touched = added = changed = gone = 0
    for start in range(0, len(looked_at), _BATCH):
        for facts in facts_of(looked_at[start : start + _BATCH]).values():
            before = _to_come(facts, now)
            after = _to_come(_migrated(facts, series, protocol), now)
            new, old = after.keys() - before.keys(), before.keys() - after.keys()
            other = {key for key in before.keys() & after.keys() if before[key] != after[key]}
            touched += bool(new or old or other)
            added, changed, gone = added + len(new), changed + len(other), gone + len(old)
    return Effect(len(ids), len(looked_at), touched, added, changed, gone)


def _to_come(facts: PatientFacts, now: datetime) -> dict[str, tuple[object, ...]]:
    """What patients would notice of the messages that the plan holds from `now` on, by key."""
    return {
        each.key: (each.due_at, each.expires_at, each.steps, each.skip)
        for each in plan(facts).messages
        if each.due_at >= now
    }


def _migrated(facts: PatientFacts, ids: Collection[int], protocol: Protocol) -> PatientFacts:
    """The patient with the visits to come of these series by another version."""
    series = tuple(_other(each, protocol) if each.id in ids else each for each in facts.series)
    return replace(facts, series=series)


def _other(series: SeriesFacts, protocol: Protocol) -> SeriesFacts:
    visits = tuple(
        replace(each, protocol=protocol if each.state in TO_COME else series.protocol_of(each))
        for each in series.visits
    )
    return replace(series, protocol=protocol, visits=visits)
