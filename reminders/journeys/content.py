"""Who had cause to be discontent: adverse events, low scores, symptoms that they wrote of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from appointments.models import AdverseEvent, OutcomeScore, ScoreKind
from appointments.models.adverse_event import EventOutcome
from reminders.models import Conversation

# Satisfied is 4 or 5; of the grades of improvement 4 is no change and 5 is worse.
_LOW = Q(kind=ScoreKind.SATISFACTION, value__lte=3) | Q(kind=ScoreKind.GAIS, value__gte=4)


@dataclass(frozen=True, slots=True)
class Content:
    """Of some patients: who ever had an adverse event, and when they were discontent (UTC)."""

    had_event: Collection[int]
    discontent_at: Mapping[int, Sequence[datetime]]


NOT_ASKED = Content(frozenset(), defaultdict(list))


def of(patient_ids: Collection[int]) -> Content:
    """A constant number of queries."""
    events = AdverseEvent.objects.filter(patient__in=patient_ids)
    related = events.exclude(outcome=EventOutcome.UNRELATED)
    discontent_at = defaultdict(list)
    scores = OutcomeScore.objects.filter(_LOW, series__patient__in=patient_ids)
    for patient, at in scores.values_list("series__patient_id", "at"):
        discontent_at[patient].append(at)
    symptoms = Conversation.objects.filter(patient__in=patient_ids, has_symptom=True)
    for patient, at in symptoms.values_list("patient_id", "last_at"):
        discontent_at[patient].append(at)
    return Content(frozenset(related.values_list("patient_id", flat=True)), discontent_at)
