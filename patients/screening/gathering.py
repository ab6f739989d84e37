"""Answers and decisions of patients as values, in a number of queries that does not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from patients.models import ScreeningAnswer, ScreeningDecision
from patients.screening.answers import Answer, Value
from patients.screening.assessing import Decision


def answers_of(patient_ids: Collection[int]) -> dict[int, tuple[Answer, ...]]:
    """Every answer of these patients, by patient, in order of saying."""
    found: dict[int, list[Answer]] = defaultdict(list)
    rows = ScreeningAnswer.objects.filter(patient__in=patient_ids).order_by("said_at", "id")
    for row in rows:
        found[row.patient_id].append(answer_of(row))
    return {patient: tuple(found[patient]) for patient in patient_ids}


def decisions_of(patient_ids: Collection[int]) -> dict[int, tuple[Decision, ...]]:
    """Every decision on answers of these patients, by patient."""
    found: dict[int, list[Decision]] = defaultdict(list)
    rows = ScreeningDecision.objects.filter(patient__in=patient_ids)
    for row in rows.select_related("by", "protocol_version").order_by("id"):
        found[row.patient_id].append(
            Decision(
                id=row.pk,
                protocol=row.protocol_version.protocol,
                rule=row.rule,
                answers=frozenset(row.answers),
                skin_type=row.skin_type,
                proceeds=row.proceeds,
                reason=row.reason,
                by=row.by.name,
                on=row.decided_on,
            )
        )
    return {patient: tuple(found[patient]) for patient in patient_ids}


def answer_of(row: ScreeningAnswer) -> Answer:
    return Answer(
        id=row.pk,
        question=row.question,
        wording=row.wording,
        area=row.area,
        value=Value(row.value),
        said_at=row.said_at,
        said_on=row.said_on,
        day=row.day,
        begins=row.begins,
    )
