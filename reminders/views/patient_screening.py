"""Screening on a patient's page: where each treatment stands, what was answered, what it bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from appointments.clearance import beside, due_questions
from appointments.clearance.screening import screen
from appointments.lifecycle import OPEN
from appointments.models import Appointment, TreatmentSeries
from clinic.protocols import loading
from clinic.protocols.differing import Difference, differences
from clinic.protocols.schema import Outcome
from clinic.saying import language
from clinic.wall_time import local
from patients.models import Patient, ScreeningAnswer
from patients.screening import overview, sentences
from patients.screening.assessing import Rule, Screened, assess
from patients.screening.overview import Answered

WRONG = (Outcome.BLOCK, Outcome.DEFER)


@dataclass(frozen=True, slots=True)
class Line:
    """One answer: the question, where, what was said, who and when, until when it counts and what
    it leads to, in words."""

    question: str
    area: str
    said: str
    who: str
    counts: str
    leads_to: str


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment under way with its next visit, if any. `words` say where it stands then, each
    with whether it is only to be done."""

    series: TreatmentSeries
    visit: Appointment | None
    words: list[tuple[str, bool]]
    lines: list[Line]


def context(
    patient: Patient,
    every: Sequence[TreatmentSeries],
    visits: Sequence[Appointment],
    now: datetime,
) -> dict[str, Any]:
    """The treatments under way, and where their protocols chose differently; of every series of
    the patient, and all visits in order of time."""
    series = beside.open_among(every)
    following = {each.series_id: each for each in reversed(visits) if each.state in OPEN}
    wanted = [(patient, loading.get(row.protocol_version), row.areas) for row in series]
    found = list(zip(series, screen(wanted, {patient.pk: series}), strict=True))
    by = _writers(screened for _, screened in found)
    return {
        "screening": [_shown(row, following.get(row.pk), each, by, now) for row, each in found],
        "differences": _differences(series),
    }


def _shown(
    series: TreatmentSeries,
    visit: Appointment | None,
    screened: Screened,
    by: dict[int, str],
    now: datetime,
) -> Treatment:
    zone = series.site.zone
    day = local(visit.starts_at if visit else now, zone).date()
    findings = [each for each in assess(screened) if each.rule != Rule.LACKING]
    words = [
        (sentences.flag(each), each.outcome not in WRONG)
        for each in findings
        if each.outcome is not Outcome.TASK and each.stands_on(day)
    ]
    if asked := due_questions.of_day(screened, day):
        said = gettext("%(count)s to ask by then") if visit else gettext("%(count)s to ask")
        words.append((said % {"count": len(asked)}, True))
    areas = screened.protocol.applicability.areas
    return Treatment(
        series,
        visit,
        list(dict.fromkeys(words)),
        [
            Line(
                question=each.question.text.get(language()),
                area=areas[each.area].name.get(language()) if each.area in areas else "",
                said=sentences.said(each.answer),
                who=sentences.who_and_when(each.answer, by[each.answer.id]),
                counts=_counts(each),
                leads_to=sentences.leads_to(each.finding) if each.finding else "",
            )
            for each in overview.answered(screened)
        ],
    )


def _counts(each: Answered) -> str:
    if each.counts_until is None:
        return gettext("stands until it is answered anew")
    day = sentences.day_and_year(each.counts_until)
    return gettext("asked again from %(day)s on") % {"day": day}


def _writers(screened: Any) -> dict[int, str]:
    ids = {answer.id for each in screened for answer in each.answers}
    rows = ScreeningAnswer.objects.filter(pk__in=ids).values_list("pk", "by__name")
    return {pk: name or "" for pk, name in rows}


def _differences(series: Sequence[TreatmentSeries]) -> tuple[Difference, ...]:
    """Of the treatments that touch each other."""
    found: dict[Difference, None] = {}
    for row in series:
        protocol = loading.get(row.protocol_version)
        others = beside.protocols_beside(protocol, row.areas, series)
        if others:
            several = sorted((protocol, *others), key=lambda each: each.id)
            found |= dict.fromkeys(differences(several))
    return tuple(found)
