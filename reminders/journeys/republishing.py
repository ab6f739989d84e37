"""What another version of a protocol would change for those who are under way. Changes nothing.

A series stays with the version that it was booked by until somebody migrates it; this says what
would come of it if all were.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from appointments.lifecycle import TO_COME
from appointments.models import TreatmentSeries
from clinic.models import ProtocolVersion
from clinic.protocols import loading
from clinic.protocols.schema import Protocol
from reminders.journeys import comparing_plans
from reminders.journeys.comparing_plans import MOST_PATIENTS, Effect
from reminders.planning.facts import PatientFacts, SeriesFacts


def effect(*, version: ProtocolVersion, now: datetime, most: int = MOST_PATIENTS) -> Effect:
    """What migrating every open series of the protocol to `version` would change from `now` on."""
    under_way = TreatmentSeries.objects.filter(
        protocol_version__protocol=version.protocol, closed_at=None
    ).exclude(protocol_version=version)
    ids = list(under_way.order_by("patient").values_list("patient", flat=True).distinct())
    series = set(under_way.filter(patient__in=ids[:most]).values_list("pk", flat=True))
    protocol = loading.get(version)

    def migrated(known: Mapping[int, PatientFacts]) -> dict[int, PatientFacts]:
        return {pk: _migrated(facts, series, protocol) for pk, facts in known.items()}

    return comparing_plans.effect(ids, migrated, now=now, most=most)


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
