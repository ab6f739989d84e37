"""Bars from screening: what was answered, the skin type, and what nobody has asked yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import cache

from appointments.clearance import beside
from appointments.clearance.bars import BOTH, Act, Bar, Outcome
from appointments.clearance.treatments import Treatment, as_lacking
from appointments.models import TreatmentSeries
from clinic import statements
from clinic.access import Capability
from clinic.models import Site
from clinic.protocols import schema
from clinic.protocols.schema import Protocol
from clinic.wall_time import local
from patients.models import Patient
from patients.screening import gathering, sentences
from patients.screening.assessing import Finding, Rule, Screened, assess

PAGE = "visit-screening"
_OUTCOMES = {
    schema.Outcome.REVIEW: Outcome.REVIEW,
    schema.Outcome.DEFER: Outcome.DEFER,
    schema.Outcome.BLOCK: Outcome.BLOCK,
}


def bars(treatments: Sequence[Treatment], *, now: datetime) -> list[list[Bar]]:
    lacking = cache(_lacking)  # most of a day lack the same
    return [
        [
            lacking(treatment.protocol, len(finding.lacking), finding.since, treatment.site)
            if finding.rule == Rule.LACKING
            else _bar(finding, treatment)
            for finding in assess(screened)
            if finding.outcome in _OUTCOMES and not finding.is_lifted
            if finding.until is None or finding.until > local(now, treatment.site.zone).date()
        ]
        for treatment, screened in zip(treatments, screened_of(treatments), strict=True)
    ]


def screened_of(treatments: Sequence[Treatment]) -> list[Screened]:
    """What is known for each treatment; four queries at most, one where nothing was answered."""
    return screen([(each.patient, each.protocol, each.areas) for each in treatments])


def screen(
    wanted: Sequence[tuple[Patient, Protocol, Sequence[str]]],
    under_way: Mapping[int, Sequence[TreatmentSeries]] | None = None,
) -> list[Screened]:
    """As `screened_of`, of patients who are to be treated by a protocol in areas of it;
    `under_way` are their open series, where they were read before."""
    patients = {patient.pk: patient for patient, _, _ in wanted}
    answers = gathering.answers_of(patients) if patients else {}
    told = [pk for pk, patient in patients.items() if answers[pk] or patient.skin_type]
    decisions = gathering.decisions_of(told) if told else {}
    treated = _treated_at(told) if told else {}
    if under_way is None:
        under_way = beside.open_series(told) if told else {}
    return [
        Screened(
            protocol=protocol,
            areas=tuple(areas),
            answers=answers[patient.pk],
            birth_date=patient.birth_date,
            skin_type=patient.skin_type,
            decisions=decisions.get(patient.pk, ()),
            treated_at=treated.get(patient.pk),
            beside=beside.protocols_beside(protocol, areas, under_way.get(patient.pk, ())),
        )
        for patient, protocol, areas in wanted
    ]


def _treated_at(patients: Collection[int]) -> dict[int, datetime]:
    """When the last treatment of each patient ended."""
    return dict(
        statements.rows(
            """
            SELECT series.patient_id, max(visit.done_at)
            FROM appointments_appointment visit
            JOIN appointments_treatmentseries series ON series.id = visit.series_id
            WHERE series.patient_id = ANY (%s::bigint[]) AND visit.done_at IS NOT NULL
            GROUP BY series.patient_id
            """,
            [statements.array(patients)],
        )
    )


def _bar(finding: Finding, treatment: Treatment) -> Bar:
    protocol = treatment.protocol
    outcome = _OUTCOMES[finding.outcome]
    return Bar(
        code=_code(finding, outcome),
        # What has to be looked at can be booked meanwhile. Booking asks for the age by itself.
        acts=frozenset({Act.START})
        if outcome is Outcome.REVIEW or finding.rule == Rule.AGE
        else BOTH,
        outcome=outcome,
        stored=sentences.to_keep(finding, protocol, treatment.patient.skin_type),
        flag=sentences.flag(finding),
        since=finding.since,
        until=finding.until,
        rule=sentences.rule(finding, protocol),
        evidence=sentences.evidence(finding, protocol),
        about=finding.rule,
        page=PAGE,
        decides_with=Capability.DECIDE_SCREENING if finding.may_be_decided else "",
    )


def _lacking(protocol: Protocol, questions: int, since: date | None, site: Site) -> Bar:
    """So many questions without an answer, or none: then it is the skin type."""
    bar = Bar(
        code="screening_lacking" if questions else "skin_type_lacking",
        acts=frozenset({Act.START}),
        outcome=Outcome.REVIEW,
        stored=sentences.lacking(questions, since),
        since=since,
        rule=sentences.asks_for_it(protocol),
        about=Rule.LACKING,
        page=PAGE,
        passes_with=Capability.OVERRIDE_CLEARANCE,
    )
    return as_lacking(bar, site)


def _code(finding: Finding, outcome: Outcome) -> str:
    if finding.rule == Rule.AGE:
        return "too_young"
    kind = "skin_type" if finding.rule == Rule.SKIN_TYPE else "screening"
    return f"{kind}_{outcome}"
