"""Answers and decisions of patients as values, in a number of queries that does not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from clinic import statements
from clinic.reading_once import once
from patients.models import ScreeningAnswer
from patients.screening.answers import Answer, Value
from patients.screening.assessing import Decision


def has_answered(patient_id: int) -> bool:
    """Whether the patient was ever asked."""
    asked = "SELECT EXISTS (SELECT FROM patients_screeninganswer WHERE patient_id = %s)"
    [(answered,)] = statements.rows(asked, [patient_id])
    return bool(answered)


def answers_of(patient_ids: Collection[int]) -> dict[int, tuple[Answer, ...]]:
    """Every answer of these patients, by patient, in order of saying."""
    wanted = frozenset(patient_ids)

    def read() -> dict[int, tuple[Answer, ...]]:
        found: dict[int, list[Answer]] = defaultdict(list)
        asked = "patient_id = ANY (%s::bigint[]) ORDER BY said_at, id"
        for row in statements.where(ScreeningAnswer, asked, [statements.array(wanted)]):
            found[row.patient_id].append(answer_of(row))
        return {patient: tuple(found[patient]) for patient in wanted}

    return once(("answers", wanted), read)


def decisions_of(patient_ids: Collection[int]) -> dict[int, tuple[Decision, ...]]:
    """Every decision on answers of these patients, by patient."""
    found: dict[int, list[Decision]] = defaultdict(list)
    for patient, pk, protocol, rule, answers, *said in statements.rows(
        """
        SELECT patient_id, decision.id, version.protocol, rule, answers, skin_type, proceeds,
               reason, staff.name, decided_on
        FROM patients_screeningdecision decision
        JOIN clinic_protocolversion version ON version.id = protocol_version_id
        JOIN clinic_staff staff ON staff.id = by_id
        WHERE patient_id = ANY (%s::bigint[]) ORDER BY decision.id
        """,
        [statements.array(patient_ids)],
    ):
        found[patient].append(Decision(pk, protocol, rule, frozenset(answers), *said))
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
        together=row.together,
    )
