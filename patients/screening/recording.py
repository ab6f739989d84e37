"""Writing down what a patient answered, their skin type, and what was decided.

Rows are added and audited, and the patient's messages are planned anew. Refuses to know visits:
what follows from an answer is the caller's (`appointments.clearance`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from clinic import audit
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols import loading
from clinic.protocols.schema import Reach
from clinic.saying import gettext
from patients.models import Patient, ScreeningAnswer, ScreeningDecision, SkinType
from patients.screening import gathering
from patients.screening.answers import FITTING, Said, Value, current
from patients.screening.questions import Question, questions_of

REASON_LENGTH = 200
# Nothing that is asked about lies further away.
_PAST, _AHEAD = timedelta(days=366 * 60), timedelta(days=366)


class AnswerRefused(ValueError):
    """An answer that cannot be; `field` is the id of its question."""

    code = "answer_refused"

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


def check(
    version: ProtocolVersion, said: Mapping[str, Said], *, today: date
) -> list[tuple[Question, Said]]:
    """The answers with their questions, in the protocol's order.

    Raises AnswerRefused for a question that is not asked, or an answer that does not fit it.
    """
    questions = {question.id: question for question in questions_of(loading.get(version))}
    unknown = set(said) - set(questions)
    if unknown:
        raise AnswerRefused(sorted(unknown)[0], gettext("This question is not in the protocol."))
    found = [(asked, said[asked.id]) for asked in questions.values() if asked.id in said]
    for question, answer in found:
        _fits(question, answer, today)
    return found


def _fits(question: Question, said: Said, today: date) -> None:
    if said.value not in FITTING[question.trigger]:
        fitting = ", ".join(FITTING[question.trigger])
        raise AnswerRefused(
            question.id,
            gettext("Answer this question with one of: %(fitting)s.") % {"fitting": fitting},
        )
    if (said.day is not None) != (said.value is Value.DATE):
        raise AnswerRefused(question.id, gettext("Give the day, such as 2027-03-12, or “never”."))
    if said.day is None:
        if said.begins is not None:
            raise AnswerRefused(question.id, gettext("A first day needs a last day."))
        return
    if not question.is_planned and said.day > today:
        raise AnswerRefused(
            question.id, gettext("This asks for the last time: give a day that is past.")
        )
    if question.is_planned and said.day < today:
        raise AnswerRefused(
            question.id, gettext("This asks for what is planned: give a day to come.")
        )
    if not today - _PAST <= said.day <= today + _AHEAD:
        raise AnswerRefused(
            question.id, gettext("Give a day within the last 60 years or the next one.")
        )
    if said.begins is not None and (not question.is_planned or said.begins > said.day):
        raise AnswerRefused(question.id, gettext("The first day comes before the last."))


def add_answers(
    *,
    patient: Patient,
    version: ProtocolVersion,
    areas: Sequence[str],
    answers: Iterable[tuple[Question, Said]],
    moment: str,
    site: Site,
    today: date,
    by: Staff | None,
    now: datetime,
) -> list[ScreeningAnswer]:
    """Store the checked `answers`, of each of the `areas` where a question is about an area.

    The same form sent twice is stored once. Call it in a transaction; it locks the patient.
    """
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=patient.pk)
    known = gathering.answers_of([patient.pk])[patient.pk]
    rows = []
    for question, said in answers:
        places = areas if question.scope is Reach.AREA else ("",)
        told = current(question, places, known)
        for place in places:
            before = told[place]
            if (
                before is not None
                and (before.said_on, before.wording) == (today, question.wording)
                and (before.value, before.day, before.begins) == (said.value, said.day, said.begins)
            ):
                continue
            rows.append(
                ScreeningAnswer(
                    patient=patient,
                    protocol_version=version,
                    question=question.id,
                    wording=question.wording,
                    area=place,
                    value=said.value,
                    day=said.day,
                    begins=said.begins,
                    moment=moment,
                    said_at=now,
                    said_on=today,
                    by=by,
                    together=said.together,
                )
            )
    added = ScreeningAnswer.objects.bulk_create(rows)
    if added:
        audit.record(
            action="screening.answer",
            subject=patient,
            by=by,
            now=now,
            site=site,
            patient_id=patient.pk,
            after={"protocol": str(version), "moment": moment, "answers": _said(added)},
        )
        Patient.objects.filter(pk=patient.pk).raise_revision()
    return added


def _said(rows: Iterable[ScreeningAnswer]) -> list[dict[str, str]]:
    return [
        {
            "question": row.question,
            "area": row.area,
            "value": row.value,
            **({"day": row.day.isoformat()} if row.day else {}),
            **({"together": "yes"} if row.together else {}),
        }
        for row in rows
    ]


def set_skin_type(
    *, patient: Patient, skin_type: str, site: Site, by: Staff, now: datetime
) -> None:
    """Write down the Fitzpatrick type that `by` sees. The caller has asked whether they may."""
    before = patient.skin_type
    if before == skin_type:
        return
    patient.skin_type = SkinType(skin_type)
    patient.skin_type_at, patient.skin_type_by = now, by
    patient.save(update_fields=["skin_type", "skin_type_at", "skin_type_by"])
    audit.record(
        action="patient.skin_type",
        subject=patient,
        by=by,
        now=now,
        site=site,
        patient_id=patient.pk,
        before={"skin_type": before},
        after={"skin_type": skin_type},
    )
    Patient.objects.filter(pk=patient.pk).raise_revision()


def add_decision(
    *,
    patient: Patient,
    version: ProtocolVersion,
    rule: str,
    answers: Iterable[int],
    skin_type: str,
    proceeds: bool,
    reason: str,
    site: Site,
    today: date,
    by: Staff,
    now: datetime,
) -> ScreeningDecision:
    """Store whether to treat in spite of these answers. The caller has asked whether `by` may and
    whether the rule may be decided."""
    decision = ScreeningDecision.objects.create(
        patient=patient,
        protocol_version=version,
        rule=rule,
        answers=sorted(answers),
        skin_type=skin_type,
        proceeds=proceeds,
        reason=reason,
        by=by,
        decided_at=now,
        decided_on=today,
    )
    audit.record(
        action="screening.decide",
        subject=decision,
        by=by,
        now=now,
        site=site,
        patient_id=patient.pk,
        after={"rule": rule, "answers": decision.answers, "proceeds": proceeds},
        reason=reason,
    )
    Patient.objects.filter(pk=patient.pk).raise_revision()
    return decision
